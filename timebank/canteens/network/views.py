"""Canteens as people see them: on the fifteen-minute map 15分钟为老助餐一张图, in lists, and one with all about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, and_, cast, func, null, or_, select, true
from sqlalchemy.orm import Session, aliased

from timebank.canteens.network.models import (
    Canteen,
    CanteenAcceptance,
    CanteenClosedDay,
    CanteenGrade,
    CanteenHours,
)
from timebank.canteens.network.queries import Service, canteen_unknown, hours_of, services_on
from timebank.canteens.network.rules import CanteenState, CanteenType, map_radius_m, must_be_near, walk_minutes
from timebank.canteens.pricing.rules import Meal
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.chinese_order import by_pinyin
from timebank.core.places import metres_from
from timebank.core.sorting import Orders, Part, Slice, by_course, slice_of
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.townships.models import Organisation

_Kitchen = aliased(Canteen)
_KitchenName = aliased(Organisation)

CANTEEN_ORDERS = Orders(
    of="canteens",
    by={
        "applied": Canteen.id,
        "name": by_pinyin(Organisation.name),
        "township": Organisation.township_code,
        "type": by_course(Canteen.canteen_type, list(CanteenType)),
        "grade": CanteenGrade.grade,
        "state": by_course(Canteen.state, list(CanteenState)),
    },
    tie=Canteen.id,
    usual="applied",
)
"""Without a place; with one they come nearest first where nothing else is asked for."""


@dataclass(frozen=True, slots=True)
class CanteenFilter:
    """Which canteens are wanted; with a place, those ``within_m`` metres of it (by default the walk of the map).

    ``meal`` leaves those that serve this meal today.
    """

    township_code: str | None = None
    canteen_type: str | None = None
    state: str | None = None
    meal: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    within_m: int | None = None


@dataclass(frozen=True, slots=True)
class CanteenView:
    """A canteen for a screen. ``distance_m`` is as the crow flies and ``walk_minutes`` at the pace of the policy.

    ``grade`` is the newest that was approved; ``today`` are the meals that it serves today.
    """

    canteen: Canteen
    organisation: Organisation
    kitchen_name: str | None
    grade: CanteenGrade | None
    distance_m: int | None
    walk_minutes: int | None
    today: Mapping[str, Service]


@dataclass(frozen=True, slots=True)
class WholeCanteen:
    """One canteen with its week, its closed days from today on and, for those who oversee it, its inspections."""

    view: CanteenView
    hours: Sequence[CanteenHours]
    closed_days: Sequence[CanteenClosedDay]
    inspections: Sequence[CanteenAcceptance]


def find_canteens(session: Session, *, actor: Actor, wanted: CanteenFilter, part: Part) -> Slice[CanteenView]:
    """Canteens in one of ``canteen_orders``: usually nearest first, or without a place as they applied.

    Stewards and auditors see those in every state, everybody else those that are open or suspended. Raises Refused
    ``place_incomplete``.
    """
    must_be_near(wanted.latitude, wanted.longitude, wanted.within_m)
    policies = in_force(session, at=clock.now())
    distance: ColumnElement[Any] = cast(null(), Integer)
    query = _canteens().where(_visible(actor), *_wanted(wanted))
    if wanted.latitude is not None and wanted.longitude is not None:
        distance = distance_m(wanted.latitude, wanted.longitude)
        within = map_radius_m(policies) if wanted.within_m is None else wanted.within_m
        query = query.where(Canteen.latitude.is_not(None), distance <= within)
    found = slice_of(session, query.add_columns(distance), canteen_orders(wanted), part)
    return found.holding(_seen(session, found.items, policies))


def canteen_orders(wanted: CanteenFilter) -> Orders:
    """The orders that these canteens may be had in."""
    if wanted.latitude is None or wanted.longitude is None:
        return CANTEEN_ORDERS
    by = {**CANTEEN_ORDERS.by, "distance": distance_m(wanted.latitude, wanted.longitude)}
    return replace(CANTEEN_ORDERS, by=by, usual="distance")


def whole_canteen(session: Session, *, actor: Actor, canteen_id: UUID) -> WholeCanteen:
    """One canteen with all about it. Raises NotFound ``canteen_unknown``, also where the actor may not see it yet."""
    query = _canteens().where(Canteen.id == canteen_id, _visible(actor))
    rows = session.execute(query.add_columns(cast(null(), Integer))).all()
    if not rows:
        raise canteen_unknown(canteen_id)
    [view] = _seen(session, rows, in_force(session, at=clock.now()))
    closed = select(CanteenClosedDay).where(
        CanteenClosedDay.canteen_id == canteen_id, CanteenClosedDay.closed_on >= clock.today()
    )
    inspections = select(CanteenAcceptance).where(CanteenAcceptance.canteen_id == canteen_id)
    return WholeCanteen(
        view,
        hours_of(session, canteen_id),
        session.scalars(closed.order_by(CanteenClosedDay.closed_on, CanteenClosedDay.meal)).all(),
        session.scalars(inspections.order_by(CanteenAcceptance.inspected_at)).all() if _oversees(actor) else [],
    )


def grades_of(
    session: Session, *, canteen_id: UUID, actor: Actor, limit: int, before_year: int | None = None
) -> Sequence[CanteenGrade]:
    """The grades of a canteen, newest year first; those only proposed for stewards and auditors alone.

    Raises NotFound ``canteen_unknown``.
    """
    if session.scalar(select(Canteen.id).where(Canteen.id == canteen_id, _visible(actor))) is None:
        raise canteen_unknown(canteen_id)
    query = select(CanteenGrade).where(CanteenGrade.canteen_id == canteen_id)
    if not _oversees(actor):
        query = query.where(CanteenGrade.approved_at.is_not(None))
    if before_year is not None:
        query = query.where(CanteenGrade.year < before_year)
    return session.scalars(query.order_by(CanteenGrade.year.desc()).limit(limit)).all()


def distance_m(latitude: float, longitude: float) -> ColumnElement[int]:
    """Whole metres from a place to a canteen as the crow flies, NULL where it has no place."""
    return metres_from(latitude, longitude, north=Canteen.latitude, east=Canteen.longitude)


def _canteens() -> Select[Canteen, Organisation, str, CanteenGrade]:
    """Canteens with organisation, the name of their kitchen, and the newest approved grade."""
    newest = (
        select(func.max(CanteenGrade.year))
        .where(CanteenGrade.canteen_id == Canteen.id, CanteenGrade.approved_at.is_not(None))
        .correlate(Canteen)
        .scalar_subquery()
    )
    return (
        select(Canteen, Organisation, _KitchenName.name, CanteenGrade)
        .join(Organisation, Organisation.id == Canteen.id)
        .outerjoin(_KitchenName, _KitchenName.id == Canteen.kitchen_id)
        .outerjoin(CanteenGrade, and_(CanteenGrade.canteen_id == Canteen.id, CanteenGrade.year == newest))
    )


def _oversees(actor: Actor) -> bool:
    return actor.is_steward or actor.staff_role is StaffRole.AUDITOR


def _visible(actor: Actor) -> ColumnElement[bool]:
    if _oversees(actor):
        return true()
    shown = Canteen.state.in_([CanteenState.OPEN, CanteenState.SUSPENDED])
    # Whoever works there sees it before it opens.
    return or_(shown, Canteen.id == actor.organisation_id) if actor.organisation_id is not None else shown


def _wanted(wanted: CanteenFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.township_code is not None:
        conditions.append(Organisation.township_code == wanted.township_code)
    if wanted.canteen_type is not None:
        conditions.append(Canteen.canteen_type == wanted.canteen_type)
    if wanted.state is not None:
        conditions.append(Canteen.state == wanted.state)
    if wanted.meal is not None:
        conditions.append(_serves_today(wanted.meal))
    return conditions


def _serves_today(meal: str) -> ColumnElement[bool]:
    """The same as ``services_on`` says, as a condition."""
    today = clock.today()
    hours = select(CanteenHours.meal).where(
        CanteenHours.canteen_id == Canteen.id, CanteenHours.weekday == today.isoweekday(), CanteenHours.meal == meal
    )
    closed = select(CanteenClosedDay.meal).where(
        CanteenClosedDay.canteen_id == Canteen.id,
        CanteenClosedDay.closed_on == today,
        CanteenClosedDay.meal.in_(["", meal]),
    )
    kitchen = select(_Kitchen.id).where(_Kitchen.id == Canteen.kitchen_id, _Kitchen.state == CanteenState.OPEN)
    cooked = or_(Canteen.kitchen_id.is_(None), kitchen.exists())
    return and_(Canteen.state == CanteenState.OPEN, cooked, hours.exists(), ~closed.exists())


def _seen(session: Session, rows: Sequence[Any], policies: PolicyBook) -> list[CanteenView]:
    today = clock.today()
    served = services_on(session, [(row[0].id, today, str(meal)) for row in rows for meal in Meal])
    views = []
    for canteen, organisation, kitchen_name, grade, distance in rows:
        pace = policies.whole("walking_m_per_minute", organisation.township_code)
        found = {str(meal): served[canteen.id, today, str(meal)] for meal in Meal}
        views.append(
            CanteenView(
                canteen,
                organisation,
                kitchen_name,
                grade,
                distance,
                walk_minutes(distance, pace) if distance is not None else None,
                {meal: one for meal, one in found.items() if isinstance(one, Service)},
            )
        )
    return views
