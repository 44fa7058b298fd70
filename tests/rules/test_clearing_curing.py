"""What cures a break: a later movement between the two it concerns, of exactly the difference or undoing the line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from timebank.clearing.curing import Complaint, Remedy, cures
from timebank.clearing.township_lists import BreakType

OPENED = datetime(2026, 4, 1, tzinfo=UTC)
LINE = UUID(int=2)
OURS, OTHERS, THIRD = "330213004", "330213107", "330213007"


def complaint(kind: BreakType, here: int | None, there: int | None, counterpart: str | None = OTHERS) -> Complaint:
    return Complaint(kind, OURS, counterpart, here, there, LINE, OPENED)


def owed_to_us(minutes: int) -> Remedy:
    """Minutes that the other owes us, or, below zero, that we owe the other."""
    parties = (OTHERS, OURS) if minutes > 0 else (OURS, OTHERS)
    return Remedy(*parties, abs(minutes), "service_credit", None, OPENED + timedelta(seconds=1))


MISSING_HERE = complaint(BreakType.MISSING_HERE, None, 75)
MISSING_THERE = complaint(BreakType.MISSING_THERE, 60, None)
AMOUNT = complaint(BreakType.AMOUNT, 60, 90)
OWED_LESS = complaint(BreakType.AMOUNT, -60, -90)
DUPLICATE = complaint(BreakType.DUPLICATE, None, -60)
WINDOW = complaint(BreakType.WINDOW, 60, 60)
UNDONE = replace(owed_to_us(-60), reverses_id=LINE, kind="reversal")


@pytest.mark.parametrize(
    ("found", "remedy"),
    [
        (MISSING_HERE, owed_to_us(75)),
        (AMOUNT, owed_to_us(30)),
        (OWED_LESS, owed_to_us(-30)),
        (DUPLICATE, owed_to_us(-60)),
        (MISSING_THERE, UNDONE),
        (AMOUNT, UNDONE),
        (replace(MISSING_HERE, counterpart=None), replace(owed_to_us(75), debtor=THIRD)),
    ],
)
def test_exactly_the_difference_cures(found: Complaint, remedy: Remedy) -> None:
    assert cures(found, remedy)


@pytest.mark.parametrize(
    ("found", "remedy"),
    [
        (MISSING_HERE, owed_to_us(-75)),
        (MISSING_HERE, owed_to_us(74)),
        (MISSING_HERE, replace(owed_to_us(75), debtor=THIRD)),
        (MISSING_HERE, replace(owed_to_us(75), creditor=THIRD)),
        (replace(MISSING_HERE, counterpart=None), replace(owed_to_us(75), debtor=THIRD, creditor=OTHERS)),
        (MISSING_HERE, replace(owed_to_us(75), recorded_at=OPENED)),
        (MISSING_HERE, replace(owed_to_us(75), kind="settlement")),
        (MISSING_HERE, replace(owed_to_us(75), kind="carried_care")),
        (MISSING_THERE, owed_to_us(-60)),
        (MISSING_THERE, replace(UNDONE, reverses_id=UUID(int=4))),
        (MISSING_THERE, replace(UNDONE, recorded_at=OPENED - timedelta(days=1))),
        (AMOUNT, owed_to_us(90)),
        (AMOUNT, owed_to_us(-30)),
        (DUPLICATE, replace(owed_to_us(60), reverses_id=LINE, kind="reversal")),
        (WINDOW, UNDONE),
        (WINDOW, owed_to_us(60)),
    ],
)
def test_anything_else_cures_nothing(found: Complaint, remedy: Remedy) -> None:
    assert not cures(found, remedy)
