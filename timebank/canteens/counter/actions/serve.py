"""Handing meals over 取餐: many at once, each answered by itself, on a fixed number of statements.

Order of locks: diners, orders, vouchers set aside, then all accounts in one call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import any_, cast, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from timebank.canteens.counter.actions.shares import MealAccounts, capture_of, meal_accounts
from timebank.canteens.counter.rules import (
    already_served,
    must_be_collected_here,
    must_be_its_time,
    not_your_counter,
    order_elsewhere,
)
from timebank.canteens.network.queries import Service, services_on
from timebank.canteens.orders.actions.cancel_orders import lock_for_ending
from timebank.canteens.orders.actions.release import holds_of
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import OrderState, Slot, must_be_placed, order_unknown
from timebank.canteens.pricing.rules import MEAL_NAMES, Meal
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import UuidColumn
from timebank.core.errors import BankError
from timebank.ledger.actions.many_holds import capture_holds
from timebank.ledger.actions.post import lock_accounts
from timebank.ledger.models import Hold
from timebank.people.models import Person
from timebank.people.queries import must_be_here
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.redemption.actions import redeem_set_aside
from timebank.redemption.models import Voucher
from timebank.townships.models import Organisation

Served = MealOrder | BankError


def serve_orders(
    session: Session, *, actor: Actor, order_ids: Sequence[UUID], handed_over: bool = False
) -> list[Served]:
    """Hand meals over: holds captured, all shares posted, vouchers set aside redeemed. One answer each, in order.

    At the counter by its clerk, or a steward of the canteen's township; ``handed_over`` is for deliveries, whose
    caller has judged who may, and when. Raises NotAllowed ``counter_not_yours`` for anybody else. Refusals: NotFound
    ``order_unknown``; NotAllowed ``counter_not_yours``;
    Conflict ``order_already_served`` with when and where, ``order_ended``, ``person_frozen`` while the diner's death is
    reported, ``person_left``; Refused ``order_elsewhere`` with where,
    ``other_day``, ``too_early_to_serve``, ``order_is_delivered``, ``canteen_not_open``, ``canteen_closed_that_day``,
    ``meal_not_served``, ``insufficient_fen`` where a hold had run out and the purse is empty.
    """
    if not (handed_over or actor.is_steward or actor.staff_role is StaffRole.CANTEEN_CLERK):
        raise not_your_counter()
    orders = lock_for_ending(session, order_ids)
    places = places_of(session, {order.canteen_id for order in orders.values()})
    judge = _Judge(session, actor, places, orders.values(), handed_over=handed_over)
    answers: list[Served] = []
    serving: dict[UUID, MealOrder] = {}
    for order_id in order_ids:
        try:
            judge.must_be_fit(order_id, orders.get(order_id), again=order_id in serving)
        except BankError as refusal:
            answers.append(refusal)
        else:
            serving[order_id] = orders[order_id]
            answers.append(orders[order_id])
    refused = _carry_out(session, actor, serving, places)
    return [refused.get(a.id, a) if isinstance(a, MealOrder) else a for a in answers]


def serve_order(session: Session, *, actor: Actor, order_id: UUID) -> MealOrder:
    """Hand one meal over. Raises what ``serve_orders`` refuses."""
    answer = serve_orders(session, actor=actor, order_ids=[order_id])[0]
    if isinstance(answer, BankError):
        raise answer
    return answer


def places_of(session: Session, canteen_ids: Collection[UUID]) -> dict[UUID, Organisation]:
    """Canteens' names and townships by id."""
    query = select(Organisation).where(Organisation.id.in_(canteen_ids))
    return {place.id: place for place in session.scalars(query)}


def diners_now(session: Session, orders: Collection[MealOrder]) -> dict[UUID, Person]:
    """Who these orders are for, read anew after their files were locked: a report of a death waits for those."""
    asked = any_(cast([order.diner_id for order in orders if order.diner_id is not None], ARRAY(UuidColumn)))
    found = session.scalars(select(Person).where(Person.id == asked).execution_options(populate_existing=True))
    return {someone.id: someone for someone in found}


