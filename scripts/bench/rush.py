"""The rush at the cut-off 截止前抢订: everybody orders lunch at once, over HTTP, and there is too little of it.

Each run serves a fresh copy of the bank as ``timebank serve`` does, on a database that waits for the disk, and sends it
one order of every diner over many connections; the very same requests then go to a bare server, set up alike, that
answers as many bytes without doing anything. Afterwards the database is asked whether anything was sold twice.
"""

from __future__ import annotations

import os
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.auth.tokens import issue_token
from scripts.bench.outcome import Outcome, percentile
from scripts.bench.rush_books import must_be_sound
from scripts.bench.rush_scene import SHORT_BY, Rush, Wish, open_district
from scripts.bench.rush_web import Reply, Request, order_request, rushing, serving_bank, serving_bare
from scripts.bench.server import BenchServer, filling, measuring
from timebank.core.db import Database
from timebank.core.ids import new_id

WORKERS = 2


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done; ``warming`` suppers are ordered before each rush, so that no server is cold."""

    canteens: int
    diners: int
    clients: int
    connections: int
    warming: int
    repetitions: int


@dataclass(frozen=True, slots=True)
class Run:
    """One rush: how many a second, by the bank and by the bare server, and how long an order took at the bank."""

    bank_a_second: float
    bare_a_second: float
    median_ms: float
    p99_ms: float
    said: Mapping[str, int]

    @property
    def ratio(self) -> float:
        """What the bank does of what the bare server does."""
        return self.bank_a_second / self.bare_a_second


def run(folder: Path, small: bool, tell: Callable[[str], None]) -> list[Outcome]:
    """One ratio without a target; ``folder`` is empty and is left for the caller to remove."""
    size = Size(4, 48, 2, 8, 16, 1) if small else Size(96, 5000, 4, 64, 256, 5)
    rushes: list[Rush] = []
    fill = partial(open_district, canteens=size.canteens, diners=size.diners)
    with filling(folder) as server:
        tell(f"opening {size.canteens} canteens for {size.diners:,} diners 准备助餐点、菜单与用餐对象")
        server.make("district", lambda url: rushes.append(fill(url)))
    [rush] = rushes
    runs: list[Run] = []
    with measuring(folder) as server:
        for number in range(1, size.repetitions + 1):
            runs.append(_run(server, folder, rush, size))
            tell(f"rush {number}/{size.repetitions}: {_said(runs[-1])}")
        return [_outcome(size, runs, server.version)]


def _run(server: BenchServer, folder: Path, rush: Rush, size: Size) -> Run:
    with server.copy_of("district") as url:
        with serving_bank(folder, url, workers=WORKERS) as port:
            replies = _crowd(port, rush, size)
        bank = Database(url)
        try:
            said = _must_fit(bank, rush, size, replies)
        finally:
            bank.close()
    length = round(statistics.mean(len(reply.body) for reply in replies))
    with serving_bare(folder, answer_bytes=length, workers=WORKERS) as port:
        bare = _crowd(port, rush, size)
    if {reply.status for reply in bare} != {201}:
        raise RuntimeError("the bare server did not take an order")
    took = [1000 * (reply.end - reply.begin) for reply in replies]
    return Run(_rate(replies), _rate(bare), statistics.median(took), percentile(took, 99), said)


def _crowd(port: int, rush: Rush, size: Size) -> list[Reply]:
    send = partial(rushing, port, clients=size.clients, connections=size.connections)
    warm = send([_request(port, wish) for wish in rush.suppers[: size.warming]])
    if {reply.status for reply in warm} != {201}:
        raise RuntimeError(f"no supper is to be had: {warm[0].body.decode()}")
    return send([_request(port, wish) for wish in rush.lunches])


def _request(port: int, wish: Wish) -> Request:
    return order_request(port, issue_token(wish.login_id), str(new_id()), wish.body)


def _must_fit(bank: Database, rush: Rush, size: Size, replies: Sequence[Reply]) -> dict[str, int]:
    """How many were answered what. Raises RuntimeError where that is not what places and portions say, or the books."""
    said = Counter("accepted" if reply.status == 201 else reply.said for reply in replies)
    evens, odds = (size.canteens + 1) // 2, size.canteens // 2
    expected = {"capacity_reached": SHORT_BY * evens, "sold_out": SHORT_BY * odds}
    expected["accepted"] = size.diners - sum(expected.values())
    if said != expected:
        raise RuntimeError(f"answered {dict(said)}, where there is enough for {expected}")
    with bank.session() as session:
        must_be_sound(session, day=rush.day, replies=replies)
    return dict(said)


def _rate(replies: Sequence[Reply]) -> float:
    return len(replies) / (max(reply.end for reply in replies) - min(reply.begin for reply in replies))


def _outcome(size: Size, runs: Sequence[Run], postgres: str) -> Outcome:
    bank, bare = (statistics.median(getattr(one, f"{name}_a_second") for one in runs) for name in ("bank", "bare"))
    fields = ("bank_a_second", "bare_a_second", "median_ms", "p99_ms")
    return Outcome(
        name="ordering_at_the_cut_off",
        title="截止前抢订",
        runs=[one.ratio for one in runs],
        target=None,
        measured=f"{size.diners:,} 份订餐经 HTTP，每秒份数 / 空服务器每秒应答数 · {size.diners:,} orders at "
        f"{size.canteens} canteens over {size.connections} connections ({bank:.0f} a second) / a bare server's answers "
        f"({bare:.0f}), {WORKERS} workers each; {SHORT_BY * size.canteens} refused, nothing oversold",
        postgres=postgres,
        details={
            **{name: [round(getattr(one, name), 1) for one in runs] for name in fields},
            "answers": dict(runs[-1].said),
            "cpus_shared_with_clients": os.cpu_count(),
        },
    )


def _said(one: Run) -> str:
    return (
        f"{one.bank_a_second:.0f} orders a second, bare server {one.bare_a_second:.0f}, ratio {one.ratio:.3f}; "
        f"median {one.median_ms:.0f} ms, p99 {one.p99_ms:.0f} ms; {dict(one.said)}"
    )
