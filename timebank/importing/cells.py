"""Reading one cell of an office's workbook 单元格: text, identity numbers and days. Raises ValueError, nothing else."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta

from timebank.people import id_numbers
from timebank.people.widths import half_width, without_blanks

# What a formula that failed leaves behind: as good as an empty cell.
_ERROR_VALUES = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"})
# A double holds 15 decimal digits safely; a longer number has lost its tail.
_SAFE_NUMBER = 10**15

# Nothing recorded here was served before 2000: an earlier day is a slip (a 9 in a date cell is 9 January 1900).
_EARLIEST_DAY = date(2000, 1, 1)
_SERIAL_ORIGIN = date(1899, 12, 30)
_LAST_SERIAL = 2_958_465
_CLOCK_TAIL = re.compile(r"[\sT]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?$")
_WEEKDAY = r"(?:\(?(?:星期|周|礼拜)[一二三四五六日天]\)?)?"
_FULL_DAY = re.compile(
    r"(?P<year>[1-9][0-9]{3})(?:年|[-./])(?P<month>[0-9]{1,2})(?:月|[-./])(?P<day>[0-9]{1,2})[日号]?" + _WEEKDAY
)
_SHORT_DAY = re.compile(r"(?P<month>[0-9]{1,2})(?:月|[-./])(?P<day>[0-9]{1,2})[日号]?" + _WEEKDAY)
_COMPACT_DAY = re.compile(r"(?P<year>[12][0-9]{3})(?P<month>[0-9]{2})(?P<day>[0-9]{2})")
_SERIAL = re.compile(r"[0-9]{5,7}(?:\.[0-9]+)?")


def read_text(value: object) -> str:
    """A cell as trimmed text: "" for empty and failed cells, whole numbers without ".0", runs of blanks as one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time().isoformat() == "00:00:00" else f"{value:%Y-%m-%d %H:%M}"
    text = " ".join(str(value).split())
    return "" if text in _ERROR_VALUES else text


def read_name(value: object) -> str:
    """A person's name: the blank that lines up two-character names (王　芳) goes, one between Latin words stays.

    "" when there is no letter in it at all.
    """
    text = read_text(value)
    if not any(char.isalpha() for char in text):
        return ""
    return text if any("a" <= char.lower() <= "z" for char in text) else without_blanks(text)


def read_id_number(value: object) -> str:
    """An identity number tidied but not judged.

    A spreadsheet keeps 15 digits of a number, so one stored as a number has lost its tail. It is written as a
    floating number here and can never pass for valid, not even where its check digit agrees by chance.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(float(value)) if abs(value) < 1e300 else "inf"
    return id_numbers.tidy(read_text(value))


def read_day(value: object, *, default_year: int | None = None) -> date:
    """A calendar day from a date cell, a serial number or any of the notations that offices write.

    ``default_year`` completes a day without a year (10月9日). Raises ValueError for everything unreadable.
    """
    if isinstance(value, bool):
        raise ValueError("日期无法识别")
    if isinstance(value, datetime):
        found = value.date()
    elif isinstance(value, date):
        found = value
    elif isinstance(value, int | float):
        found = _day_from_number(value)
    elif isinstance(value, str):
        found = _day_from_text(value, default_year)
    else:
        raise ValueError("日期无法识别")
    if found < _EARLIEST_DAY:
        raise ValueError("日期早于 2000 年")
    return found


def _float_text(value: float) -> str:
    if not math.isfinite(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < _SAFE_NUMBER else repr(value)


def _day_from_number(value: float) -> date:
    if not abs(value) < _SAFE_NUMBER:  # said so that not-a-number is refused too
        raise ValueError("日期无法识别")
    whole = int(value)
    if 0 < whole <= _LAST_SERIAL:
        return _SERIAL_ORIGIN + timedelta(days=whole)
    return _day_from_text(str(whole), None)


def _day_from_text(value: str, default_year: int | None) -> date:
    text = without_blanks(_CLOCK_TAIL.sub("", half_width(value).strip())).replace("。", ".")
    found = _FULL_DAY.fullmatch(text) or _COMPACT_DAY.fullmatch(text)
    if found:
        return date(int(found["year"]), int(found["month"]), int(found["day"]))
    if _SERIAL.fullmatch(text):
        return _day_from_number(float(text))
    short = _SHORT_DAY.fullmatch(text)
    if short and default_year is not None:
        return date(default_year, int(short["month"]), int(short["day"]))
    raise ValueError("日期无法识别")
