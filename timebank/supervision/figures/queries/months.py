"""Figures of months by township: summed up from days, kept at their end, or reckoned for the running one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.supervision.figures.rules import next_month
from timebank.supervision.figures.statements import ENDED_MONTH, KEPT_MONTHS, MONTHS_MOVED, RUNNING_MONTH

Amounts = Mapping[tuple[str, str], int]
"""Amounts by book or township and key."""

ByMonth = dict[date, dict[tuple[str, str], int]]


def running_month() -> date:
    """The first day of the month that runs in Fenghua."""
    return clock.today().replace(day=1)


def moved_in(session: Session, first: date, after: date, township_code: str | None = None) -> ByMonth:
    """What was recorded in the months from ``first`` to before ``after``, in all books or one."""
    return _by_month(session, MONTHS_MOVED, first, after, township_code)


def kept_of(session: Session, first: date, after: date, township_code: str | None = None) -> ByMonth:
    """What was kept of these months when they ended; those that are not closed yet are not there."""
    return _by_month(session, KEPT_MONTHS, first, after, township_code)


def of_running_month(session: Session, township_code: str | None = None) -> Amounts:
    """What stands now, and was counted in the running month so far; no heads."""
    return _of_one(session, RUNNING_MONTH, running_month(), township_code)


def end_of_month(session: Session, month: date, township_code: str | None = None) -> Amounts:
    """What stood at the end of a month that has ended, as far as it is known now, and what was counted in it."""
    return _of_one(session, ENDED_MONTH, month, township_code)


def _by_month(session: Session, statement: TextClause, first: date, after: date, township_code: str | None) -> ByMonth:
    found: ByMonth = defaultdict(dict)
    for month, code, key, amount in session.execute(
        statement, {"first": first, "after": after, "township": township_code}
    ):
        found[month][code, key] = amount
    return found


def _of_one(session: Session, statement: TextClause, month: date, township_code: str | None) -> Amounts:
    after = next_month(month)
    asked: dict[str, Any] = {
        "first": month,
        "after": after,
        "begin": clock.day_start(month),
        "end": clock.day_start(after),
        "township": township_code,
    }
    return {(code, key): amount for code, key, amount in session.execute(statement, asked)}
