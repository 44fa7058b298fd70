"""Which meal a counter means by now."""

from __future__ import annotations

from datetime import datetime

import pytest

from timebank.canteens.counter.rules import meal_nearest


def moment(time: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-10T{time}:00+08:00")


PERIODS = {
    "supper": (moment("16:00"), moment("19:00")),
    "breakfast": (moment("05:30"), moment("09:30")),
    "lunch": (moment("10:00"), moment("13:00")),
}


@pytest.mark.parametrize(
    ("time", "meal"),
    [
        ("00:01", "breakfast"),
        ("09:44", "breakfast"),
        ("09:45", "breakfast"),
        ("09:46", "lunch"),
        ("12:59", "lunch"),
        ("14:29", "lunch"),
        ("14:31", "supper"),
        ("23:59", "supper"),
    ],
)
def test_between_two_meals_the_nearer_one_is_meant(time: str, meal: str) -> None:
    assert meal_nearest(PERIODS, moment(time)) == meal
