"""Keeping figures: summing transfers up by day, and keeping what stood at the end of each month.

Days only save time: whatever has not been summed up yet is read from the transfers themselves. The end of a month is
kept since nobody can say later who was enrolled where; what happened in the month can always be reckoned again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.ledger.actions import settled_seq
from timebank.ledger.models import Transfer
from timebank.supervision.figures.models import FigureMark, FigureMonth
from timebank.supervision.figures.queries.months import end_of_month
from timebank.supervision.figures.rules import next_month
from timebank.supervision.figures.statements import ADD_DAYS
from timebank.townships.queries import townships

GRACE = timedelta(hours=1)
"""How long after its end a month is closed: what was begun before midnight has ended by then."""

_CLOSING_LOCK = 0x7B00F


def sum_up_days(session: Session) -> int:
    """Sum up what is settled and not in the table of days yet; answers how many sequence numbers that were.

    Nothing is done where another process is at it, or where somebody posts for very long.
    """
    mark = session.scalar(select(FigureMark).with_for_update(skip_locked=True))
    upto = settled_seq(session) if mark is not None else None
    if mark is None or upto is None or upto <= mark.upto_seq:
        return 0
    since = mark.upto_seq
    session.execute(ADD_DAYS, {"since": since, "upto": upto})
    mark.upto_seq = upto
    session.flush()
    return upto - since


def months_to_close(session: Session, *, limit: int) -> Sequence[date]:
    """Months that have ended and are not kept yet, the earliest first, from that of the first transfer on."""
    ended = clock.local_date(clock.now() - GRACE).replace(day=1)
    last = session.scalar(select(func.max(FigureMonth.month)))
    if last is not None:
        month = next_month(last)
    else:
        begun = session.scalar(select(Transfer.recorded_at).order_by(Transfer.seq).limit(1))
        month = clock.local_date(begun).replace(day=1) if begun is not None else ended
    months: list[date] = []
    while month < ended and len(months) < limit:
        months.append(month)
        month = next_month(month)
    return months


def close_month(session: Session, *, month: date) -> int:
    """Keep what stood at the end of a month and what was counted in it, once; answers how many figures that were."""
    session.execute(select(func.pg_advisory_xact_lock(_CLOSING_LOCK)))
    if session.scalar(select(exists().where(FigureMonth.month == month))):
        return 0
    found = end_of_month(session, month)
    now = clock.now()
    # One of them at least, also where nothing happened: that is how one knows that a month was closed.
    found = found or {(township.code, "elders"): 0 for township in townships(session)}
    session.add_all(
        FigureMonth(month=month, township_code=code, key=key, amount=amount, closed_at=now)
        for (code, key), amount in found.items()
    )
    session.flush()
    return len(found)
