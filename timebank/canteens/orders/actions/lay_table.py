"""Laying the table: everything that orders are judged by, read and locked in a fixed number of statements.

Order of locks, here and everywhere in the meal programme: diners (those of a whole household, so that what one
household may have of a meal is counted by one at a time), orders, meals of a day, dishes on the menu, limits used,
vouchers, and then the ledger's accounts in one call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, TIMESTAMP, BigInteger, Date, Select, Text, and_, bindparam, or_, select, text, tuple_
from sqlalchemy.orm import Session, aliased

from timebank.canteens.diners.models import Diner
from timebank.canteens.diners.queries import diners_by_ids, facts_on
from timebank.canteens.diners.rules import DinerState
from timebank.canteens.menus.queries import items_by_ids
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.queries import Service, services_on
from timebank.canteens.orders.actions.decided import Accounts, Place
from timebank.canteens.orders.actions.judge_orders import Table
from timebank.canteens.orders.actions.who_may import rights_of
from timebank.canteens.orders.models import MealOrder, MealOrderItem, MealService, SubsidyUse
from timebank.canteens.orders.rules import ALIVE, OrderWanted, Slot
from timebank.canteens.pricing.rules import DinerFacts, UseKey
from timebank.canteens.purses.queries import purse_accounts
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import UuidColumn
from timebank.core.errors import BankError
from timebank.ledger.actions.accounts import ensure_accounts_of_kinds
from timebank.ledger.actions.post import lock_accounts
from timebank.ledger.models import Account
from timebank.ledger.rules import OF_ORGANISATIONS, AccountKind
from timebank.people.queries import people_by_ids
from timebank.policies.queries import in_force
from timebank.redemption.models import Voucher
from timebank.redemption.rules import VoucherStatus
from timebank.townships.models import Organisation

# Made once: naming an alias anew for every order costs more than asking with it.
_ASKED = aliased(Diner)

# Capacity is that of the hours, but never below what is ordered already: fewer places take no order away. Hours that
# were set anew hold for days to come; those of a day that is over stay what they were.
_MEALS_OF_DAYS = text("""
INSERT INTO meal_service AS s (canteen_id, served_on, meal, opens_at, closes_at, capacity_meals)
SELECT canteen_id, served_on, meal, opens_at, closes_at, capacity_meals
FROM unnest(:canteen_ids, :days, :meals, :opens, :closes, :capacities)
     AS wanted (canteen_id, served_on, meal, opens_at, closes_at, capacity_meals)
