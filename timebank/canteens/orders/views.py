"""Seeing orders and standing orders: each by those whom it concerns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.orm import Session

from timebank.canteens.orders.actions.who_may import Rights, rights_of
from timebank.canteens.orders.models import (
    MealOrder,
    MealOrderItem,
    MealOrderLine,
    StandingOrder,
    StandingOrderDay,
)
from timebank.canteens.orders.rules import CAUSE, NOT_HAD, not_your_elder, order_unknown, standing_order_unknown
from timebank.core.actors import Actor, StaffRole
from timebank.ledger.models import Transfer
from timebank.people.models import Person
from timebank.people.queries import acts_for, person
from timebank.people.rules import ProxyScope
from timebank.townships.models import Organisation


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order with the dishes and the receipt of its newest revision; a guest has no name.

    ``charged_fen`` is what of a meal that did not reach the diner was charged all the same; None of every other.
    """

    order: MealOrder
    diner_name: str | None
    canteen_name: str
    items: Sequence[MealOrderItem]
    lines: Sequence[MealOrderLine]
    charged_fen: int | None


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders: a diner's, a canteen's, of a span of days, of one meal, in one state."""

    for_person_id: UUID | None = None
    canteen_id: UUID | None = None
    from_day: date | None = None
    to_day: date | None = None
    meal: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class StandingView:
    """A standing order, with the newest day that it was done for and what came of it."""

    standing: StandingOrder
    diner_name: str
    canteen_name: str
    last_day: StandingOrderDay | None


def find_orders(
    session: Session, *, actor: Actor, wanted: OrderFilter, limit: int, before: UUID | None = None
) -> list[OrderView]:
    """Orders that concern the actor, newest first.

    Of oneself or an elder one acts for; a clerk sees those at the own canteen; a steward those of the township's
    canteens and diners; the district and the auditor all. Raises NotAllowed ``registration_needed``,
    ``not_your_elder``, ``proxy_scope_missing``; NotFound ``person_unknown``.
    """
    query = select(MealOrder).join(Organisation, Organisation.id == MealOrder.canteen_id)
    query = query.outerjoin(Person, Person.id == MealOrder.diner_id)
    query = query.where(*_visible(session, actor, wanted.for_person_id, MealOrder), *_asked(wanted))
    if before is not None:
        query = query.where(MealOrder.id < before)
    return see_orders(session, session.scalars(query.order_by(MealOrder.id.desc()).limit(limit)).all())


def order_for(session: Session, *, actor: Actor, order_id: UUID) -> OrderView:
    """One order that concerns the actor. Raises NotFound ``order_unknown``; NotAllowed ``proxy_scope_missing``."""
    order = session.get(MealOrder, order_id)
    if order is None or not _sees(session, actor, order.diner_id, order.canteen_id):
        raise order_unknown(order_id)
    return see_order(session, order)


def see_order(session: Session, order: MealOrder) -> OrderView:
    """An order that is there."""
    return see_orders(session, [order])[0]


def see_orders(session: Session, orders: Sequence[MealOrder]) -> list[OrderView]:
    """Orders with all that is shown of them, in four statements."""
    newest = [(order.id, order.revision) for order in orders]
    items: dict[UUID, list[MealOrderItem]] = defaultdict(list)
    of_item = tuple_(MealOrderItem.order_id, MealOrderItem.revision).in_(newest)
    for item in session.scalars(select(MealOrderItem).where(of_item).order_by(MealOrderItem.line)):
        items[item.order_id].append(item)
    lines: dict[UUID, list[MealOrderLine]] = defaultdict(list)
    of_line = tuple_(MealOrderLine.order_id, MealOrderLine.revision).in_(newest)
    for line in session.scalars(select(MealOrderLine).where(of_line).order_by(MealOrderLine.line)):
        lines[line.order_id].append(line)
    names = _names(session, {order.diner_id for order in orders}, {order.canteen_id for order in orders})
    charged = _charged(session, [order.id for order in orders if order.state in NOT_HAD])
    return [
        OrderView(
            order,
            names[order.diner_id] if order.diner_id is not None else None,
            names[order.canteen_id],
            items[order.id],
            lines[order.id],
            charged.get(order.id, 0) if order.state in NOT_HAD else None,
        )
        for order in orders
    ]


def _charged(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What was charged for these meals that were not had, in fen, by order: nothing else moved for them."""
    if not order_ids:
        return {}
    query = select(Transfer.cause_id, func.sum(Transfer.amount)).group_by(Transfer.cause_id)
    rows = session.execute(query.where(Transfer.cause_kind == CAUSE, Transfer.cause_id.in_(order_ids)))
    return {order_id: int(fen) for order_id, fen in rows if order_id is not None}


