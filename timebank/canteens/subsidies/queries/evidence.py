"""What the checks of a claim look at, gathered in a fixed number of statements and one or two a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, any_, case, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from timebank.audit.models import AuditEntry
from timebank.canteens.diners.queries import facts_on
from timebank.canteens.network.queries import ServiceKey, closed_days
from timebank.canteens.network.rules import closed_that_day, meal_not_served
from timebank.canteens.orders.models import MealOrder, MealOrderItem, MealOrderLine, MealService
from timebank.canteens.orders.rules import OrderState
from timebank.canteens.pricing.rules import DinerFacts, Share
from timebank.canteens.subsidies.screening import Given, Move, Scan, ServedMeal, Whereabouts, Window
from timebank.core import clock
from timebank.core.db import UuidColumn
from timebank.people.models import Person
from timebank.redemption.models import Voucher, VoucherScan
from timebank.townships.models import Organisation


def _one_of(
    column: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None], ids: Iterable[UUID]
) -> ColumnElement[bool]:
    return column == any_(cast(list(ids), ARRAY(UuidColumn)))


def served_meals(
    session: Session,
    *,
    canteen_id: UUID,
    person_ids: Collection[UUID] = (),
    household_ids: Collection[UUID] = (),
    first: date,
    last: date,
) -> list[ServedMeal]:
    """Everything served at this canteen, and to these people and households anywhere, from ``first`` to ``last``.

    Whoever had a meal as one of a household counts to it, also where they have left it since.
    """
    query = (
        select(MealOrder, Organisation.name)
        .join(Organisation, Organisation.id == MealOrder.canteen_id)
        .where(
            MealOrder.state == OrderState.SERVED,
            MealOrder.served_on.between(first, last),
            or_(
                MealOrder.canteen_id == canteen_id,
                _one_of(MealOrder.diner_id, person_ids),
                _one_of(MealOrder.household_id, household_ids),
            ),
        )
    )
    orders = session.execute(query.order_by(MealOrder.id)).all()
    ids = [order.id for order, _ in orders]
    food, given = _food(session, ids), _given(session, ids)
    return [_served(order, name, *food[order.id], given[order.id]) for order, name in orders]


def _served(order: MealOrder, canteen_name: str, food_fen: int, love_fen: int, given: list[Given]) -> ServedMeal:
    assert order.ended_at is not None
    return ServedMeal(
        order_id=order.id,
        person_id=order.diner_id,
        canteen_id=order.canteen_id,
        canteen_name=canteen_name,
        served_on=order.served_on,
        meal=order.meal,
        way=order.way,
        served_at=order.ended_at,
        portions=order.portions,
        pickup_number=order.pickup_number,
        source=order.source,
        placed_by=order.placed_by,
        placed_by_name=order.placed_by_name,
        policy_version=order.policy_version,
        food_fen=food_fen,
        love_fen=love_fen,
        delivery_fen=order.list_fen - food_fen,
        government_fen=order.government_fen,
        given=tuple(given),
        household_id=order.household_id,
        assessment_level=order.assessment_level,
    )


def _food(session: Session, order_ids: Collection[UUID]) -> Mapping[UUID, tuple[int, int]]:
    """What each order's dishes cost, and what its love meals do, in fen."""
    price = MealOrderItem.quantity * MealOrderItem.price_fen
    query = (
        select(
            MealOrderItem.order_id,
            func.sum(price),
            func.sum(case((MealOrderItem.is_love_meal, price), else_=0)),
        )
        .join(MealOrder, (MealOrder.id == MealOrderItem.order_id) & (MealOrder.revision == MealOrderItem.revision))
        .where(_one_of(MealOrderItem.order_id, order_ids))
        .group_by(MealOrderItem.order_id)
    )
    found = {order_id: (int(food), int(love)) for order_id, food, love in session.execute(query)}
    return defaultdict(lambda: (0, 0), found)


def _given(session: Session, order_ids: Collection[UUID]) -> Mapping[UUID, list[Given]]:
    query = (
        select(MealOrderLine.order_id, MealOrderLine.rule_key, MealOrderLine.label, MealOrderLine.fen)
        .join(MealOrder, (MealOrder.id == MealOrderLine.order_id) & (MealOrder.revision == MealOrderLine.revision))
        .where(MealOrderLine.share == Share.GOVERNMENT, _one_of(MealOrderLine.order_id, order_ids))
        .order_by(MealOrderLine.order_id, MealOrderLine.line)
    )
    found: dict[UUID, list[Given]] = defaultdict(list)
    for order_id, rule_key, label, fen in session.execute(query):
        found[order_id].append(Given(rule_key, label, fen))
    return found


