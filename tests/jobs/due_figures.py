"""What waits to be summed up, and a month that has ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.clearing import eat
from tests.factories.minutes import save_minutes
from tests.factories.people import DAYAN, XIWU, add_elder
from timebank.core import clock
from timebank.core.db import Database
from timebank.supervision.figures.models import FigureDay, FigureMonth

Look = Callable[[Session], object]


def eaten_and_not_summed_up(bank: Database) -> Look:
    """One meal at a canteen of 大堰."""
    eat(bank, DAYAN)
    wanted = select(FigureDay.day, FigureDay.amount).where(FigureDay.key == "vouchers_used")
    return lambda session: [(f"{day:%m-%d}", amount) for day, amount in session.execute(wanted)]


def saved_last_month(bank: Database) -> Look:
    """Savings of a month that is over."""
    now = clock.now()
    clock.freeze(now - timedelta(days=20))
    with bank.unit_of_work() as session:
        save_minutes(session, add_elder(session, XIWU), 90)
    clock.freeze(now)
    wanted = select(FigureMonth.month, FigureMonth.key, FigureMonth.amount).order_by(FigureMonth.key)
    return lambda session: [(f"{month:%Y-%m}", key, amount) for month, key, amount in session.execute(wanted)]
