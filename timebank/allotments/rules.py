"""Months, levels and seed hours of government allotments 政府购买服务时长. Pure.

Sources: GB/T 42195-2022 (assessment levels); DOMAIN.md, practice elsewhere (seed hours of Nanjing).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from timebank.core.errors import Refused
from timebank.people.id_numbers import age_on
from timebank.policies.rules import PolicyBook

LEVEL_NAMES = {0: "能力完好", 1: "轻度失能", 2: "中度失能", 3: "重度失能", 4: "完全失能"}
"""What an assessment level means (GB/T 42195-2022)."""

SEED_REASON_NAMES = {"alone": "高龄独居", "hardship": "困难失能"}
"""Why somebody gets seed hours."""

_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Elder:
    """What seed hours depend on; ``level`` None for whoever was never assessed."""

    born_on: date
    township_code: str
    level: int | None
    circumstances: Collection[str]


def month_of(day: date) -> date:
    """The first day of the month of ``day``."""
    return day.replace(day=1)


def months_later(month: date, months: int) -> date:
    """The first day of the month so many months later."""
    years, index = divmod(month.year * 12 + month.month - 1 + months, 12)
    return date(years, index + 1, 1)


def months_between(month: date, later: date) -> int:
    """How many months after ``month`` a later one is; below zero if it is before it."""
    return (later.year - month.year) * 12 + later.month - month.month


def is_owed(late: int, most: int) -> bool:
    """Whether a month is still granted when it is so many months past, and ``most`` are granted late."""
    return 0 <= late <= most


def last_day(month: date, valid_months: int) -> date:
    """The last day on which what is granted in ``month`` can be spent; 1 month is that month alone."""
    return months_later(month, valid_months) - timedelta(days=1)


def read_month(text: str) -> date:
    """The month ``2026-11``. Raises Refused ``month_invalid``."""
    found = _MONTH.fullmatch(text)
    if found is None:
        raise Refused("month_invalid", "月份须写作2026-11这样", field="month")
    return date(int(found[1]), int(found[2]), 1)


def minutes_for(level: int, policies: PolicyBook, township_code: str) -> int:
    """Minutes a month at an assessment level."""
    return int(policies.value("allotment_minutes_by_level", township_code)[str(level)])


def seed_reason(elder: Elder, policies: PolicyBook, today: date) -> str | None:
    """Why an elder is to get seed hours, ``alone`` or ``hardship``; None where no policy gives any."""
    code, age = elder.township_code, age_on(elder.born_on, today)
    if policies.whole("seed_minutes", code) == 0:
        return None
    alone = set(elder.circumstances) & set(policies.value("alone_circumstances", code))
    if alone and age >= policies.whole("seed_alone_min_age", code):
        return "alone"
    needy = set(elder.circumstances) & set(policies.value("hardship_circumstances", code))
    dependent = elder.level is not None and elder.level >= policies.whole("seed_hardship_min_level", code)
    if needy and dependent and age >= policies.whole("seed_hardship_min_age", code):
        return "hardship"
    return None
