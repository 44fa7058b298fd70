"""Reading when a service began and ended 服务时间: ``08:30～10:00`` and its many relatives."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from timebank.people.widths import half_width, without_blanks

_BEFORE = "上午|早上|清晨|凌晨|中午|下午|傍晚|晚上|am|pm"
_AFTERNOON = frozenset({"下午", "傍晚", "晚上", "pm"})
_CLOCK = (
    rf"(?P<before>{_BEFORE})?"
    r"(?:(?P<compact>[0-9]{4})"
    r"|(?P<hour>[0-9]{1,2})"
    r"(?:[:.](?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?"
    r"|[点时](?:整|(?P<half>半)|(?P<quarter>[一三])刻|(?P<spoken>[0-9]{1,2})分?)?)?)"
    r"(?P<after>am|pm)?"
)
_BARE_CLOCK = re.compile(_CLOCK)
_DIVIDER = re.compile(r"(?:[~〜∼～\-‐‑‒–—―−]|至|到)+")  # noqa: RUF001 - every dash that has been seen
_ASIDE = re.compile(r"\([^()]*\)$")

_Parts = dict[str, str | None]


def read_span(value: object) -> tuple[time, time]:
    """Beginning and end as clock times; ``value`` is one cell, or a pair of cells where the sheet has two columns.

    An afternoon mark before the beginning (下午2:00-4:00) or an English one after the end (2:00-4:00 PM) goes for
    both. Says nothing of their order. Raises ValueError for everything unreadable, 24:00 included.
    """
    if isinstance(value, tuple) and len(value) == 2:
        start, end = value
        if isinstance(start, str) and isinstance(end, str):
            return read_span(f"{start}~{end}")
        return read_clock(start), read_clock(end)
    if not isinstance(value, str):
        raise ValueError("服务时间无法识别")
    text = _ASIDE.sub("", _plain(value)).removeprefix("从").removeprefix("自")
    pieces = _DIVIDER.split(text)
    if len(pieces) != 2:
        raise ValueError("服务时间应写明起止，如 08:30-10:00")
    start_parts, end_parts = (_parts(piece) for piece in pieces)
    if _is_bare(end_parts) or (_is_bare(start_parts) and not re.search("[点时]", pieces[1])):
        raise ValueError("服务时间应写到分钟，如 08:30-10:00")  # 8-10 may as well be the eighth of October
    return _both(start_parts, end_parts)


def read_clock(value: object) -> time:
    """One clock time from a time cell, a fraction of a day, or text. Raises ValueError."""
    if isinstance(value, datetime):
        return _to_the_second(timedelta(hours=value.hour, minutes=value.minute, seconds=value.second))
    if isinstance(value, time):
        return value.replace(microsecond=0, tzinfo=None)
    if isinstance(value, timedelta):
        return _to_the_second(value)
    if isinstance(value, float) and 0 <= value < 1:
        return _to_the_second(timedelta(days=value))
    if isinstance(value, str):
        parts = _parts(_plain(value))
        if not _is_bare(parts):
            return _time(parts, parts["before"] or parts["after"])
    raise ValueError("服务时间无法识别")


def _plain(value: str) -> str:
    text = without_blanks(half_width(value)).lower().replace("\N{RATIO}", ":")
    return text.replace("a.m.", "am").replace("p.m.", "pm")


def _parts(piece: str) -> _Parts:
    found = _BARE_CLOCK.fullmatch(piece)
    if found is None:
        raise ValueError("服务时间无法识别")
    return found.groupdict() | {"written": piece}


def _is_bare(parts: _Parts) -> bool:
    written = parts["written"] or ""
    return parts["hour"] is not None and written.isdecimal()


def _both(start: _Parts, end: _Parts) -> tuple[time, time]:
    start_mark, end_mark = start["before"] or start["after"], end["before"] or end["after"]
    if end_mark is None and (start_mark in _AFTERNOON or start_mark == "中午"):
        end_mark = "中午" if start_mark == "中午" else "pm"
    ended = _time(end, end_mark)
    if start_mark is None and end["after"]:
        # "2:00-4:00 PM" is all afternoon, "10:00-1:00 PM" begins in the morning.
        marked = _time(start, end["after"])
        return (marked if marked < ended else _time(start, None)), ended
    return _time(start, start_mark), ended


def _time(parts: _Parts, mark: str | None) -> time:
    if parts["compact"]:
        hour, minute = divmod(int(parts["compact"]), 100)
    else:
        hour, minute = int(parts["hour"] or 0), _minute(parts)
    return time(_hour_of_day(hour, mark), minute, int(parts["second"] or 0))


def _minute(parts: _Parts) -> int:
    if parts["half"]:
        return 30
    if parts["quarter"]:
        return 15 if parts["quarter"] == "一" else 45
    return int(parts["minute"] or parts["spoken"] or 0)


def _hour_of_day(hour: int, mark: str | None) -> int:
    if mark == "am":
        if hour > 12:
            raise ValueError("服务时间的上午、下午与钟点不符")
        return hour % 12
    if mark == "pm" and hour == 12:
        return 12
    if mark == "晚上" and hour == 12:
        return 24  # midnight: no clock time of this day, refused by time()
    if mark in _AFTERNOON and hour < 12:
        return hour + 12
    if mark == "中午" and hour < 11:
        return hour + 12
    return hour


def _to_the_second(elapsed: timedelta) -> time:
    # Fractions of a day do not fall on whole seconds: 08:30 is kept as 0.354166…
    seconds = round(elapsed.total_seconds())
    if not 0 <= seconds < 86_400:
        raise ValueError("服务时间超出一天")
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60)
