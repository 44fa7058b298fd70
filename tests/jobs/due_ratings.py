"""What is due for the job that draws whom to call back, and how to see what it has made of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories.ratings import eaten_lunch
from timebank.canteens.ratings.models import FollowUp, FollowUpDraw
from timebank.core import clock
from timebank.core.db import Database


def a_month_of_meals_has_ended(bank: Database) -> Callable[[Session], object]:
    """March is over; one diner of one township was served in it."""
    eaten_lunch(bank)
    clock.freeze(clock.day_start(date(2026, 4, 1)))
    drawn, called = select(FollowUpDraw.served_diners, FollowUpDraw.drawn), select(func.count()).select_from(FollowUp)
    return lambda session: ([tuple(row) for row in session.execute(drawn)], session.scalar(called))
