"""What is due for the counter's job, and how to see what it has made of it."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from tests.factories.orders import LOVE, MORNING, a_diner, a_kitchen, placed, purse_of
from tests.factories.purses import lunch_is_over
from timebank.canteens.orders.models import MealOrder
from timebank.core import clock
from timebank.core.db import Database

Look = Callable[[Session], object]


def ordered_and_not_collected(bank: Database) -> Look:
    """A lunch that nobody came for, an hour after the meal."""
    clock.freeze(MORNING)
    with bank.unit_of_work() as session:
        diner = a_diner(session)
        order = placed(session, a_kitchen(session), diner, LOVE)
    lunch_is_over()
    return lambda session: (session.get_one(MealOrder, order.id).state, purse_of(session, diner))
