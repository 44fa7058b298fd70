"""Whole numbers, and how hours are said."""

from __future__ import annotations

import pytest

from timebank.core.amounts import MAX_AMOUNT, hours_text, is_amount


@pytest.mark.parametrize("value", [1, 60, MAX_AMOUNT])
def test_a_positive_whole_number_is_an_amount(value: int) -> None:
    assert is_amount(value)


@pytest.mark.parametrize("value", [0, -1, 1.0, 0.5, True, "1", None, MAX_AMOUNT + 1, 2**63])
def test_nothing_else_is_an_amount(value: object) -> None:
    assert not is_amount(value)


def test_the_largest_amount_is_what_javascript_holds_exactly() -> None:
    assert MAX_AMOUNT == 9_007_199_254_740_991


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "0分钟"),
        (1, "1分钟"),
        (59, "59分钟"),
        (60, "1小时"),
        (61, "1小时1分钟"),
        (150, "2小时30分钟"),
        (-90, "-1小时30分钟"),
        (-60, "-1小时"),
        (-5, "-5分钟"),
    ],
)
def test_minutes_are_said_in_hours_and_minutes(minutes: int, said: str) -> None:
    assert hours_text(minutes) == said
