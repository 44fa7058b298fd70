"""Telephone numbers 联系电话 as people write them, and as the bank keeps them."""

from __future__ import annotations

import re

from timebank.people.widths import half_width, is_dash, without_blanks

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
# Three-digit area codes (010, 02x) go with eight digits, four-digit ones with seven or eight.
_LANDLINE = re.compile(r"(010|02[0-9])([2-9][0-9]{7})|(0[3-9][0-9]{2})([2-9][0-9]{6,7})")
_COUNTRY = re.compile(r"(?:\+|00)86")


def tidy_phone(value: object) -> str | None:
    """A mobile as 11 digits, a landline as area code, hyphen, number (``0574-88831881``); None for an empty value.

    Raises ValueError for what is neither.
    """
    if value is None or (isinstance(value, str) and not without_blanks(value)):
        return None
    digits = _digits(value)
    country = _COUNTRY.match(digits)
    if country:
        digits = digits[country.end() :]
    elif digits.startswith("86") and _MOBILE.fullmatch(digits[2:]):
        digits = digits[2:]
    if _MOBILE.fullmatch(digits):
        return digits
    # The area code's zero is dropped behind a country code, and by a spreadsheet that takes a phone for a number.
    if not digits.startswith("0") and (country or isinstance(value, int | float)):
        digits = f"0{digits}"
    landline = _LANDLINE.fullmatch(digits)
    if landline is None:
        raise ValueError("联系电话应为 11 位手机号，或带区号的固定电话")
    area, number = (part for part in landline.groups() if part)
    return f"{area}-{number}"


def masked_phone(value: str) -> str:
    """``131****3853`` or ``0574-****1881``: the last four and what comes before the hidden four."""
    if len(value) < 11:
        return "*" * len(value)
    area, hyphen, number = value.rpartition("-")
    if hyphen:
        return f"{area}-{'*' * (len(number) - 4)}{number[-4:]}"
    return f"{value[:3]}{'*' * (len(value) - 7)}{value[-4:]}"


def _digits(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("联系电话无法识别")
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueError("联系电话无法识别")
        value = int(value)
    written = without_blanks(half_width(str(value)))
    return "".join(char for char in written if not is_dash(char) and char not in "()")
