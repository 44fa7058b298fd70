"""Canteens for tests: applied for, accepted on site, open with hours for every weekday and meal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from itertools import count
from uuid import UUID

from sqlalchemy.orm import Session

from tests.factories.people import XIWU, district, staff, steward
from timebank.canteens.network import actions
from timebank.canteens.network.actions import Application, Inspection, Particulars
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.rules import CanteenType, Carrier, MealHours
from timebank.canteens.pricing.rules import Meal
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.policies.queries import in_force

PERIODS = {
    Meal.BREAKFAST: (time(5, 30), time(9, 30)),
    Meal.LUNCH: (time(10), time(13, 30)),
    Meal.SUPPER: (time(16), time(19)),
}
"""From when to when each meal is served."""

_serials = count(1)


def whole_week(capacity: int = 100, meals: Sequence[Meal] = tuple(Meal)) -> list[MealHours]:
    """The same hours on every weekday."""
    return [MealHours(day, meal, *PERIODS[meal], capacity) for day in range(1, 8) for meal in meals]


def apply_for_canteen(
    session: Session,
    township_code: str = XIWU,
    *,
    name: str | None = None,
    carrier: str = Carrier.VOLUNTEERS,
    canteen_type: str = CanteenType.VILLAGE,
    kitchen_id: UUID | None = None,
    place: tuple[float | None, float | None] = (29.69, 121.47),
) -> Canteen:
    """A canteen that its township has applied for."""
    particulars = Particulars("老街1号", "0574-88511234", carrier, *place, kitchen_id)
    form = Application(name or f"老街{next(_serials)}号食堂", township_code, canteen_type, particulars)
    return actions.apply(session, actor=steward(township_code), form=form)


def all_in_order(session: Session) -> Inspection:
    """An inspection of today that found every point in order."""
    points = in_force(session, at=clock.now()).value("canteen_acceptance_points")
    return Inspection(dict.fromkeys(points, True), clock.today(), "应国强")


def accepted_canteen(session: Session, township_code: str = XIWU, *, capacity: int = 100, **how: object) -> Canteen:
    """A canteen accepted on site, with its number and hours, that has not opened yet."""
    applied = apply_for_canteen(session, township_code, **how)  # type: ignore[arg-type]
    actions.accept(session, actor=district(), canteen_id=applied.id, found=all_in_order(session))
    return actions.set_hours(session, actor=district(), canteen_id=applied.id, week=whole_week(capacity))


def open_canteen(
    session: Session,
    township_code: str = XIWU,
    *,
    name: str | None = None,
    capacity: int = 100,
    carrier: str = Carrier.VOLUNTEERS,
    canteen_type: str = CanteenType.VILLAGE,
    kitchen_id: UUID | None = None,
    place: tuple[float, float] = (29.69, 121.47),
) -> Canteen:
    """An open canteen that serves ``capacity`` of every meal on every weekday."""
    made = accepted_canteen(
        session,
        township_code,
        capacity=capacity,
        name=name,
        carrier=carrier,
        canteen_type=canteen_type,
        kitchen_id=kitchen_id,
        place=place,
    )
    return actions.open_canteen(session, actor=steward(township_code), canteen_id=made.id)


def canteen_clerk(canteen: Canteen) -> Actor:
    """A clerk of an accepted canteen."""
    assert canteen.number is not None
    return staff(StaffRole.CANTEEN_CLERK, canteen.number.partition("-")[0], canteen.id)
