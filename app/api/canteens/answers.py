"""A canteen as the doors answer it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.canteens.network.models import CanteenClosedDay, CanteenHours
from timebank.canteens.network.rules import (
    CARRIER_NAMES,
    STATE_NAMES,
    TYPE_NAMES,
    CanteenState,
    CanteenType,
    Carrier,
)
from timebank.canteens.network.views import CanteenView, WholeCanteen, whole_canteen
from timebank.canteens.pricing.rules import MEAL_NAMES, Meal
from timebank.core.actors import Actor

_ON_A_LIST = (
    *("number", "canteen_type", "state", "address", "phone", "latitude", "longitude", "carrier", "kitchen_id"),
)
_OF_THE_WHOLE = (
    *("state_reason", "applied_at", "applied_by_name", "accepted_at", "opened_at", "suspended_at", "closed_at"),
)


def canteen_item(view: CanteenView) -> dict[str, Any]:
    """A canteen in a list."""
    canteen = view.canteen
    return {
        "canteen_id": canteen.id,
        "name": view.organisation.name,
        "township_code": view.organisation.township_code,
        "type_name": TYPE_NAMES[CanteenType(canteen.canteen_type)],
        "state_name": STATE_NAMES[CanteenState(canteen.state)],
        "carrier_name": CARRIER_NAMES[Carrier(canteen.carrier)],
        "kitchen_name": view.kitchen_name,
        "grade": view.grade.grade if view.grade is not None else None,
        "grade_year": view.grade.year if view.grade is not None else None,
        "distance_m": view.distance_m,
        "walk_minutes": view.walk_minutes,
        "meals_today": [
            {
                "meal": meal,
                "meal_name": MEAL_NAMES[Meal(meal)],
                "opens_at": served.opens_at,
                "closes_at": served.closes_at,
                "capacity_meals": served.capacity_meals,
            }
            for meal, served in view.today.items()
        ],
        **{name: getattr(canteen, name) for name in _ON_A_LIST},
    }


def canteen_now(session: Session, actor: Actor, canteen_id: UUID) -> dict[str, Any]:
    """A canteen with all about it, as it stands after whatever was done."""
    return whole_item(whole_canteen(session, actor=actor, canteen_id=canteen_id))


def whole_item(whole: WholeCanteen) -> dict[str, Any]:
    """A canteen with all about it."""
    return {
        **canteen_item(whole.view),
        **{name: getattr(whole.view.canteen, name) for name in _OF_THE_WHOLE},
        "hours": [_hours(one) for one in whole.hours],
        "closed_days": [_closed_day(one) for one in whole.closed_days],
        "inspections": whole.inspections,
    }


def _hours(one: CanteenHours) -> dict[str, Any]:
    named = {name: getattr(one, name) for name in ("weekday", "meal", "opens_at", "closes_at", "capacity_meals")}
    return {**named, "meal_name": MEAL_NAMES[Meal(one.meal)]}


def _closed_day(one: CanteenClosedDay) -> dict[str, Any]:
    return {"closed_on": one.closed_on, "meal": one.meal or None, "reason": one.reason}
