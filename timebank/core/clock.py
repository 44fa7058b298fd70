"""The bank's clock 时钟: the only source of "now" for everything that is written down.

Two clocks, because they answer two questions. ``now()`` is the bank's time: it dates transfers, decides what
has expired, and may be moved forward in development and set in tests. ``machine_now()`` is the machine's
time: tokens and login throttles use it, so that moving the bank's time signs nobody out.

A moved clock is an offset in one small file, so that every process of the same bank sees it at once; where no
file was named (production) no file is ever looked at.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Shanghai")


class _Clock:
    def __init__(self) -> None:
        self.frozen: datetime | None = None
        self.file: Path | None = None
        self.offset = timedelta()
        self.file_seen: tuple[int, int] | None = None


_clock = _Clock()


def machine_now() -> datetime:
    """The machine's time, in UTC; never moved by anybody but the operating system."""
    return datetime.now(UTC)


def now() -> datetime:
    """The bank's time, in UTC, with microseconds."""
    if _clock.frozen is not None:
        return _clock.frozen
    return machine_now() + _current_offset()


def today() -> date:
    """The bank's calendar day in Fenghua (Asia/Shanghai)."""
    return local_date(now())


def local_date(moment: datetime) -> date:
    """The calendar day in Fenghua on which ``moment`` falls."""
    return moment.astimezone(LOCAL).date()


def day_start(day: date) -> datetime:
    """The first moment of a calendar day in Fenghua."""
    return datetime(day.year, day.month, day.day, tzinfo=LOCAL)


def freeze(moment: datetime | None) -> None:
    """Hold the bank's time at ``moment`` for tests; ``None`` lets it run again."""
    _clock.frozen = moment


def movable_by(file: Path | None) -> None:
    """Let the clock be moved by the offset kept in ``file``; ``None`` nails it to the machine's time."""
    _clock.file, _clock.offset, _clock.file_seen = file, timedelta(), None


def move_to(moment: datetime) -> datetime:
    """Move the bank's time forward to ``moment``, from where it goes on running, in every process of this bank.

    Raises ValueError where the clock is not movable or ``moment`` lies before the bank's present time.
    """
    if _clock.file is None:
        raise ValueError("this clock cannot be moved")
    if moment < now():
        raise ValueError("the clock moves forward only")
    offset = moment - machine_now()
    draft = _clock.file.with_name(f"{_clock.file.name}.{os.getpid()}")
    draft.write_text(str(offset // timedelta(microseconds=1)))
    draft.replace(_clock.file)
    return now()


def _current_offset() -> timedelta:
    if _clock.file is None:
        return timedelta()
    try:
        found = _clock.file.stat()
    except FileNotFoundError:
        return timedelta()
    seen = (found.st_mtime_ns, found.st_ino)
    if seen != _clock.file_seen:
        _clock.offset = timedelta(microseconds=int(_clock.file.read_text()))
        _clock.file_seen = seen
    return _clock.offset
