"""The monthly bulletin 月报: the figures of a month, townships side by side, and how each was reckoned.

What was moved belongs to the month in which it was recorded, never to an earlier one: a service of October that was
entered in November stands in November's bulletin. So nothing that is recorded later changes the bulletin of a month
that has ended, and a reversal counts against the month in which it was made. What stood at a month's end, and what was
counted in it, is kept when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.errors import NotFound
from timebank.ledger.models import Transfer
from timebank.redemption.care.rules import month_start
from timebank.supervision.figures.models import FigureMonth
from timebank.supervision.figures.queries.dashboards import summed
from timebank.supervision.figures.queries.months import (
    Amounts,
    end_of_month,
    kept_of,
    moved_in,
    of_running_month,
    running_month,
)
from timebank.supervision.figures.rules import (
    FIGURES,
    HEAD_KEYS,
    MOVED_KEYS,
    SECTION_NAMES,
    Figure,
    month_name,
    months_before,
    next_month,
)
from timebank.townships.queries import township_names

OF_THE_DISTRICT = "区级账簿"
"""What belongs to no township: money given to the district's pot."""


@dataclass(frozen=True, slots=True)
class BulletinMonth:
    """A month that has a bulletin; ``is_final`` once it was closed."""

    month: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One township's part of a figure; the code is empty for the district's own book."""

    township_code: str
    township_name: str
    amount: int


@dataclass(frozen=True, slots=True)
class BulletinLine:
    """One figure: the month's amount, that of the month before (None where it was not kept), and its parts."""

    key: str
    label: str
    section: str
    section_name: str
    unit: str
    counted: str
    how: str
    amount: int
    before_amount: int | None
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Bulletin:
    """A month's bulletin; ``status``: ``running``, ``ended`` (its end is not kept yet) or ``final``.

    How many people served and ate is counted once a month has ended; while it runs, those lines are not there.
    """

    month: str
    township_code: str | None
    township_name: str | None
    status: str
    begins_at: datetime
    ends_at: datetime
    as_of: datetime
    closed_at: datetime | None
    lines: Sequence[BulletinLine]


def bulletins(session: Session) -> list[BulletinMonth]:
    """Months that have a bulletin, the running one first, back to that of the first transfer."""
    begun = session.scalar(select(Transfer.recorded_at).order_by(Transfer.seq).limit(1))
    first = clock.local_date(begun).replace(day=1) if begun is not None else running_month()
    closed = set(session.scalars(select(FigureMonth.month).distinct()))
    found, month = [], running_month()
    while month >= first:
        found.append(BulletinMonth(month_name(month), month in closed))
        month = months_before(month, 1)
    return found


def bulletin(session: Session, *, month: str, township_code: str | None) -> Bulletin:
    """The bulletin of a month. The caller has judged who may see it.

    Raises Refused ``month_invalid``; NotFound ``bulletin_not_yet`` for a month that has not begun.
    """
    begins_at = month_start(month)
    first = begins_at.date()
    if first > running_month():
        raise NotFound("bulletin_not_yet", "这个月还没有开始", month=month)
    before = months_before(first, 1)
    moved = moved_in(session, before, next_month(first), township_code)
    kept = kept_of(session, before, next_month(first), township_code)
    closed_at = session.scalar(select(func.max(FigureMonth.closed_at)).where(FigureMonth.month == first))
    stood, status = _stood(session, first, kept.get(first), township_code)
    this = {**moved.get(first, {}), **stood}
    last = {**moved.get(before, {}), **kept.get(before, {})}
    names = township_names(session)
    shown = names if township_code is None else {township_code: names[township_code]}
    return Bulletin(
        month=month,
        township_code=township_code,
        township_name=names[township_code] if township_code is not None else None,
        status=status,
        begins_at=begins_at,
        ends_at=clock.day_start(next_month(first)),
        as_of=closed_at if closed_at is not None else clock.now(),
        closed_at=closed_at,
        lines=[
            _line(figure, this, last, shown, before in kept)
            for figure in FIGURES.values()
            if status != "running" or figure.key not in HEAD_KEYS
        ],
    )


def _stood(session: Session, first: date, kept: Amounts | None, township_code: str | None) -> tuple[Amounts, str]:
    if first == running_month():
        return of_running_month(session, township_code), "running"
    if kept is not None:
        return kept, "final"
    return end_of_month(session, first, township_code), "ended"


def _line(figure: Figure, this: Amounts, last: Amounts, names: Mapping[str, str], last_is_kept: bool) -> BulletinLine:
    parts = [Part(code, name, this.get((code, figure.key), 0)) for code, name in sorted(names.items())]
    own = {code for code, key in this if key == figure.key} - set(names)
    parts += [Part("", OF_THE_DISTRICT, this[code, figure.key]) for code in sorted(own)]
    was = summed(last.items()).get(figure.key, 0)
    return BulletinLine(
        figure.key,
        figure.label,
        section=figure.section,
        section_name=SECTION_NAMES[figure.section],
        unit=figure.unit,
        counted=figure.counted,
        how=figure.how,
        amount=sum(part.amount for part in parts),
        before_amount=was if last_is_kept or figure.key in MOVED_KEYS else None,
        parts=parts,
    )
