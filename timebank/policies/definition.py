"""What one policy is, and what several kinds of policies ask of their values. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Definition:
    """One policy: its key, what it is called, its unit, which values make sense, and whether all townships share it.

    ``check`` looks closer at a value that ``accepts`` lets pass, and raises Refused with what is wrong with it.
    """

    key: str
    label: str
    unit: str
    accepts: Callable[[Any], bool]
    district_only: bool = False
    check: Callable[[Any], None] | None = None


MEALS = ("breakfast", "lunch", "supper")
"""Meals of a day, in their order: 早餐、午餐、晚餐."""


CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
"""A time of day, as ``09:30``."""

MAX_FEN_PER_HOUR = 1_000_000
"""10,000 CNY; a price beyond it is a slip of the hand."""


def whole(lowest: int, highest: int) -> Callable[[Any], bool]:
    """Accepts whole numbers from the lowest to the highest."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest


def words(value: Any) -> bool:
    """Accepts a list of words."""
    return isinstance(value, list) and all(isinstance(word, str) and word for word in value)
