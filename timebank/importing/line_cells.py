"""Reading the cells of a township's own list 往来清单: minutes, hours, direction. Raises ValueError, nothing else."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from timebank.core.amounts import MAX_AMOUNT
from timebank.importing.cells import read_text
from timebank.people.widths import half_width, is_dash, without_blanks

OWED_TO_US, OWED_BY_US = 1, -1

_DIRECTIONS = {"应收": OWED_TO_US, "收": OWED_TO_US, "应付": OWED_BY_US, "付": OWED_BY_US}
_MINUTES = re.compile(r"(?P<sign>[+-]?)(?P<number>[0-9]{1,9}(?:\.[0-9]{1,15})?)(?:分钟|分)?")
_HOURS = re.compile(r"(?P<sign>[+-]?)(?P<hours>[0-9]{1,6}(?:\.[0-9]{1,20})?)(?:个?小时|时)?")
_HOURS_AND_MINUTES = re.compile(r"(?P<sign>[+-]?)(?:(?P<hours>[0-9]{1,6})(?:个?小时|时))?(?P<minutes>[0-9]{1,2})分钟?")
# A third of an hour is 0.333…, however many digits the sheet kept of it.
_NEARLY = Decimal("0.01")


def read_minutes(value: object) -> int:
    """A whole number of minutes, signed, not zero; ``60``, ``"-1,200"``, ``"60分钟"``."""
    found = _MINUTES.fullmatch(_plain(value))
    if found is None:
        raise ValueError("分钟数无法识别")
    return _signed(found["sign"], Decimal(found["number"]), tolerance=Decimal(0))


def read_hours(value: object) -> int:
    """Hours as whole minutes, signed, not zero: ``1.5``, ``"1小时30分钟"``, a cell formatted as ``[h]:mm``."""
    if isinstance(value, time):
        value = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)
    if isinstance(value, timedelta):
        sign = "-" if value < timedelta(0) else ""
        return _signed(sign, Decimal(abs(value) // timedelta(seconds=1)) / 60, tolerance=Decimal(0))
    text = _plain(value)
    found = _HOURS.fullmatch(text) or _HOURS_AND_MINUTES.fullmatch(text)
    if found is None:
        raise ValueError("时长无法识别")
    parts = found.groupdict()
    total = Decimal(parts["hours"] or 0) * 60 + int(parts.get("minutes") or 0)
    return _signed(found["sign"], total, tolerance=_NEARLY)


def read_direction(value: object) -> int:
    """1 for 应收, what others owe the township; -1 for 应付, what it owes."""
    words = without_blanks(half_width(read_text(value)))
    if words not in _DIRECTIONS:
        raise ValueError("应写明应收或应付")
    return _DIRECTIONS[words]


def read_transfer_id(value: object) -> UUID | None:
    """One of the bank's ids; None for an office's own numbering."""
    try:
        return UUID(without_blanks(half_width(read_text(value))))
    except ValueError:
        return None


def _plain(value: object) -> str:
    if isinstance(value, bool | datetime):
        raise ValueError("不是数量")
    text = without_blanks(half_width(read_text(value))).replace(",", "")
    return "".join("-" if is_dash(char) else char for char in text)


def _signed(sign: str, minutes: Decimal, *, tolerance: Decimal) -> int:
    whole = round(minutes)
    if abs(minutes - whole) > tolerance or not 0 < whole <= MAX_AMOUNT:
        raise ValueError("须为整分钟，且不为零")
    return -whole if sign == "-" else whole
