"""Closing a clearing window 关账: how its duration grows with the window, and whether anybody at a counter notices.

Two windows differ only in how many movements between townships they hold. Every run takes a fresh copy of each of the
two banks, lets clients redeem without pause (each in a process of its own, by calls of the bank's actions, not over
HTTP), tallies once, lets them go on for as long as the tally's job pauses in production, and then closes: so the tail
that the closing has to count is the longest there is between two runs of that job at this speed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.jobs.timetable import timetable
from scripts.bench.clients import Crowd, redeeming
from scripts.bench.movements import move_much
from scripts.bench.outcome import Outcome, percentile
from scripts.bench.scene import Till, open_bank
from scripts.bench.server import BenchServer, filling, measuring
from timebank.clearing.actions import close_window, tally_new_movements
from timebank.clearing.queries import open_window
from timebank.core.actors import SYSTEM
from timebank.core.db import Database

SLOWER_AT_MOST = 3.0
SLOWEST_AT_MOST = 5.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done."""

    few: int
    many: int
    clients: int
    vouchers: int
    usual_s: float
    repetitions: int


@dataclass(frozen=True, slots=True)
class Closing:
    """One window closed under load; times in milliseconds."""

    closing_ms: float
    usual_median_ms: float
    usual_p99_ms: float
    slowest_ms: float
    usual_slowest_ms: float
    overlapping: int
    redemptions_a_second: float

    @property
    def slowest_to_p99(self) -> float:
        """The slowest redemption during the closing, by the usual p99."""
        return self.slowest_ms / self.usual_p99_ms


def run(folder: Path, small: bool, tell: Callable[[str], None]) -> list[Outcome]:
    """Both ratios of closing; ``folder`` is empty and is left for the caller to remove."""
    size = _size(small)
    with filling(folder) as server:
        tills = _fill(server, size, tell)
    with measuring(folder) as server:
        pairs = []
        for number in range(1, size.repetitions + 1):
            pairs.append((_measure(server, "few", tills, size), _measure(server, "many", tills, size)))
            tell(f"closing {number}/{size.repetitions}: {_said(size, pairs[-1])}")
        return [_growth(size, pairs, server.version), _notice(size, pairs, server.version)]


def _size(small: bool) -> Size:
    if small:
        return Size(few=132, many=1320, clients=2, vouchers=20, usual_s=0.5, repetitions=1)
    every_s = next(job.every_s for job in timetable(None) if job.name == "tally_clearing")
    return Size(few=10_000, many=1_000_000, clients=4, vouchers=3000, usual_s=every_s, repetitions=4)


def _fill(server: BenchServer, size: Size, tell: Callable[[str], None]) -> list[Till]:
    tills: list[Till] = []
    tell("setting up people, canteens and vouchers 准备人员、助餐点与用餐券")
    server.make("base", lambda url: tills.extend(open_bank(url, clients=size.clients, vouchers=size.vouchers)))
    for name, movements in (("few", size.few), ("many", size.many)):
        tell(f"moving minutes between townships {movements:,} times 写入跨镇街划转")
        server.make(name, partial(move_much, movements=movements), like="base")
    return tills


def _measure(server: BenchServer, name: str, tills: Sequence[Till], size: Size) -> Closing:
    """Close the window of a fresh copy of the bank ``name`` while the clients redeem."""
    with server.copy_of(name) as url:
        bank = Database(url)
        try:
            with redeeming(url, tills) as crowd:
                time.sleep(size.usual_s / 4)  # connections, plans and caches become warm
                with bank.unit_of_work() as session:
                    tally_new_movements(session)
                since = time.monotonic()
                time.sleep(size.usual_s)
                begin, end = _close(bank)
                time.sleep(size.usual_s / 10)
        finally:
            bank.close()
    return _found(crowd, since, begin, end)


def _close(bank: Database) -> tuple[float, float]:
    with bank.session() as session:
        name = open_window(session).name
    begin = time.monotonic()
    with bank.unit_of_work() as session:
        close_window(session, actor=SYSTEM, window_name=name)
    return begin, time.monotonic()


def _found(crowd: Crowd, since: float, begin: float, end: float) -> Closing:
    usual, during = crowd.within(since, begin), crowd.touching(begin, end)
    return Closing(
        closing_ms=1000 * (end - begin),
        usual_median_ms=1000 * statistics.median(usual),
        usual_p99_ms=1000 * percentile(usual, 99),
        slowest_ms=1000 * max(during),
        usual_slowest_ms=1000 * max(usual),
        overlapping=len(during),
        redemptions_a_second=len(usual) / (begin - since),
    )


def _growth(size: Size, pairs: Sequence[tuple[Closing, Closing]], postgres: str) -> Outcome:
    low, high = (statistics.median(pair[which].closing_ms for pair in pairs) for which in (0, 1))
    return Outcome(
        name="closing_a_window",
        title="关账耗时增长",
        runs=[many.closing_ms / few.closing_ms for few, many in pairs],
        target=SLOWER_AT_MOST,
        measured=f"关账 {size.many:,} 笔跨镇街划转的周期 / {size.few:,} 笔的周期 · closing a window of {size.many:,} "
        f"movements ({high:.0f} ms) / one of {size.few:,} ({low:.0f} ms), {size.clients} clients redeeming",
        postgres=postgres,
        details={
            "closing_ms": {
                f"{size.few}": [round(few.closing_ms, 1) for few, _ in pairs],
                f"{size.many}": [round(many.closing_ms, 1) for _, many in pairs],
            }
        },
    )


def _notice(size: Size, pairs: Sequence[tuple[Closing, Closing]], postgres: str) -> Outcome:
    closings = [many for _, many in pairs]
    slowest, p99 = max(one.slowest_ms for one in closings), statistics.median(one.usual_p99_ms for one in closings)
    fields = (
        "usual_median_ms",
        "usual_p99_ms",
        "usual_slowest_ms",
        "slowest_ms",
        "overlapping",
        "redemptions_a_second",
    )
    return Outcome(
        name="redeeming_while_a_window_closes",
        title="关账时最慢的核销",
        runs=[one.slowest_to_p99 for one in closings],
        target=SLOWEST_AT_MOST,
        measured=f"关账期间最慢一次核销 / 平时核销的 p99 · slowest redemption during the closing of {size.many:,} "
        f"movements (worst {slowest:.0f} ms) / p99 of the {size.usual_s:g} s before ({p99:.0f} ms)",
        postgres=postgres,
        details={name: [round(getattr(one, name), 2) for one in closings] for name in fields},
    )


def _said(size: Size, pair: tuple[Closing, Closing]) -> str:
    return "; ".join(
        f"{movements:,}: {one.closing_ms:.0f} ms, slowest {one.slowest_ms:.1f} ms, p99 {one.usual_p99_ms:.1f} ms, "
        f"{one.redemptions_a_second:.0f}/s"
        for movements, one in zip((size.few, size.many), pair, strict=True)
    )
