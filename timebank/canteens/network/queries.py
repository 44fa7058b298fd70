"""Seeing one canteen, what it serves on which day, and locking canteens."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from timebank.canteens.network.models import Canteen, CanteenClosedDay, CanteenHours
from timebank.canteens.network.rules import (
    CanteenState,
    closed_that_day,
    kitchen_not_open,
    meal_not_served,
    not_open,
)
from timebank.core import clock
from timebank.core.errors import BankError, NotFound
from timebank.townships.models import Organisation

ServiceKey = tuple[UUID, date, str]
"""One meal of one day at one canteen: canteen, calendar day in Fenghua, meal."""

# Made once: naming an alias anew for every order costs more than asking with it.
_KITCHEN = aliased(Canteen)


@dataclass(frozen=True, slots=True)
class Service:
    """A meal that a canteen serves on a day: from when to when, and for how many meals by its hours."""

    opens_at: datetime
    closes_at: datetime
    capacity_meals: int


def canteen_unknown(canteen_id: UUID) -> NotFound:
    """The refusal for a canteen that is not there."""
    return NotFound("canteen_unknown", "没有这个助餐点", canteen_id=canteen_id)


def canteen_here(session: Session, canteen_id: UUID) -> Canteen:
    """One canteen, in whatever state. Raises NotFound ``canteen_unknown``."""
    found = session.get(Canteen, canteen_id)
    if found is None:
        raise canteen_unknown(canteen_id)
    return found


def organisation_of(session: Session, canteen_id: UUID) -> Organisation:
    """The organisation that a canteen is: its name and township. Raises NotFound ``canteen_unknown``."""
    canteen_here(session, canteen_id)
    return session.get_one(Organisation, canteen_id)


def canteen_called(session: Session, said: str) -> Canteen:
    """The canteen with this number or name. Raises NotFound ``canteen_unknown``."""
    query = select(Canteen).join(Organisation, Organisation.id == Canteen.id)
    found = session.scalar(query.where(or_(Canteen.number == said, Organisation.name == said)))
    if found is None:
        raise NotFound("canteen_unknown", "没有这个助餐点", said=said)
    return found


def lock_canteens(session: Session, canteen_ids: Iterable[UUID]) -> dict[UUID, Canteen]:
    """Canteens, nobody else changing them until the unit of work ends, locked in the order of their ids."""
    query = select(Canteen).where(Canteen.id.in_(set(canteen_ids))).order_by(Canteen.id)
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return {canteen.id: canteen for canteen in session.scalars(locked)}


def lock_canteen(session: Session, canteen_id: UUID) -> Canteen:
    """One canteen, locked. Raises NotFound ``canteen_unknown``."""
    found = lock_canteens(session, [canteen_id]).get(canteen_id)
    if found is None:
        raise canteen_unknown(canteen_id)
    return found


def hours_of(session: Session, canteen_id: UUID) -> Sequence[CanteenHours]:
    """The week of a canteen: weekdays in order, each with its meals from the earliest on."""
    query = select(CanteenHours).where(CanteenHours.canteen_id == canteen_id)
    return session.scalars(query.order_by(CanteenHours.weekday, CanteenHours.opens_at)).all()


def services_on(session: Session, wanted: Collection[ServiceKey]) -> dict[ServiceKey, Service | BankError]:
    """What these canteens serve at these meals of these days, or why not; three statements however many.

    Refusals come back as values: NotFound ``canteen_unknown``; Refused ``canteen_not_open`` (also where the kitchen
    that cooks for it is not), ``canteen_closed_that_day`` with the ``reason``, ``meal_not_served``. Capacity is that
    of the hours; what has been ordered stands elsewhere.
    """
    ids = {canteen_id for canteen_id, _, _ in wanted}
    if not ids:
        return {}
    closed_for = _not_serving(session, ids)
    hours = {
        (row.canteen_id, row.weekday, row.meal): row
        for row in session.scalars(select(CanteenHours).where(CanteenHours.canteen_id.in_(ids)))
    }
    closed = closed_days(session, ids, {day for _, day, _ in wanted})
    return {key: closed_for.get(key[0]) or _service(key, hours, closed) for key in wanted}


def _service(
    key: ServiceKey,
    hours: dict[tuple[UUID, int, str], CanteenHours],
    closed: dict[ServiceKey, str],
) -> Service | BankError:
    canteen_id, day, meal = key
    reason = closed.get((canteen_id, day, "")) or closed.get((canteen_id, day, meal))
    if reason is not None:
        return closed_that_day(day, reason, canteen_id=canteen_id)
    found = hours.get((canteen_id, day.isoweekday(), meal))
    if found is None:
        return meal_not_served(day, meal, canteen_id=canteen_id)
    opens_at = datetime.combine(day, found.opens_at, clock.LOCAL)
    return Service(opens_at, datetime.combine(day, found.closes_at, clock.LOCAL), found.capacity_meals)


def _not_serving(session: Session, ids: Collection[UUID]) -> dict[UUID, BankError]:
    """Of these canteens those that serve nothing at all, and why."""
    query = select(Canteen.id, Canteen.state, _KITCHEN.state.label("kitchen_state"))
    query = query.outerjoin(_KITCHEN, _KITCHEN.id == Canteen.kitchen_id).where(Canteen.id.in_(ids))
    refusals: dict[UUID, BankError] = {canteen_id: canteen_unknown(canteen_id) for canteen_id in ids}
    for canteen_id, state, kitchen_state in session.execute(query):
        del refusals[canteen_id]
        if state != CanteenState.OPEN:
            refusals[canteen_id] = not_open(state, canteen_id=canteen_id)
        elif kitchen_state not in (None, CanteenState.OPEN):
            refusals[canteen_id] = kitchen_not_open(kitchen_state, canteen_id=canteen_id)
    return refusals


def closed_days(session: Session, ids: Collection[UUID], days: Collection[date]) -> dict[ServiceKey, str]:
    """Why these canteens are closed on these days, by meal; the meal is ``""`` where all of a day's are meant."""
    query = select(CanteenClosedDay).where(
        CanteenClosedDay.canteen_id.in_(ids), CanteenClosedDay.closed_on.in_(set(days))
    )
    return {(row.canteen_id, row.closed_on, row.meal): row.reason for row in session.scalars(query)}
