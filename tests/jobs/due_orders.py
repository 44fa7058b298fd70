"""What is due for the jobs of orders, and how to see what they have made of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories.orders import Kitchen, a_diner, a_kitchen
from tests.factories.people import XIWU, steward
from timebank.canteens.network.actions import add_closed_days
from timebank.canteens.orders.actions import StandingWanted, place_order, set_standing_order
from timebank.canteens.orders.models import MealOrder, StandingOrderDay
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.notifications.models import Notice
from timebank.people.models import Person

Look = Callable[[Session], object]


def standing_for_tomorrow(bank: Database) -> Look:
    """A standing order for tomorrow's lunch, whose cut-off is less than a day away."""
    with bank.unit_of_work() as session:
        kitchen, diner = _tomorrows(session)
        wanted = StandingWanted(
            canteen_id=kitchen.canteen.id,
            meal=Meal.LUNCH,
            weekdays=[kitchen.day.isoweekday()],
            way=Way.EAT_IN,
            choice="love_meal",
            use_vouchers=False,
            starts_on=kitchen.day,
        )
        set_standing_order(session, actor=diner, wanted=wanted)
    clock.freeze(clock.now() + timedelta(hours=1))
    made = select(StandingOrderDay.refusal_code, MealOrder.state, MealOrder.source).outerjoin(MealOrder)
    return lambda session: [tuple(row) for row in session.execute(made)]


def ordered_for_a_closed_day(bank: Database) -> Look:
    """A lunch of tomorrow, on which the canteen has closed since."""
    with bank.unit_of_work() as session:
        kitchen, diner = _tomorrows(session)
        place_order(session, actor=diner, wanted=kitchen.lunch(diner))
        days = {"first_on": kitchen.day, "last_on": kitchen.day}
        add_closed_days(session, actor=steward(XIWU), canteen_id=kitchen.canteen.id, reason="停水", **days)
    return _states_and_notices


def ordered_and_left(bank: Database) -> Look:
    """A lunch of tomorrow, ordered by somebody who was reported dead before its cut-off, which has come."""
    with bank.unit_of_work() as session:
        kitchen, diner = _tomorrows(session)
        order = place_order(session, actor=diner, wanted=kitchen.lunch(diner))
        session.get_one(Person, diner.person()).death_reported_at = clock.now()
    clock.freeze(order.cut_off_at)
    return _states_and_notices


def _tomorrows(session: Session) -> tuple[Kitchen, Actor]:
    kitchen = a_kitchen(session, township_code=XIWU)
    kitchen.day += timedelta(days=1)
    return kitchen, a_diner(session)


def _states_and_notices(session: Session) -> object:
    told = select(func.count()).select_from(Notice).where(Notice.title == "订餐已取消")
    return session.scalars(select(MealOrder.state)).all(), session.scalar(told)