def find_standing_orders(
    session: Session,
    *,
    actor: Actor,
    for_person_id: UUID | None = None,
    ended: bool = False,
    limit: int,
    before: UUID | None = None,
) -> list[StandingView]:
    """Standing orders that concern the actor, as orders do, newest first; those in force, or those that have ended."""
    query = select(StandingOrder).join(Organisation, Organisation.id == StandingOrder.canteen_id)
    query = query.join(Person, Person.id == StandingOrder.diner_id)
    is_over = StandingOrder.ended_at.is_not(None)
    query = query.where(*_visible(session, actor, for_person_id, StandingOrder), is_over if ended else ~is_over)
    if before is not None:
        query = query.where(StandingOrder.id < before)
    found = session.scalars(query.order_by(StandingOrder.id.desc()).limit(limit)).all()
    return _see_standing(session, found)


def see_standing_order(session: Session, standing: StandingOrder) -> StandingView:
    """A standing order that is there."""
    return _see_standing(session, [standing])[0]


def standing_order_for(session: Session, *, actor: Actor, standing_order_id: UUID) -> StandingView:
    """One that concerns the actor. Raises NotFound ``standing_order_unknown``; NotAllowed ``proxy_scope_missing``."""
    found = session.get(StandingOrder, standing_order_id)
    if found is None or not _sees(session, actor, found.diner_id, found.canteen_id):
        raise standing_order_unknown(standing_order_id)
    return see_standing_order(session, found)


def _see_standing(session: Session, found: Sequence[StandingOrder]) -> list[StandingView]:
    names = _names(session, {one.diner_id for one in found}, {one.canteen_id for one in found})
    day = StandingOrderDay
    last_on = select(day.standing_order_id, func.max(day.served_on)).group_by(day.standing_order_id)
    last_on = last_on.where(day.standing_order_id.in_([one.id for one in found]))
    newest = select(day).where(tuple_(day.standing_order_id, day.served_on).in_(last_on))
    last = {day.standing_order_id: day for day in session.scalars(newest)}
    return [StandingView(one, names[one.diner_id], names[one.canteen_id], last.get(one.id)) for one in found]


def _visible(
    session: Session, actor: Actor, for_person_id: UUID | None, of: type[MealOrder] | type[StandingOrder]
) -> list[ColumnElement[bool]]:
    if actor.staff_role is None:
        diner_id = for_person_id or actor.person()
        if not acts_for(session, actor, diner_id, ProxyScope.MEALS):
            raise not_your_elder()
        return [of.diner_id == diner_id]
    mine: list[ColumnElement[bool]] = []
    if for_person_id is not None:
        person(session, for_person_id)
        mine.append(of.diner_id == for_person_id)
    if actor.staff_role is StaffRole.CANTEEN_CLERK:
        mine.append(of.canteen_id == actor.organisation_id)
    elif actor.staff_role is StaffRole.TOWNSHIP_STEWARD:
        home = actor.township_code
        mine.append(or_(Organisation.township_code == home, Person.township_code == home))
    elif not (actor.is_district or actor.staff_role is StaffRole.AUDITOR):
        raise not_your_elder()
    return mine


def _asked(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    asked = [
        MealOrder.canteen_id == wanted.canteen_id if wanted.canteen_id is not None else None,
        MealOrder.served_on >= wanted.from_day if wanted.from_day is not None else None,
        MealOrder.served_on <= wanted.to_day if wanted.to_day is not None else None,
        MealOrder.meal == wanted.meal if wanted.meal is not None else None,
        MealOrder.state == wanted.state if wanted.state is not None else None,
    ]
    return [condition for condition in asked if condition is not None]


def _sees(session: Session, actor: Actor, diner_id: UUID | None, canteen_id: UUID) -> bool:
    if actor.staff_role is StaffRole.AUDITOR:
        return True
    diner = person(session, diner_id) if diner_id is not None else None
    rights: Rights = rights_of(session, actor, {diner_id} if diner_id is not None else set())
    return rights.sees(diner, canteen_id, session.get_one(Organisation, canteen_id).township_code)


def _names(session: Session, person_ids: set[UUID | None] | set[UUID], canteen_ids: set[UUID]) -> dict[UUID, str]:
    people = select(Person.id, Person.name).where(Person.id.in_(person_ids - {None}))
    places = select(Organisation.id, Organisation.name).where(Organisation.id.in_(canteen_ids))
    return {row.id: row.name for row in session.execute(people.union_all(places))}
