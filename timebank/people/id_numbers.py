"""Citizens' identity numbers 公民身份号码 by GB 11643: length, birth date and check digit.

There is deliberately no list of areas: old people carry codes of counties that no longer exist (330224).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from timebank.people.widths import half_width, is_dash, without_blanks

_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_EARLIEST_BIRTH = date(1850, 1, 1)
# ISO 7064 MOD 11-2: the weight of each of the first 17 digits, and the check character by remainder.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
# Programs that keep numbers as text put an apostrophe before them.
_APOSTROPHES = "'`‘’"  # noqa: RUF001 - the curly ones are what input methods type


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A number that holds, with what it says of its bearer; ``sex`` is F 女 or M 男."""

    value: str
    born_on: date
    sex: Literal["F", "M"]


def tidy(text: object) -> str:
    """The number as people mean it: half width, no blanks, hyphens or apostrophes, capital X. Judges nothing."""
    if text is None:
        return ""
    kept = (char for char in without_blanks(half_width(str(text))) if not is_dash(char) and char not in _APOSTROPHES)
    return "".join(kept).replace("x", "X")


def parse(text: object, *, today: date) -> IdNumber:
    """Read an identity number, untidy or not.

    Raises ValueError when the length, the birth date (real, not before 1850, not after ``today``) or the check
    digit is wrong.
    """
    value = tidy(text)
    if not _SHAPE.fullmatch(value):
        raise ValueError("身份证号应为 18 位")
    born_on = _birth_date(value)
    if not _EARLIEST_BIRTH <= born_on <= today:
        raise ValueError("身份证号中的出生日期不可能")
    if check_character(value[:17]) != value[17]:
        raise ValueError("身份证号校验码不符")
    return IdNumber(value, born_on, "M" if int(value[16]) % 2 else "F")


def check_character(first_seventeen: str) -> str:
    """The 18th character that belongs to the first 17 digits (ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True))
    return _CHECK_CHARACTERS[total % 11]


def masked(value: str) -> str:
    """``330***********3578``: three digits, stars, four characters; anything too short is all stars."""
    if len(value) < 12:
        return "*" * len(value)
    return f"{value[:3]}{'*' * (len(value) - 7)}{value[-4:]}"


def age_on(born_on: date, day: date) -> int:
    """Full years 周岁 on ``day``; who was born on 29 February is a year older on 1 March of common years."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def _birth_date(value: str) -> date:
    try:
        return date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    except ValueError:
        raise ValueError("身份证号中的出生日期不存在") from None
