"""The day on which the banks of the tests live, whatever the machine's calendar says.

Its clock runs, from the middle of a morning in the middle of a week: a run begun late on New Year's Eve
decides as one begun today. ``TIMEBANK_TEST_MOMENT`` names another beginning, for whoever looks for days that matter.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from timebank.core import clock

MOMENT = datetime.fromisoformat(os.environ.get("TIMEBANK_TEST_MOMENT", "2026-11-25T10:00:00+08:00"))


class _Day:
    offset = MOMENT - clock.machine_now()


def begin_again(moment: datetime) -> None:
    """Let the day begin at ``moment`` now: however long a run takes, what was set up then has just happened."""
    _Day.offset = moment - clock.machine_now()


def live_by(file: Path) -> None:
    """Let the bank's clock run from the tests' moment on, and be moved by ``file``."""
    write_down(file)
    clock.movable_by(file)


def write_down(file: Path) -> None:
    """Let whoever moves the bank's clock by ``file`` find it at the tests' moment, or what has passed since."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(str(_Day.offset // timedelta(microseconds=1)))
