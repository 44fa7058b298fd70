"""Minutes served, minutes to be paid, and from whom."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.core.clock import LOCAL
from timebank.core.errors import Refused
from timebank.tasks.rules import at_rate, check_span, payable_minutes, served_minutes, split_payment

NINE = datetime(2026, 3, 10, 9, tzinfo=LOCAL)


@pytest.mark.parametrize(
    ("seconds", "minutes"),
    [(0, 0), (29, 0), (29.999999, 0), (30, 1), (60, 1), (89, 1), (90, 2), (3600, 60), (3629, 60), (3630, 61)],
)
def test_half_a_minute_served_counts_as_a_whole_one(seconds: float, minutes: int) -> None:
    assert served_minutes(NINE, NINE + timedelta(seconds=seconds)) == minutes


@pytest.mark.parametrize(
    ("served", "paid"), [(0, 0), (1, 1), (59, 59), (60, 60), (74, 74), (75, 75), (76, 75), (999, 75)]
)
def test_what_was_served_is_paid_up_to_what_was_agreed_and_the_tolerance(served: int, paid: int) -> None:
    assert payable_minutes(served, agreed=60, tolerance=15, rate_percent=100) == paid


def test_the_rate_counts_after_the_cap() -> None:
    assert payable_minutes(90, agreed=60, tolerance=15, rate_percent=200) == 150
    assert payable_minutes(90, agreed=60, tolerance=0, rate_percent=50) == 30


@pytest.mark.parametrize(
    ("minutes", "percent", "paid"), [(1, 50, 1), (1, 49, 0), (3, 50, 2), (33, 150, 50), (60, 100, 60), (7, 110, 8)]
)
def test_half_a_minute_at_a_rate_counts_as_a_whole_one(minutes: int, percent: int, paid: int) -> None:
    assert at_rate(minutes, percent) == paid


@given(st.integers(0, 10**6))
def test_the_default_rate_changes_nothing(minutes: int) -> None:
    assert at_rate(minutes, 100) == minutes


@given(st.integers(0, 10**6), st.integers(1, 1000))
def test_a_rate_is_never_off_by_more_than_half_a_minute(minutes: int, percent: int) -> None:
    assert abs(at_rate(minutes, percent) * 100 - minutes * percent) <= 50


@pytest.mark.parametrize(
    ("started", "ended", "code"),
    [
        (NINE, NINE, "times_invalid"),
        (NINE, NINE - timedelta(minutes=30), "times_invalid"),
        (NINE, NINE + timedelta(seconds=59), "times_invalid"),
        (NINE - timedelta(hours=25), NINE - timedelta(minutes=59), "times_invalid"),
        (NINE, NINE + timedelta(hours=2, microseconds=1), "date_in_future"),
    ],
)
def test_a_span_that_cannot_be_is_refused(started: datetime, ended: datetime, code: str) -> None:
    with pytest.raises(Refused, match=f"{code}:"):
        check_span(started, ended, NINE + timedelta(hours=2))


@pytest.mark.parametrize(
    ("started", "ended"),
    [
        (NINE, NINE + timedelta(minutes=1)),
        (NINE, NINE + timedelta(hours=2)),
        (NINE - timedelta(hours=24), NINE),
    ],
)
def test_a_span_of_a_minute_to_a_day_up_to_now_is_fine(started: datetime, ended: datetime) -> None:
    check_span(started, ended, NINE + timedelta(hours=2))


def test_each_source_pays_all_it_has_before_the_next_pays_anything() -> None:
    assert split_payment(100, [(1, 30), (2, 0), (3, 50), (4, None)]) == [(1, 30), (3, 50), (4, 20)]
    assert split_payment(30, [(1, 30), (2, 5)]) == [(1, 30)]


def test_sources_that_do_not_suffice_are_no_answer() -> None:
    with pytest.raises(ValueError, match="do not suffice"):
        split_payment(100, [(1, 30), (2, 69)])


@given(st.integers(1, 500), st.lists(st.integers(0, 100), max_size=6))
def test_a_split_is_whole_in_order_and_overdraws_nobody(minutes: int, held: list[int]) -> None:
    sources: list[tuple[int, int | None]] = [*enumerate(held), (len(held), None)]
    parts = split_payment(minutes, sources)
    assert sum(part for _, part in parts) == minutes
    assert all(part > 0 for _, part in parts)
    accounts = [account for account, _ in parts]
    assert accounts == sorted(set(accounts))
    assert all(part <= held[account] for account, part in parts if account < len(held))
    assert all(part == held[account] for account, part in parts[:-1])