class _Judge:
    """Whether meals may be handed over now, by this actor."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        places: Mapping[UUID, Organisation],
        orders: Collection[MealOrder],
        *,
        handed_over: bool,
    ) -> None:
        self._actor, self._places, self._handed_over = actor, places, handed_over
        self._now = clock.now()
        self._policies: PolicyBook = in_force(session, at=self._now)
        self._services = {} if handed_over else services_on(session, {_slot(order) for order in orders})
        self._diners = diners_now(session, orders)

    def must_be_fit(self, order_id: UUID, order: MealOrder | None, *, again: bool) -> None:
        """Raises what ``serve_orders`` refuses."""
        if order is None:
            raise order_unknown(order_id)
        place = self._places[order.canteen_id]
        if not self._handed_over:
            self._must_be_ours(order, place)
        if again or order.state == OrderState.SERVED:
            raise already_served(order_id, order.ended_at or self._now, place.name)
        must_be_placed(order_id, order.state)
        if order.diner_id is not None:
            must_be_here(self._diners[order.diner_id])
        if not self._handed_over:
            self._must_be_its_time(order, place)

    def _must_be_ours(self, order: MealOrder, place: Organisation) -> None:
        if self._actor.staff_role is StaffRole.CANTEEN_CLERK:
            if self._actor.organisation_id != order.canteen_id:
                raise order_elsewhere(order.id, place.name)
        elif not self._actor.stewards(place.township_code):
            raise not_your_counter()

    def _must_be_its_time(self, order: MealOrder, place: Organisation) -> None:
        must_be_collected_here(order.id, order.way)
        service = self._services[_slot(order)]
        if not isinstance(service, Service):
            raise service
        early = self._policies.whole("serve_early_minutes", place.township_code)
        must_be_its_time(order.served_on, service.opens_at, self._now, early_minutes=early)


def _slot(order: MealOrder) -> Slot:
    return order.canteen_id, order.served_on, order.meal


def _carry_out(
    session: Session, actor: Actor, serving: Mapping[UUID, MealOrder], places: Mapping[UUID, Organisation]
) -> dict[UUID, BankError]:
    """Move what these meals move and mark them; answers what the ledger refused, which stays as it was."""
    if not serving:
        return {}
    accounts = meal_accounts(session, serving.values(), {i: place.name for i, place in places.items()})
    vouchers = _lock_everything(session, serving, accounts)
    holds: dict[UUID, list[Hold]] = defaultdict(list)
    for hold in holds_of(session, list(serving)):
        holds[hold.cause_id].append(hold)
    now = clock.now()
    captures = [
        capture_of(order, accounts, holds[order.id], actor=actor, at=now, note=_note(order, accounts))
        for order in serving.values()
    ]
    results = dict(zip(serving, capture_holds(session, captures), strict=True))
    refused = {order_id: result for order_id, result in results.items() if isinstance(result, BankError)}
    done = [order_id for order_id in serving if order_id not in refused]
    _redeem(session, actor, [serving[i] for i in done if i in vouchers])
    if done:
        _mark(session, actor, done)
    return refused


def _lock_everything(session: Session, serving: Mapping[UUID, MealOrder], accounts: MealAccounts) -> set[UUID]:
    """Vouchers first, then every account of money and minutes in one call; answers the orders that a voucher pays."""
    waiting = Voucher.set_aside_for == any_(cast(list(serving), ARRAY(UuidColumn)))
    query = select(Voucher).where(waiting).order_by(Voucher.id).with_for_update(key_share=True)
    vouchers = session.scalars(query.execution_options(populate_existing=True)).all()
    lock_accounts(session, accounts.all() | {voucher.account_id for voucher in vouchers})
    return {voucher.set_aside_for for voucher in vouchers if voucher.set_aside_for is not None}


def _redeem(session: Session, actor: Actor, orders: Sequence[MealOrder]) -> None:
    by_canteen: dict[UUID, list[UUID]] = defaultdict(list)
    for order in orders:
        by_canteen[order.canteen_id].append(order.id)
    for canteen_id, order_ids in sorted(by_canteen.items()):
        redeem_set_aside(session, actor=actor, for_ids=order_ids, canteen_id=canteen_id)


def _mark(session: Session, actor: Actor, order_ids: Collection[UUID]) -> None:
    said = {
        "state": OrderState.SERVED,
        "ended_at": clock.now(),
        "ended_by": actor.login_id,
        "ended_by_name": actor.name,
    }
    marked = update(MealOrder).where(MealOrder.id == any_(cast(list(order_ids), ARRAY(UuidColumn)))).values(said)
    session.execute(marked, execution_options={"synchronize_session": "fetch"})


def _note(order: MealOrder, accounts: MealAccounts) -> str:
    return f"{accounts.names[order.canteen_id]}{order.served_on:%m月%d日}{MEAL_NAMES[Meal(order.meal)]}"
