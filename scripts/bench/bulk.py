"""Posting in bulk 批量记账: ``ledger.post``, a thousand at once, against the same database's postings by ``pgbench``.

Each run takes a fresh copy of a ledger and lets one after the other work on it for a while: ``pgbench`` row by row and
as one function, the ledger's writers within townships and across them, and django-hordak, a thousand transfers in one
transaction, on a database of its own. Every other run goes through them the other way round.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts.bench.books import must_verify
from scripts.bench.hordak import PROCESSES, Hordak
from scripts.bench.ledger_scene import open_ledger
from scripts.bench.outcome import Outcome
from scripts.bench.pgbench import CLIENTS, Pgbench, Way, add_plain_tables
from scripts.bench.posting import BATCH, WRITERS, Accounts, best_writers, posted_a_second
from scripts.bench.server import BenchServer, filling, measuring

OF_ROW_BY_ROW, OF_HORDAK = 6.0, 30.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done; of each of the numbers tried the best is taken."""

    people: int
    at_once: int
    seconds: float
    clients: tuple[int, ...]
    writers: tuple[int, ...]
    processes: tuple[int, ...]
    repetitions: int


# 13,790 elders at home and 5,000 diners.
FULL = Size(18_790, BATCH, 8, CLIENTS, WRITERS, PROCESSES, 5)
SMALL = Size(48, 20, 0.5, (4,), (1,), (1,), 1)


@dataclass(frozen=True, slots=True)
class Run:
    """How many transfers a second."""

    within: float
    across: float
    row_by_row: float
    one_function: float
    hordak: float


@dataclass(frozen=True, slots=True)
class _Best:
    clients: dict[Way, int]
    writers: int
    processes: int


def run(folder: Path, small: bool, tell: Callable[[str], None]) -> list[Outcome]:
    """All that is measured of posting in bulk; ``folder`` is empty and is left for the caller to remove."""
    size = SMALL if small else FULL
    opened: list[Accounts] = []
    plain: list[int] = []
    with filling(folder) as server:
        tell(f"opening savings for {size.people:,} people 开户")
        server.make("ledger", lambda url: opened.append(open_ledger(url, people=size.people)))
        server.make("measured", lambda url: plain.append(add_plain_tables(url)), like="ledger")
        server.make("hordak", lambda url: Hordak(url).fill(plain[0]))
    runs: list[Run] = []
    with measuring(folder) as server:
        best = _best(server, opened[0], plain[0], size)
        tell(f"bulk: best with {best}")
        for number in range(size.repetitions):
            runs.append(_run(server, opened[0], plain[0], size, best, backwards=number % 2 == 1))
            tell(f"bulk {number + 1}/{size.repetitions}: {runs[-1]}")
        return _outcomes(size, runs, best, server.version)


def _best(server: BenchServer, accounts: Accounts, plain: int, size: Size) -> _Best:
    seconds = size.seconds / 2
    with server.copy_of("measured") as url:
        pgbench = Pgbench(url, plain)
        clients = {way: pgbench.best_clients(way, seconds=seconds, tried=size.clients) for way in Way}
        writers = best_writers(url, accounts, seconds=seconds, tried=size.writers)
    with server.copy_of("hordak") as url:
        processes = Hordak(url).best_processes(seconds=seconds, at_once=size.at_once, tried=size.processes)
    return _Best(clients, writers, processes)


def _run(server: BenchServer, accounts: Accounts, plain: int, size: Size, best: _Best, *, backwards: bool) -> Run:
    with server.copy_of("measured") as url, server.copy_of("hordak") as beside:
        pgbench, hordak = Pgbench(url, plain), Hordak(beside)
        bulk = partial(posted_a_second, url, accounts, writers=best.writers, at_once=size.at_once)
        phases: list[tuple[str, Callable[..., float]]] = [
            *((way, partial(pgbench.a_second, way, clients=best.clients[way])) for way in Way),
            ("within", bulk),
            ("across", partial(bulk, across=True)),
            ("hordak", partial(hordak.a_second, processes=best.processes, at_once=size.at_once)),
        ]
        ordered = phases[::-1] if backwards else phases
        found = {name: phase(seconds=size.seconds) for name, phase in ordered}
        pgbench.must_be_sound()
        hordak.must_be_sound()
        must_verify(url)
    return Run(**found)


def _outcomes(size: Size, runs: list[Run], best: _Best, postgres: str) -> list[Outcome]:
    def median(name: str) -> float:
        return float(statistics.median(getattr(one, name) for one in runs))

    def details(*names: str) -> dict[str, list[float]]:
        return {name: [round(getattr(one, name), 1) for one in runs] for name in names}

    many = f"{size.at_once:,} at once within townships, {best.writers} writers ({median('within'):.0f}/s)"
    rows, function = best.clients[Way.ROW_BY_ROW], best.clients[Way.ONE_FUNCTION]
    return [
        Outcome(
            name="bulk_posting",
            title="批量对逐行记账",
            runs=[one.within / one.row_by_row for one in runs],
            target=OF_ROW_BY_ROW,
            at_least=True,
            measured=f"批量记账 / pgbench 逐行记账 · ledger.post, {many} / pgbench posting row by row, {rows} clients "
            f"({median('row_by_row'):.0f}/s)",
            postgres=postgres,
            details={**details("within", "row_by_row"), "pgbench_clients": rows, "writers": best.writers},
        ),
        Outcome(
            name="bulk_to_function",
            title="批量对存储函数",
            runs=[one.within / one.one_function for one in runs],
            target=None,
            measured=f"批量记账 / pgbench 存储函数记账 · ledger.post, {many} / pgbench posting by one stored function, "
            f"{function} clients ({median('one_function'):.0f}/s)",
            postgres=postgres,
            details={**details("one_function"), "pgbench_clients": function},
        ),
        Outcome(
            name="bulk_across",
            title="跨镇街批量",
            runs=[one.across / one.within for one in runs],
            target=None,
            measured="全部跨镇街（每笔两行）/ 全部在本镇街（每笔一行）· all across townships, two rows each "
            f"({median('across'):.0f}/s) / all within them, one row each ({median('within'):.0f}/s)",
            postgres=postgres,
            details=details("across"),
        ),
        Outcome(
            name="bulk_to_hordak",
            title="批量对 hordak",
            runs=[one.within / one.hordak for one in runs],
            target=OF_HORDAK,
            at_least=True,
            measured=f"批量记账 / django-hordak 循环划转 · ledger.post, {many} / django-hordak's transfer_to, "
            f"{size.at_once:,} in a transaction, {best.processes} processes ({median('hordak'):.0f}/s)",
            postgres=postgres,
            details={**details("hordak"), "hordak_processes": best.processes},
        ),
    ]
