"""Whole numbers of minutes 分钟 and fen 分. Hours and yuan exist only on screens."""

from __future__ import annotations

from enum import StrEnum

MAX_AMOUNT = 2**53 - 1
"""The largest amount that every program outside, JavaScript's included, can hold exactly."""


class Unit(StrEnum):
    """What an account counts."""

    MINUTE = "minute"
    FEN = "fen"


def is_amount(value: object) -> bool:
    """Whether ``value`` is a positive whole number that an account may move."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_AMOUNT


def hours_text(minutes: int) -> str:
    """``150`` → ``2小时30分钟``, for people to read."""
    sign = "-" if minutes < 0 else ""
    hours, rest = divmod(abs(minutes), 60)
    if hours and rest:
        return f"{sign}{hours}小时{rest}分钟"
    return f"{sign}{hours}小时" if hours else f"{sign}{rest}分钟"


def yuan_text(fen: int) -> str:
    """``123450`` → ``1,234.50元``, for people to read; exact, since no fraction is ever made of it."""
    sign = "-" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), 100)
    return f"{sign}{yuan:,}.{rest:02d}元"
