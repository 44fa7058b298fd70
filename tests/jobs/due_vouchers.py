"""Vouchers about to expire, and people whom no clerk can find yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from tests.factories.vouchers import bought
from timebank.core import clock
from timebank.core.db import Database
from timebank.notifications.models import Notice
from timebank.people.models import Person

Look = Callable[[Session], object]


def about_to_expire(bank: Database) -> Look:
    """Two vouchers of one person, good for three more days."""
    holder, vouchers = bought(bank, 2)
    clock.freeze(vouchers[0].expires_at - timedelta(days=3))
    told = select(func.count()).select_from(Notice).where(Notice.person_id == holder.person_id)
    return lambda session: session.scalar(told)


def entered_before_the_index(bank: Database) -> Look:
    """Somebody of whom name and last four are not indexed."""
    holder, _ = bought(bank)
    with bank.unit_of_work() as session:
        session.execute(text("UPDATE person SET name_last4_index = NULL"))
    index = select(func.length(Person.name_last4_index)).where(Person.id == holder.person_id)
    return lambda session: session.scalar(index)