ORDER BY canteen_id, served_on, meal
ON CONFLICT (canteen_id, served_on, meal) DO UPDATE SET opens_at = excluded.opens_at, closes_at = excluded.closes_at
WHERE s.served_on >= :today AND (s.opens_at, s.closes_at) <> (excluded.opens_at, excluded.closes_at)
""").bindparams(
    bindparam("canteen_ids", type_=ARRAY(UuidColumn)),
    bindparam("days", type_=ARRAY(Date)),
    bindparam("meals", type_=ARRAY(Text)),
    bindparam("opens", type_=ARRAY(TIMESTAMP(timezone=True))),
    bindparam("closes", type_=ARRAY(TIMESTAMP(timezone=True))),
    bindparam("capacities", type_=ARRAY(BigInteger)),
)


def lay_table(
    session: Session,
    *,
    actor: Actor,
    wanted: Sequence[OrderWanted],
    lock: bool = True,
    changing: MealOrder | None = None,
) -> Table:
    """All that these orders are judged by; with ``lock`` nobody changes it until the unit of work ends.

    For an order that is ``changing`` its own voucher may be had again, and its dishes are locked with the new ones.
    The statements are as many for one order as for thousands, but for what is asked of diners: one set a day.
    """
    now = clock.now()
    policies = in_force(session, at=now)
    slots = {one.slot for one in wanted}
    diners = lock_households(session, {one.diner_id for one in wanted if one.diner_id}, lock=lock)
    asked = {one.diner_id for one in wanted if one.diner_id}
    services = services_on(session, slots)
    ordered, last_numbers = _meals_of_days(session, services, lock=lock)
    items = items_by_ids(session, _dishes(session, wanted, changing), lock=lock)
    facts = _facts(session, wanted, diners)
    used = _used(session, facts, lock=lock)
    paying = {one.diner_id for one in wanted if one.use_voucher and one.diner_id}
    vouchers = _vouchers(session, paying, changing, lock=lock)
    taken = _taken(session, wanted)
    canteen_ids = {canteen_id for canteen_id, _, _ in slots} | {slot[0] for slot, _ in taken.values()}
    places = _places(session, canteen_ids)
    accounts = _accounts(session, asked & diners.keys(), places.keys())
    return Table(
        now=now,
        policies=policies,
        rights=rights_of(session, actor, asked),
        people=people_by_ids(session, asked),
        diners=diners,
        facts=facts,
        places=places,
        services=services,
        items=items,
        accounts=accounts,
        taken=taken,
        ordered=ordered,
        last_numbers=last_numbers,
        used=used,
        available=_available(session, accounts, lock=lock),
        vouchers=vouchers,
    )


def lock_households(session: Session, person_ids: Collection[UUID], *, lock: bool = True) -> dict[UUID, Diner]:
    """The files of these diners and of whoever shares a household with them, by person."""
    households = select(_ASKED.household_id).where(_ASKED.person_id.in_(person_ids))
    members = select(Diner.person_id).where(Diner.household_id.in_(households))
    if not lock:
        return diners_by_ids(session, session.scalars(members).all())
    locked: dict[UUID, Diner] = {}
    # Asked again under the locks: somebody may have moved from one household to another while we waited for a file.
    while missing := set(session.scalars(members)) - locked.keys():
        locked |= diners_by_ids(session, missing, lock=True)
    return locked


def _locked(query: Select[Any], lock: bool) -> Select[Any]:
    if not lock:
        return query
    return query.with_for_update(key_share=True).execution_options(populate_existing=True)


def _facts(
    session: Session, wanted: Iterable[OrderWanted], diners: dict[UUID, Diner]
) -> dict[tuple[UUID, date], DinerFacts]:
    by_day: dict[date, set[UUID]] = defaultdict(set)
    for one in wanted:
        diner = diners.get(one.diner_id) if one.diner_id is not None else None
        if diner is not None and diner.state == DinerState.APPROVED:
            by_day[one.served_on].add(diner.person_id)
    found = {}
    for day in sorted(by_day):
        for person_id, facts in facts_on(session, by_day[day], day).items():
            found[person_id, day] = facts
    return found


def _taken(session: Session, wanted: Iterable[OrderWanted]) -> dict[tuple[UUID, date, str], tuple[Slot, UUID]]:
    meals = {(one.diner_id, one.served_on, one.meal) for one in wanted if one.diner_id is not None}
    mine = tuple_(MealOrder.diner_id, MealOrder.served_on, MealOrder.meal)
    rows = session.execute(
        select(MealOrder.diner_id, MealOrder.canteen_id, MealOrder.served_on, MealOrder.meal, MealOrder.id).where(
            mine.in_(meals), MealOrder.state.in_(ALIVE)
        )
    )
    return {
        (row.diner_id, row.served_on, row.meal): ((row.canteen_id, row.served_on, row.meal), row.id)
        for row in rows
        if row.diner_id is not None
    }


def _places(session: Session, canteen_ids: Collection[UUID]) -> dict[UUID, Place]:
    query = select(Canteen, Organisation).join(Organisation, Organisation.id == Canteen.id)
    rows = session.execute(query.where(Canteen.id.in_(canteen_ids)))
    return {canteen.id: Place(canteen, organisation) for canteen, organisation in rows}


def _meals_of_days(
    session: Session, services: dict[Slot, Service | BankError], *, lock: bool
) -> tuple[dict[Slot, int], dict[Slot, int]]:
    """What is ordered of each meal, in portions, and its last pickup number."""
    served = {slot: service for slot, service in services.items() if isinstance(service, Service)}
    if lock and served:
        slots = sorted(served)
        columns = {
            "canteen_ids": [slot[0] for slot in slots],
            "days": [slot[1] for slot in slots],
            "meals": [slot[2] for slot in slots],
            "opens": [served[slot].opens_at for slot in slots],
            "closes": [served[slot].closes_at for slot in slots],
            "capacities": [served[slot].capacity_meals for slot in slots],
            "today": clock.today(),
        }
        session.execute(_MEALS_OF_DAYS, columns)
    key = (MealService.canteen_id, MealService.served_on, MealService.meal)
    query = select(MealService).where(tuple_(*key).in_(sorted(served))).order_by(*key)
    rows = session.scalars(_locked(query, lock)).all()
    ordered = {(row.canteen_id, row.served_on, row.meal): row.ordered_meals for row in rows}
    return ordered, {(row.canteen_id, row.served_on, row.meal): row.last_pickup_number for row in rows}


def _used(session: Session, facts: dict[tuple[UUID, date], DinerFacts], *, lock: bool) -> dict[UseKey, int]:
    scope_ids = {scope_id for one in facts.values() for scope_id in (one.person_id, one.household_id)}
    days = {day for _, day in facts}
    key = (SubsidyUse.scope, SubsidyUse.scope_id, SubsidyUse.served_on, SubsidyUse.meal, SubsidyUse.rule_key)
    query = select(SubsidyUse).where(SubsidyUse.scope_id.in_(scope_ids), SubsidyUse.served_on.in_(days)).order_by(*key)
    return {
        (row.scope, row.scope_id, row.served_on, row.meal, row.rule_key): row.used_fen
        for row in session.scalars(_locked(query, lock))
    }


def _dishes(session: Session, wanted: Iterable[OrderWanted], changing: MealOrder | None) -> set[UUID]:
    dishes = {item_id for one in wanted for item_id, _ in one.items}
    if changing is None:
        return dishes
    had = select(MealOrderItem.menu_item_id).where(
        MealOrderItem.order_id == changing.id, MealOrderItem.revision == changing.revision
    )
    return dishes | set(session.scalars(had))


def _vouchers(
    session: Session, holder_ids: Collection[UUID], changing: MealOrder | None, *, lock: bool
) -> dict[UUID, list[Voucher]]:
    """What these people have unused and not set aside, what expires first foremost."""
    if not holder_ids and changing is None:
        return {}
    may_pay = and_(Voucher.holder_id.in_(holder_ids), Voucher.set_aside_for.is_(None))
    if changing is not None:
        may_pay = or_(may_pay, Voucher.set_aside_for == changing.id)
    query = select(Voucher).where(Voucher.status == VoucherStatus.ISSUED, may_pay)
    found: dict[UUID, list[Voucher]] = defaultdict(list)
    for voucher in session.scalars(_locked(query.order_by(Voucher.id), lock)):
        found[voucher.holder_id].append(voucher)
    for vouchers in found.values():
        vouchers.sort(key=lambda voucher: (voucher.expires_at, voucher.id))
    return found


def _accounts(session: Session, person_ids: Collection[UUID], canteen_ids: Collection[UUID]) -> Accounts:
    gifts = ensure_accounts_of_kinds(session, canteen_ids, OF_ORGANISATIONS)
    return Accounts(
        purses=purse_accounts(session, person_ids),
        donated=gifts[AccountKind.DONATED],
        produce=gifts[AccountKind.PRODUCE],
    )


def _available(session: Session, accounts: Accounts, *, lock: bool) -> dict[int, int]:
    ids = {*accounts.purses.values(), *accounts.donated.values(), *accounts.produce.values()}
    if not lock:
        query = select(Account.id, Account.posted - Account.held).where(Account.id.in_(ids))
        return {account_id: available for account_id, available in session.execute(query)}
    return {account_id: state.available for account_id, state in lock_accounts(session, ids).items()}
