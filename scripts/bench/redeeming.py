"""Redeeming over HTTP 核销: against the same database's postings by ``pgbench``, and against django-hordak.

Each run takes a fresh copy of the bank, serves it as ``timebank serve`` does, and lets one after the other work on it
for a while: ``pgbench`` row by row and as one function, clients at 64 counters who redeem within their townships, and
then across them, and django-hordak on a database of its own. Every other run goes through them the other way round.
Half of the top rate is then asked of the bank and of ``pgbench``, for the slowest hundredth. Whatever was sent has to
be accepted, and the books have to verify afterwards.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import text

from scripts.bench.books import must_verify
from scripts.bench.hordak import PROCESSES, Hordak
from scripts.bench.load import Answers, send
from scripts.bench.outcome import Outcome, percentile
from scripts.bench.pgbench import CLIENTS, Pgbench, Way, add_plain_tables
from scripts.bench.redeeming_scene import Lunch, Scans, open_lunch
from scripts.bench.rush_web import serving_bank
from scripts.bench.server import BenchServer, filling, measuring
from timebank.core.db import Database

WORKERS = 2
OF_ROW_BY_ROW, OF_WITHIN, OF_HORDAK, OF_P99 = 0.6, 0.9, 3.0, 4.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done; ``each`` is how many scans a counter has for every ``seconds`` of a phase."""

    counters: int
    diners: int
    vouchers: int
    each: int
    seconds: float
    clients: tuple[int, ...]
    processes: tuple[int, ...]
    repetitions: int


FULL = Size(
    counters=64, diners=4800, vouchers=24, each=450, seconds=8, clients=CLIENTS, processes=PROCESSES, repetitions=5
)
SMALL = Size(counters=12, diners=36, vouchers=40, each=24, seconds=0.5, clients=(4,), processes=(1,), repetitions=1)


