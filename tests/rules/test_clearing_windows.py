"""Windows are calendar months in Fenghua."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from timebank.clearing.rules import window
from timebank.core.errors import Refused

TODAY = date(2026, 3, 10)


def test_a_window_begins_and_ends_at_midnight_in_fenghua() -> None:
    march = window("2026-03", TODAY)
    assert march.starts_at == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert march.ends_at == datetime(2026, 3, 31, 16, tzinfo=UTC)


def test_the_window_without_a_name_is_todays() -> None:
    assert window(None, TODAY) == window("2026-03", TODAY)


def test_december_ends_with_the_year() -> None:
    assert window("2025-12", TODAY).ends_at == datetime(2025, 12, 31, 16, tzinfo=UTC)


def test_each_window_begins_where_the_last_one_ended() -> None:
    names = [f"{year}-{month:02}" for year in (2024, 2025) for month in range(1, 13)]
    windows = [window(name, TODAY) for name in names]
    assert [w.ends_at for w in windows[:-1]] == [w.starts_at for w in windows[1:]]


def test_a_window_is_open_in_its_month_and_closed_afterwards() -> None:
    march = window("2026-03", TODAY)
    assert march.status(march.starts_at) == "open"
    assert march.status(datetime(2026, 3, 31, 15, 59, 59, 999999, tzinfo=UTC)) == "open"
    assert march.status(march.ends_at) == "closed"


@pytest.mark.parametrize("name", ["2026-13", "2026-00", "2026-3", "26-03", "2026-03-01", "２０２６-03", "1999-01", "x"])
def test_a_name_that_is_no_month_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="window_invalid:"):
        window(name, TODAY)


@pytest.mark.parametrize("name", ["2026-04", "2027-01"])
def test_a_month_that_has_not_begun_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="window_in_future:"):
        window(name, TODAY)
