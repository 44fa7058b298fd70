"""Deep books 深账: posting and reading with ten million transfers in the ledger, against a hundred thousand.

Both ledgers have the same people, and lie on the same server; each run takes a fresh copy of both and lets writers post
and readers read on one and then on the other, every other run the other way round. ``--rows`` says how deep.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts.bench.books import must_verify
from scripts.bench.ledger_scene import deepen, open_ledger
from scripts.bench.outcome import Outcome
from scripts.bench.posting import BATCH, WRITERS, Accounts, best_writers, posted_a_second, read_a_second
from scripts.bench.server import BenchServer, filling, measuring

OF_SHALLOW = 0.9
SHALLOW, DEEP = 100_000, 10_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done. With ``people`` in twelve townships each has a page of lines in the shallow ledger too."""

    people: int
    shallow: int
    deep: int
    at_once: int
    seconds: float
    writers: tuple[int, ...]
    readers: int
    repetitions: int


@dataclass(frozen=True, slots=True)
class _Rates:
    posted: float
    read: float


def run(folder: Path, small: bool, tell: Callable[[str], None], *, rows: int = DEEP) -> list[Outcome]:
    """Both ratios, of ``rows`` transfers on the books; ``folder`` is empty and is left for the caller to remove."""
    full = Size(4992, SHALLOW, rows, BATCH, 8, WRITERS, 2, 5)
    size = Size(36, 720, 1440, 20, 0.5, (1,), 1, 1) if small else full
    opened: list[Accounts] = []
    with filling(folder) as server:
        tell(f"opening savings for {size.people:,} people 开户")
        server.make("open", lambda url: opened.append(open_ledger(url, people=size.people)))
        for name, transfers in (("shallow", size.shallow), ("deep", size.deep)):
            server.make(name, partial(_deepen, transfers=transfers, tell=tell), like="open")
    runs: list[tuple[_Rates, _Rates]] = []
    with measuring(folder) as server:
        with server.copy_of("shallow") as url:
            writers = best_writers(url, opened[0], seconds=size.seconds / 2, tried=size.writers)
        for number in range(size.repetitions):
            runs.append(_run(server, opened[0], size, writers, backwards=number % 2 == 1))
            tell(f"depth {number + 1}/{size.repetitions}: {runs[-1]}")
        return _outcomes(size, runs, writers, server.version)


def _deepen(url: str, *, transfers: int, tell: Callable[[str], None]) -> None:
    deepen(url, transfers=transfers, tell=tell)
    tell("verifying what was written 核验")
    must_verify(url)


def _run(
    server: BenchServer, accounts: Accounts, size: Size, writers: int, *, backwards: bool
) -> tuple[_Rates, _Rates]:
    found: dict[str, _Rates] = {}
    names = ("shallow", "deep")
    for name in names[::-1] if backwards else names:
        with server.copy_of(name) as url:
            read = read_a_second(url, accounts, readers=size.readers, seconds=size.seconds)
            posted = posted_a_second(url, accounts, writers=writers, seconds=size.seconds, at_once=size.at_once)
            found[name] = _Rates(posted, read)
    return found["shallow"], found["deep"]


def _outcomes(size: Size, runs: list[tuple[_Rates, _Rates]], writers: int, postgres: str) -> list[Outcome]:
    posting = f"每批 {size.at_once:,} 笔 posting {size.at_once:,} at once, {writers} writers"
    reading = f"余额与一页明细 reading a balance and a page of lines, {size.readers} readers"
    return [
        _outcome(size, runs, "posted", "posting_on_deep_books", "深账记账", posting, postgres),
        _outcome(size, runs, "read", "reading_on_deep_books", "深账查询", reading, postgres),
    ]


def _outcome(
    size: Size, runs: list[tuple[_Rates, _Rates]], deed: str, name: str, title: str, said: str, postgres: str
) -> Outcome:
    shallow, deep = ([getattr(pair[which], deed) for pair in runs] for which in (0, 1))
    return Outcome(
        name=name,
        title=title,
        runs=[below / above for above, below in zip(shallow, deep, strict=True)],
        target=OF_SHALLOW,
        at_least=True,
        measured=f"账上 {size.deep:,} 笔 / {size.shallow:,} 笔 · {said}: with {size.deep:,} transfers on the books "
        f"({statistics.median(deep):.0f}/s) / with {size.shallow:,} ({statistics.median(shallow):.0f}/s)",
        postgres=postgres,
        details={
            f"{size.shallow}": [round(one, 1) for one in shallow],
            f"{size.deep}": [round(one, 1) for one in deep],
        },
    )
