"""Stories live on the machine's day: their banks are processes of their own, whose clock is not the tests'."""

from __future__ import annotations

import pytest

from timebank.core import clock


@pytest.fixture(autouse=True)
def _the_machines_day(_clean_process: None) -> None:
    clock.movable_by(None)
