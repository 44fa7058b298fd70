"""What is due for the jobs of aids, and how to see what they have made of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories.aids import days_pass, lent, reserved
from timebank.core import clock
from timebank.core.db import Database
from timebank.ledger.models import Hold
from timebank.notifications.models import Notice
from timebank.redemption.aids.models import AidCharge, AidLoan

Look = Callable[[Session], object]


def reserved_and_not_collected(bank: Database) -> Look:
    """A reservation whose hours are over."""
    _, loan = reserved(bank)
    clock.freeze(loan.reserved_until + timedelta(seconds=1))
    held = select(func.count()).select_from(Hold).where(Hold.state == "placed")
    return lambda session: (session.get_one(AidLoan, loan.id).status, session.scalar(held))


def lent_today(bank: Database) -> Look:
    """A loan whose first day has begun."""
    lent(bank)
    charged, held = select(AidCharge.minutes), select(func.sum(Hold.amount)).where(Hold.state == "placed")
    return lambda session: (session.scalars(charged).all(), session.scalar(held))


def due_back_four_days_ago(bank: Database) -> Look:
    """A loan that is overdue, of which nobody was ever told."""
    lent(bank, days=2)
    days_pass(5)
    told = select(Notice.audience).where(Notice.title.in_(["请归还辅具", "辅具逾期未还"])).order_by(Notice.audience)
    return lambda session: session.scalars(told).all()