@dataclass(frozen=True, slots=True)
class Best:
    """How many clients ``pgbench`` posts most with, by way, and how many processes django-hordak does."""

    clients: dict[Way, int]
    processes: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run: how many a second, and at half of that how long the slowest hundredth takes, in milliseconds."""

    within: float
    across: float
    row_by_row: float
    one_function: float
    hordak: float
    p99_ms: float
    pgbench_p99_ms: float
    median_ms: float
    client_cpus: float


def run(folder: Path, small: bool, tell: Callable[[str], None]) -> list[Outcome]:
    """All that is measured of redeeming; ``folder`` is empty and is left for the caller to remove."""
    size = SMALL if small else FULL
    lunches: list[Lunch] = []
    accounts: list[int] = []
    with filling(folder) as server:
        tell(f"opening {size.counters} counters for {size.diners:,} diners 准备助餐点与用餐对象")
        fill = partial(open_lunch, counters=size.counters, diners=size.diners, each=size.vouchers, tell=tell)
        server.make("lunch", lambda url: lunches.append(fill(url)))
        server.make("measured", lambda url: accounts.append(add_plain_tables(url)), like="lunch")
        server.make("hordak", lambda url: Hordak(url).fill(accounts[0]))
    runs: list[Run] = []
    with measuring(folder) as server:
        best = _best(server, accounts[0], size)
        tell(f"redeeming: best with {best}")
        for number in range(size.repetitions):
            measure = _Measuring(server, folder, lunches[0], size, best, accounts[0])
            runs.append(measure.run(backwards=number % 2 == 1))
            tell(f"redeeming {number + 1}/{size.repetitions}: {runs[-1]}")
        return _outcomes(size, runs, best, server.version)


def _best(server: BenchServer, accounts: int, size: Size) -> Best:
    clients = {}
    for way in Way:
        with server.copy_of("measured") as url:
            clients[way] = Pgbench(url, accounts).best_clients(way, seconds=size.seconds / 2, tried=size.clients)
    with server.copy_of("hordak") as url:
        processes = Hordak(url).best_processes(seconds=size.seconds / 2, at_once=1, tried=size.processes)
    return Best(clients, processes)


class _Measuring:
    """One run on a copy of the bank."""

    def __init__(self, server: BenchServer, folder: Path, lunch: Lunch, size: Size, best: Best, accounts: int) -> None:
        self._server, self._folder, self._lunch = server, folder, lunch
        self._size, self._best, self._accounts = size, best, accounts
        self._accepted = 0

    def run(self, *, backwards: bool) -> Run:
        size = self._size
        with self._server.copy_of("measured") as url, self._server.copy_of("hordak") as beside:
            pgbench, hordak = Pgbench(url, self._accounts), Hordak(beside)
            with serving_bank(self._folder, url, workers=WORKERS) as port:
                scans = Scans(self._lunch, port)
                self._redeem(port, scans.within(size.each // 4), size.seconds / 2)
                self._redeem(port, scans.across(size.each // 4), size.seconds / 2)
                found: dict[str, Answers] = {}
                rates: dict[str, float] = {}
                phases: list[Callable[[], None]] = [
                    lambda: rates.update(row_by_row=self._pgbench(pgbench, Way.ROW_BY_ROW)),
                    lambda: found.update(within=self._redeem(port, scans.within(size.each), size.seconds)),
                    lambda: found.update(across=self._redeem(port, scans.across(size.each), size.seconds)),
                    lambda: rates.update(one_function=self._pgbench(pgbench, Way.ONE_FUNCTION)),
                    lambda: rates.update(hordak=self._hordak(hordak)),
                ]
                for phase in reversed(phases) if backwards else phases:
                    phase()
                rates |= {name: answers.a_second for name, answers in found.items()}
                p99_ms, median_ms = self._slowest(port, scans, rates["within"] / 2)
                pgbench_p99_ms = self._pgbench_p99_ms(pgbench, rates["row_by_row"] / 2)
            self._must_fit(url)
            pgbench.must_be_sound()
            hordak.must_be_sound()
        return Run(
            **rates,
            p99_ms=p99_ms,
            median_ms=median_ms,
            pgbench_p99_ms=pgbench_p99_ms,
            client_cpus=found["within"].client_cpus,
        )

    def _redeem(self, port: int, queues: list[list[bytes]], seconds: float, rate: float | None = None) -> Answers:
        answers = send(port, queues, seconds=seconds, rate=rate)
        for answer in answers.all:
            if answer.status != 200 or json.loads(answer.body)["result"] != "accepted":
                raise RuntimeError(f"a voucher was not accepted: {answer.body.decode()}")
        self._accepted += len(answers.all)
        return answers

    def _slowest(self, port: int, scans: Scans, rate: float) -> tuple[float, float]:
        """The 99th percentile and the median in milliseconds, of what fell due after the first quarter."""
        each = min(self._size.each, round(1.5 * rate * self._size.seconds / self._size.counters) + 4)
        answers = self._redeem(port, scans.within(each), self._size.seconds, rate)
        warm = answers.begin + self._size.seconds / 4
        taken_ms = [1000 * (one.end - one.begin) for one in answers.all if one.begin >= warm]
        return percentile(taken_ms, 99), statistics.median(taken_ms)

    def _pgbench(self, pgbench: Pgbench, way: Way) -> float:
        return pgbench.a_second(way, clients=self._best.clients[way], seconds=self._size.seconds)

    def _pgbench_p99_ms(self, pgbench: Pgbench, rate: float) -> float:
        clients = self._best.clients[Way.ROW_BY_ROW]
        return pgbench.p99_ms(Way.ROW_BY_ROW, clients=clients, seconds=self._size.seconds, rate=rate)

    def _hordak(self, hordak: Hordak) -> float:
        return hordak.a_second(processes=self._best.processes, seconds=self._size.seconds, at_once=1)

    def _must_fit(self, url: str) -> None:
        """Raises RuntimeError where other vouchers are used up than were accepted, or the books do not verify."""
        bank = Database(url, pool_size=1)
        try:
            with bank.session() as session:
                redeemed = session.scalar(text("SELECT count(*) FROM voucher WHERE status = 'redeemed'"))
        finally:
            bank.close()
        if redeemed != self._accepted:
            raise RuntimeError(f"{self._accepted} vouchers were accepted, {redeemed} are redeemed")
        must_verify(url)


def _outcomes(size: Size, runs: list[Run], best: Best, postgres: str) -> list[Outcome]:
    rows, function = best.clients[Way.ROW_BY_ROW], best.clients[Way.ONE_FUNCTION]
    within = (
        f"{size.counters} clients redeeming over HTTP, {WORKERS} server processes ({_median(runs, 'within'):.0f}/s)"
    )
    return [
        Outcome(
            name="redeeming_over_http",
            title="核销对逐行记账",
            runs=[one.within / one.row_by_row for one in runs],
            target=OF_ROW_BY_ROW,
            at_least=True,
            measured=f"每秒核销 / pgbench 逐行记账 · {within} / pgbench posting row by row, {rows} clients "
            f"({_median(runs, 'row_by_row'):.0f}/s)",
            postgres=postgres,
            details={**_details(runs, "within", "row_by_row", "client_cpus"), "pgbench_clients": rows},
        ),
        Outcome(
            name="redeeming_to_function",
            title="核销对存储函数",
            runs=[one.within / one.one_function for one in runs],
            target=None,
            measured=f"每秒核销 / pgbench 存储函数记账 · {within} / pgbench posting by one stored function, {function} "
            f"clients ({_median(runs, 'one_function'):.0f}/s)",
            postgres=postgres,
            details={**_details(runs, "one_function"), "pgbench_clients": function},
        ),
        Outcome(
            name="redeeming_to_hordak",
            title="核销对 hordak",
            runs=[one.within / one.hordak for one in runs],
            target=OF_HORDAK,
            at_least=True,
            measured=f"每秒核销 / django-hordak 划转 · {within} / django-hordak's transfer_to without HTTP, "
            f"{best.processes} processes ({_median(runs, 'hordak'):.0f}/s)",
            postgres=postgres,
            details={**_details(runs, "hordak"), "hordak_processes": best.processes},
        ),
        *_other_outcomes(runs, postgres),
    ]


def _other_outcomes(runs: list[Run], postgres: str) -> list[Outcome]:
    return [
        Outcome(
            name="redeeming_across",
            title="跨镇街核销",
            runs=[one.across / one.within for one in runs],
            target=OF_WITHIN,
            at_least=True,
            measured=f"全部跨镇街（经 12 个清算账户）/ 全部在本镇街 · all across townships through 12 clearing books "
            f"({_median(runs, 'across'):.0f}/s) / all within them ({_median(runs, 'within'):.0f}/s)",
            postgres=postgres,
            details=_details(runs, "across", "within"),
        ),
        Outcome(
            name="redeeming_p99",
            title="核销 p99",
            runs=[one.p99_ms / one.pgbench_p99_ms for one in runs],
            target=OF_P99,
            measured=f"各自最高速率一半时的 p99 · p99 of a redemption at half of the top rate "
            f"({_median(runs, 'p99_ms'):.1f} ms) / of pgbench's posting row by row at half of its own "
            f"({_median(runs, 'pgbench_p99_ms'):.1f} ms)",
            postgres=postgres,
            details=_details(runs, "p99_ms", "median_ms", "pgbench_p99_ms"),
        ),
    ]


def _median(runs: list[Run], name: str) -> float:
    return float(statistics.median(getattr(one, name) for one in runs))


def _details(runs: list[Run], *names: str) -> dict[str, list[float]]:
    return {name: [round(getattr(one, name), 2) for one in runs] for name in names}
