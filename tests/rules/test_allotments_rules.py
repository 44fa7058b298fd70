"""Months, levels and seed hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from timebank.allotments.rules import (
    Elder,
    is_owed,
    last_day,
    minutes_for,
    month_of,
    months_between,
    months_later,
    read_month,
    seed_reason,
)
from timebank.core.errors import Refused
from timebank.policies.comparing import policy_set

USUAL = policy_set("fenghua").book()
TODAY = date(2026, 3, 10)
ALONE = Elder(date(1945, 3, 10), "330213004", None, ["独居"])
NEEDY = Elder(date(1960, 1, 1), "330213004", 2, ["低保"])


def test_a_month_begins_on_its_first_day_and_the_year_turns() -> None:
    assert month_of(date(2026, 12, 31)) == date(2026, 12, 1)
    assert months_later(date(2026, 12, 1), 1) == date(2027, 1, 1)
    assert months_later(date(2026, 1, 1), -1) == date(2025, 12, 1)
    assert months_later(date(2026, 11, 1), 26) == date(2029, 1, 1)


@pytest.mark.parametrize(
    ("month", "valid", "until"),
    [
        (date(2026, 2, 1), 1, date(2026, 2, 28)),
        (date(2028, 2, 1), 1, date(2028, 2, 29)),
        (date(2026, 11, 1), 2, date(2026, 12, 31)),
        (date(2026, 11, 1), 3, date(2027, 1, 31)),
    ],
)
def test_what_is_granted_is_good_to_the_end_of_its_last_month(month: date, valid: int, until: date) -> None:
    assert last_day(month, valid) == until


def test_a_month_is_owed_for_as_many_months_as_are_granted_late_and_never_before_it_begins() -> None:
    november = date(2026, 11, 1)
    assert [months_between(november, month) for month in (date(2026, 10, 1), november, date(2027, 2, 1))] == [-1, 0, 3]
    assert [is_owed(late, 1) for late in (-1, 0, 1, 2)] == [False, True, True, False]


@pytest.mark.parametrize("written", ["2026-13", "2026-00", "26-11", "2026-1", "2026-11-01", "１２３４-11", ""])
def test_what_is_no_month_is_refused(written: str) -> None:
    assert read_month("2026-11") == date(2026, 11, 1)
    with pytest.raises(Refused, match="month_invalid"):
        read_month(written)


def test_each_level_has_its_minutes() -> None:
    assert [minutes_for(level, USUAL, "330213004") for level in range(5)] == [0, 60, 120, 180, 240]


def test_seed_hours_are_for_the_eldest_living_alone() -> None:
    assert seed_reason(ALONE, USUAL, TODAY) == "alone"
    assert seed_reason(replace(ALONE, born_on=date(1946, 3, 11)), USUAL, TODAY) is None
    assert seed_reason(replace(ALONE, circumstances=["与子女同住"]), USUAL, TODAY) is None


def test_seed_hours_are_for_those_in_hardship_who_depend_on_help() -> None:
    assert seed_reason(NEEDY, USUAL, TODAY) == "hardship"
    assert seed_reason(replace(NEEDY, level=0), USUAL, TODAY) is None
    assert seed_reason(replace(NEEDY, level=None), USUAL, TODAY) is None
    assert seed_reason(replace(NEEDY, born_on=date(1970, 1, 1)), USUAL, TODAY) is None
    assert seed_reason(replace(NEEDY, circumstances=["独居"]), USUAL, TODAY) is None


def test_where_policy_gives_no_seed_hours_nobody_gets_any() -> None:
    class Without:
        def whole(self, key: str, code: str | None = None) -> int:
            return 0 if key == "seed_minutes" else USUAL.whole(key, code)

    assert seed_reason(ALONE, Without(), TODAY) is None  # type: ignore[arg-type]
