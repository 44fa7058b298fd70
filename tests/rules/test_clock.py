"""The bank's time: frozen in tests, moved in development, nailed in production."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from timebank.core import clock

LATE = datetime(2026, 3, 9, 17, 30, tzinfo=UTC)
"""Half past one in the morning of 10 March in Fenghua."""


def test_a_frozen_clock_stands_still() -> None:
    clock.freeze(LATE)
    assert clock.now() == LATE
    assert clock.now() == LATE


def test_the_bank_has_fenghuas_calendar_day() -> None:
    clock.freeze(LATE)
    assert clock.today() == date(2026, 3, 10)
    assert clock.local_date(LATE - timedelta(hours=2)) == date(2026, 3, 9)
    assert clock.day_start(date(2026, 3, 10)) == datetime(2026, 3, 9, 16, tzinfo=UTC)


def test_freezing_does_not_touch_the_machines_time() -> None:
    clock.freeze(LATE - timedelta(days=3650))
    assert clock.machine_now() > LATE - timedelta(days=3000)


def test_a_clock_of_production_cannot_be_moved() -> None:
    clock.movable_by(None)
    with pytest.raises(ValueError, match="cannot be moved"):
        clock.move_to(clock.now() + timedelta(days=1))


def test_a_moved_clock_goes_on_from_where_it_was_moved_to(tmp_path: Path) -> None:
    clock.movable_by(tmp_path / "clock")
    there = clock.machine_now() + timedelta(days=200)
    clock.move_to(there)
    first, second = clock.now(), clock.now()
    assert there <= first <= second
    assert first < there + timedelta(hours=1)


def test_a_clock_moves_forward_only(tmp_path: Path) -> None:
    clock.movable_by(tmp_path / "clock")
    clock.move_to(clock.now() + timedelta(days=2))
    with pytest.raises(ValueError, match="forward only"):
        clock.move_to(clock.now() - timedelta(seconds=1))
    with pytest.raises(ValueError, match="forward only"):
        clock.move_to(clock.machine_now() + timedelta(days=1))


def test_another_process_of_the_same_bank_sees_the_clock_moved_and_moved_again(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    clock.movable_by(file)
    moved = clock.move_to(clock.now() + timedelta(days=30))
    # The other process has seen nothing of this one's memory: it only knows the file.
    clock.movable_by(file)
    assert clock.now() >= moved
    again = clock.move_to(clock.now() + timedelta(days=30))
    assert again - moved >= timedelta(days=29)
    assert clock.now() >= again


def test_no_file_means_no_offset(tmp_path: Path) -> None:
    clock.movable_by(tmp_path / "clock")
    before = clock.machine_now()
    assert before <= clock.now() <= clock.machine_now()
