"""What is due for the job of monthly claims, and how to see what it has made of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.subsidies import GOVERNMENT_80, a_place, served
from timebank.canteens.subsidies.models import SubsidyClaim
from timebank.core import clock
from timebank.core.db import Database

Look = Callable[[Session], object]


def eaten_last_month(bank: Database) -> Look:
    """A meal of March that nobody has claimed, on the third of April."""
    place = a_place(bank)
    with bank.unit_of_work() as session:
        served(session, place, place.diner, GOVERNMENT_80, on=date(2026, 3, 10))
    clock.freeze(datetime(2026, 4, 3, 9, tzinfo=clock.LOCAL))
    query = select(SubsidyClaim.month, SubsidyClaim.state, SubsidyClaim.list_fen, SubsidyClaim.computed_by_name)
    return lambda session: [tuple(row) for row in session.execute(query)]
