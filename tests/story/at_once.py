"""Many calls over real HTTP at the same moment, from several processes with threads, at a bank with several workers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.auth.tokens import issue_token
from tests.conftest import SECRET
from tests.postgres import ThrowawayPostgres
from tests.story.running_bank import CHECKOUT, PATIENCE_S, RunningBank
from timebank.core.ids import new_id

PROCESSES = 4
Call = dict[str, Any]


@contextmanager
def bank_with_two_workers(
    postgres: ThrowawayPostgres, template: str, folder: Path, database: str
) -> Iterator[RunningBank]:
    """A bank on a copy of ``template`` named ``database``; its jobs do not run."""
    home = folder / "home"
    home.mkdir()
    settings = {"TIMEBANK_DATABASE_URL": postgres.clone(template, database), "TIMEBANK_SECRET_KEY": SECRET}
    running = RunningBank(home, "--workers", "2", "--no-jobs", settings=settings)
    try:
        running.wait_until()
        yield running
    finally:
        running.close()
        postgres.drop(database)


def called_at_once(calls: list[Call]) -> list[Call]:
    """The answers to these calls in order, made at the same moment by several processes."""
    command = [sys.executable, "-m", "tests.story.callers"]
    share = len(calls) // PROCESSES
    processes = [
        subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    try:
        for number, process in enumerate(processes):
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(calls[number * share : (number + 1) * share]) + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [answer for process in processes for answer in json.loads(process.communicate(timeout=PATIENCE_S)[0])]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def post(running: RunningBank, path: str, login_id: object, body: Any = None) -> Call:
    """One call, with an idempotency key of its own."""
    return {
        "url": f"{running.url}/api/v1{path}",
        "token": issue_token(login_id),  # type: ignore[arg-type]
        "key": str(new_id()),
        "body": body,
    }
