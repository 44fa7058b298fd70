"""A real ``timebank run-job`` that is killed with SIGKILL at some moment of its work."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from tests.conftest import SECRET
from tests.story.running_bank import CHECKOUT, PATIENCE_S, TIMEBANK, environment
from timebank.core import clock
from timebank.core.db import Database


@dataclass(frozen=True, slots=True)
class Work:
    """One job: how much is still to be done, and what proves that each item was done once."""

    undone: str
    done: str
    expected: tuple[int, int]

    def left(self, bank: Database) -> int:
        """How much is still to be done."""
        with bank.session() as session:
            return int(session.scalars(text(self.undone)).one())

    def was_done(self, bank: Database) -> tuple[int, ...]:
        """What was done, and how much of it is different."""
        with bank.session() as session:
            return tuple(session.execute(text(self.done)).one())


Start = Callable[[str, datetime], "subprocess.Popen[bytes]"]
"""Starts one job by a clock that stands at this moment and goes on from there."""


@contextmanager
def jobs_of(bank: Database, folder: Path) -> Iterator[Start]:
    """Starts jobs of the test's bank; whatever happens, none stays alive."""
    home, started = folder / "home", list[subprocess.Popen[bytes]]()
    home.mkdir()
    url = bank.engine.url.render_as_string(hide_password=False)
    settings = environment(home, TIMEBANK_DATABASE_URL=url, TIMEBANK_SECRET_KEY=SECRET)

    def run(job: str, moment: datetime) -> subprocess.Popen[bytes]:
        offset = (moment - clock.machine_now()) // timedelta(microseconds=1)
        (home / "clock-offset").write_text(str(offset))
        with (folder / "jobs.log").open("ab") as log:
            command = [*TIMEBANK, "run-job", job]
            started.append(subprocess.Popen(command, env=settings, cwd=CHECKOUT, stdout=log, stderr=log))
        return started[-1]

    try:
        yield run
    finally:
        for process in started:
            process.kill()
            process.wait()


def kill_in_mid_work(bank: Database, work: Work, process: subprocess.Popen[bytes], pause_s: float) -> bool:
    """Kill a job a moment after it has done its first item; whether it was killed before its last."""
    before = work.left(bank)
    while work.left(bank) == before and process.poll() is None:
        time.sleep(0.005)
    time.sleep(pause_s)
    process.send_signal(signal.SIGKILL)
    return process.wait(PATIENCE_S) == -signal.SIGKILL and 0 < work.left(bank) < before
