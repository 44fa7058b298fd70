"""django-hordak beside the bank: the double-entry ledger that a Python team would otherwise take from the shelf.

It has a database of its own on the same server, with as many accounts, and works in processes of its own
(``hordak_process``); for development only, the bank never imports it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import make_url

URL_VARIABLE = "TIMEBANK_BENCH_URL"
PROCESSES = (1, 2, 4, 8)
"""How many processes are tried; a connection each. The best number is taken."""

_CHECKOUT = Path(__file__).resolve().parents[2]
_FOUND = """
SELECT (SELECT count(*) FROM hordak_transaction), sum(coalesce(debit, 0)) - sum(coalesce(credit, 0)), count(*)
FROM hordak_leg
"""


@dataclass(frozen=True, slots=True)
class Hordak:
    """Transfers by ``Account.transfer_to`` between random accounts of one database."""

    url: str

    def fill(self, accounts: int) -> None:
        """Make its tables and so many accounts in an empty database."""
        with self._started("fill", str(accounts)) as process:
            _must(process)

    def best_processes(self, *, seconds: float, at_once: int, tried: tuple[int, ...] = PROCESSES) -> int:
        """Of the numbers of processes that are tried, the one with which most is transferred."""
        if len(tried) == 1:
            return tried[0]
        return max(tried, key=lambda number: self.a_second(processes=number, seconds=seconds, at_once=at_once))

    def a_second(self, *, processes: int, seconds: float, at_once: int) -> float:
        """Transfers a second; each commit has ``at_once`` of them, made in a loop."""
        with ExitStack() as stack:
            arguments = [[str(seconds), str(at_once), str(number)] for number in range(processes)]
            crowd = [stack.enter_context(self._started("transfer", *one)) for one in arguments]
            for process in crowd:
                assert process.stdout is not None
                if process.stdout.readline() != "ready\n":
                    _must(process)
            for process in crowd:
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
            found = [json.loads(_must(process)) for process in crowd]
            return float(sum(done["transfers"] / done["seconds"] for done in found))

    def must_be_sound(self) -> None:
        """Raises RuntimeError where its legs do not balance, or are not two a transfer."""
        plain = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain) as connection:
            row = connection.execute(_FOUND).fetchone()
        assert row is not None
        transfers, total, legs = row
        if not transfers or total != 0 or legs != 2 * transfers:
            raise RuntimeError(f"hordak: {transfers} transfers, {legs} legs that sum to {total}")

    def _started(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "scripts.bench.hordak_process", *arguments],
            cwd=_CHECKOUT,
            env=os.environ | {URL_VARIABLE: self.url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def _must(process: subprocess.Popen[str]) -> str:
    said, complained = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"hordak: {complained}")
    return said