def facts_of(session: Session, served: Collection[ServedMeal]) -> dict[UUID, DinerFacts]:
    """What is known of the diner of each of these orders on its day.

    Age and categories are looked up anew, as they are known by now. Of household and assessment only today's are
    known elsewhere, so they are those that the order was priced by.
    """
    by_day: dict[date, set[UUID]] = defaultdict(set)
    for one in served:
        if one.person_id is not None:
            by_day[one.served_on].add(one.person_id)
    known = {day: facts_on(session, people, day) for day, people in sorted(by_day.items())}
    return {
        one.order_id: replace(
            known[one.served_on][one.person_id],
            household_id=one.household_id,
            assessment_level=one.assessment_level,
        )
        for one in served
        if one.person_id is not None and one.household_id is not None
    }


def whereabouts_of(session: Session, person_ids: Collection[UUID]) -> dict[UUID, Whereabouts]:
    """Who has died, left or moved, as it is known by now."""
    moves: dict[str, list[Move]] = defaultdict(list)
    query = select(AuditEntry).where(
        AuditEntry.subject_kind == "person",
        AuditEntry.action == "person_moved",
        AuditEntry.subject_id.in_([str(person_id) for person_id in person_ids]),
    )
    for entry in session.scalars(query.order_by(AuditEntry.id)):
        townships = entry.facts["from_township_code"], entry.facts["to_township_code"]
        moves[entry.subject_id].append(Move(clock.local_date(entry.at), *townships))
    people = select(Person.id, Person.died_on, Person.left_at).where(_one_of(Person.id, person_ids))
    return {
        person_id: Whereabouts(
            died_on, clock.local_date(left_at) if left_at is not None else None, tuple(moves[str(person_id)])
        )
        for person_id, died_on, left_at in session.execute(people)
    }


def scans_of(session: Session, person_ids: Collection[UUID], *, first: date, last: date) -> list[Scan]:
    """Vouchers of these people that were accepted at a counter and not given back since."""
    query = (
        select(
            Voucher.holder_id,
            VoucherScan.canteen_id,
            Organisation.name,
            VoucherScan.scanned_at,
            Voucher.set_aside_for,
        )
        .join(Voucher, Voucher.id == VoucherScan.voucher_id)
        .join(Organisation, Organisation.id == VoucherScan.canteen_id)
        .where(
            VoucherScan.accepted,
            Voucher.status == "redeemed",
            _one_of(Voucher.holder_id, person_ids),
            VoucherScan.scanned_at >= clock.day_start(first),
            VoucherScan.scanned_at < clock.day_start(last + timedelta(days=1)),
        )
    )
    return [Scan(*row) for row in session.execute(query)]


def windows_of(session: Session, served: Iterable[ServedMeal]) -> dict[ServiceKey, Window]:
    """From when to when these meals could be had, and for how many at most: by the hours of their own days."""
    keys = {one.service for one in served}
    canteen_ids, days = {canteen_id for canteen_id, _, _ in keys}, {day for _, day, _ in keys}
    closed = closed_days(session, canteen_ids, days)
    counted = select(MealService).where(MealService.canteen_id.in_(canteen_ids), MealService.served_on.in_(days))
    rows = {(row.canteen_id, row.served_on, row.meal): row for row in session.scalars(counted)}
    return {key: _window(key, rows.get(key), closed) for key in keys}


def _window(key: ServiceKey, row: MealService | None, closed: Mapping[ServiceKey, str]) -> Window:
    canteen_id, day, meal = key
    reason = closed.get((canteen_id, day, "")) or closed.get(key)
    capacity = row.capacity_meals if row is not None else None
    if reason is not None:
        return Window(None, None, capacity, closed_that_day(day, reason, canteen_id=canteen_id).title)
    if row is None:
        return Window(None, None, None, meal_not_served(day, meal, canteen_id=canteen_id).title)
    return Window(row.opens_at, row.closes_at, capacity)
