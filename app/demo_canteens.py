"""The two canteens of the demo: open, with hours for lunch and supper, on the map, carried by volunteers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.network import actions
from timebank.canteens.network.actions import Application, Inspection, Particulars
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.queries import hours_of
from timebank.canteens.network.rules import CanteenType, Carrier, MealHours
from timebank.canteens.pricing.rules import Meal
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.policies.queries import in_force
from timebank.townships.models import Organisation

XIWU, DAYAN = "330213004", "330213107"
_LUNCH, _SUPPER = (time(10, 30), time(12, 30)), (time(16, 30), time(18, 30))


@dataclass(frozen=True, slots=True)
class DemoCanteen:
    """A canteen with how many meals it serves at a time."""

    name: str
    township_code: str
    canteen_type: CanteenType
    address: str
    phone: str
    latitude: float
    longitude: float
    capacity_meals: int

    @property
    def particulars(self) -> Particulars:
        """Where it is and who carries its meals; it cooks itself."""
        return Particulars(self.address, self.phone, Carrier.VOLUNTEERS, self.latitude, self.longitude)


CANTEENS = {
    "canteen-xiwu": DemoCanteen(
        "西坞街道中心食堂", XIWU, CanteenType.CENTRAL, "西坞街道西坞村", "0574-88530001", 29.6899, 121.4706, 200
    ),
    "canteen-dayan": DemoCanteen(
        "大堰镇老年食堂", DAYAN, CanteenType.VILLAGE, "大堰镇大堰村", "0574-88660001", 29.5246, 121.2631, 80
    ),
}
"""By the name of the clerk's login."""


def demo_canteen(session: Session, seeder: Actor, demo: DemoCanteen) -> UUID:
    """The canteen, opened where it is not there yet; one from before it had hours gets them and its place."""
    known = session.scalar(select(Organisation.id).where(Organisation.name == demo.name))
    if known is None:
        return _opened(session, seeder, demo)
    if session.get(Canteen, known) is not None and not hours_of(session, known):
        actions.change(session, actor=seeder, canteen_id=known, particulars=demo.particulars)
        _set_hours(session, seeder, demo, known)
    return known


def _opened(session: Session, seeder: Actor, demo: DemoCanteen) -> UUID:
    form = Application(demo.name, demo.township_code, demo.canteen_type, demo.particulars)
    canteen_id = actions.apply(session, actor=seeder, form=form).id
    points = in_force(session, at=clock.now()).value("canteen_acceptance_points")
    found = Inspection(dict.fromkeys(points, True), clock.today(), seeder.name)
    actions.accept(session, actor=seeder, canteen_id=canteen_id, found=found)
    _set_hours(session, seeder, demo, canteen_id)
    actions.open_canteen(session, actor=seeder, canteen_id=canteen_id)
    return canteen_id


def _set_hours(session: Session, seeder: Actor, demo: DemoCanteen, canteen_id: UUID) -> None:
    week = [
        MealHours(day, meal, *hours, demo.capacity_meals)
        for day in range(1, 8)
        for meal, hours in ((Meal.LUNCH, _LUNCH), (Meal.SUPPER, _SUPPER))
    ]
    actions.set_hours(session, actor=seeder, canteen_id=canteen_id, week=week)
