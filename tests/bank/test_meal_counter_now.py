"""The meal that a counter's clerk means without saying so is one that this canteen serves."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from tests.factories.orders import MORNING, a_kitchen, at_hour
from timebank.canteens.counter.views import meal_now
from timebank.canteens.network.models import CanteenHours
from timebank.canteens.network.queries import organisation_of
from timebank.core import clock
from timebank.core.db import Database


def test_where_no_breakfast_is_served_early_in_the_day_lunch_is_meant(bank: Database) -> None:
    clock.freeze(MORNING)
    with bank.unit_of_work() as session:
        place = organisation_of(session, a_kitchen(session).canteen.id)
        clock.freeze(at_hour(8))
        assert meal_now(session, place) == "breakfast"
        of_here = CanteenHours.canteen_id == place.id
        session.execute(delete(CanteenHours).where(of_here, CanteenHours.meal == "breakfast"))
        assert meal_now(session, place) == "lunch"
        clock.freeze(at_hour(20))
        assert meal_now(session, place) == "supper"


def test_on_a_day_without_a_meal_the_districts_meal_times_tell(bank: Database) -> None:
    clock.freeze(MORNING)
    with bank.unit_of_work() as session:
        place = organisation_of(session, a_kitchen(session).canteen.id)
        session.execute(delete(CanteenHours).where(CanteenHours.canteen_id == place.id))
        clock.freeze(at_hour(8))
        assert meal_now(session, place) == "breakfast"
        clock.freeze(at_hour(8) + timedelta(hours=4))
        assert meal_now(session, place) == "lunch"
