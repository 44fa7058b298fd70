"""Reading over HTTP 查询: a person's balance and statement, against a bare Flask answer of the same size.

Each run takes a fresh copy of the bank, serves it as ``timebank serve`` does, and lets 64 clients read; the very same
requests then go to a bare server, set up alike, that answers as many bytes without doing anything. Every other run
begins with the bare server.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

from app.auth.tokens import issue_token
from scripts.bench.load import Answers, send
from scripts.bench.outcome import Outcome
from scripts.bench.redeeming_scene import Lunch, open_lunch
from scripts.bench.rush_web import serving_bank, serving_bare
from scripts.bench.server import BenchServer, filling, measuring

WORKERS = 2
OF_BARE = 0.5
OPERATIONS = (("balance", "查余额"), ("statement", "查明细"))

_MOST_A_SECOND = 20_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done; every diner's statement has a whole page."""

    diners: int
    vouchers: int
    clients: int
    seconds: float
    repetitions: int


@dataclass(frozen=True, slots=True)
class Run:
    """How many answers a second, and of how many bytes."""

    bank: float
    bare: float
    answer_bytes: int
    client_cpus: float


def run(folder: Path, small: bool, tell: Callable[[str], None]) -> list[Outcome]:
    """One ratio an operation; ``folder`` is empty and is left for the caller to remove."""
    size = Size(12, 24, 4, 0.5, 1) if small else Size(1000, 24, 64, 8, 5)
    lunches: list[Lunch] = []
    with filling(folder) as server:
        fill = partial(open_lunch, counters=1, diners=size.diners, each=size.vouchers, tell=tell)
        server.make("lunch", lambda url: lunches.append(fill(url)))
    runs: dict[str, list[Run]] = {what: [] for what, _ in OPERATIONS}
    with measuring(folder) as server:
        bank: dict[str, Answers] = {}
        for number in range(size.repetitions):
            bare: dict[str, Answers] = {}
            if number % 2 == 1:
                bare = _measure_bare(folder, lunches[0], size, bank)
            bank = _measure_bank(server, folder, lunches[0], size)
            bare = bare or _measure_bare(folder, lunches[0], size, bank)
            for what in runs:
                length = _length(bank[what])
                runs[what].append(Run(bank[what].a_second, bare[what].a_second, length, bank[what].client_cpus))
                tell(f"reading {number + 1}/{size.repetitions}: {what} {runs[what][-1]}")
        return [_outcome(what, title, size, runs[what], server.version) for what, title in OPERATIONS]


def _measure_bank(server: BenchServer, folder: Path, lunch: Lunch, size: Size) -> dict[str, Answers]:
    with server.copy_of("lunch") as url, serving_bank(folder, url, workers=WORKERS) as port:
        return {what: _read(port, what, lunch.logins, size) for what, _ in OPERATIONS}


def _measure_bare(folder: Path, lunch: Lunch, size: Size, like: dict[str, Answers]) -> dict[str, Answers]:
    found = {}
    for what, answers in like.items():
        with serving_bare(folder, answer_bytes=_length(answers), workers=WORKERS) as port:
            found[what] = _read(port, what, lunch.logins, size)
    return found


def _length(answers: Answers) -> int:
    return round(statistics.mean(len(one.body) for one in answers.all))


def _read(port: int, what: str, logins: Sequence[UUID], size: Size) -> Answers:
    """Every client asks for one person after the other; a quarter of the time beforehand, for everything to be warm."""
    requests = [_request(port, what, issue_token(login)) for login in logins]
    needed = round(_MOST_A_SECOND * size.seconds) // size.clients
    queues = [
        [requests[(first + turn * size.clients) % len(requests)] for turn in range(needed)]
        for first in range(size.clients)
    ]
    send(port, queues, seconds=size.seconds / 4)
    answers = send(port, queues, seconds=size.seconds)
    for one in answers.all:
        if one.status != 200:
            raise RuntimeError(f"{what} is not to be had: {one.sent_back.decode()}")
    return answers


def _request(port: int, what: str, token: str) -> bytes:
    return f"GET /api/v1/me/{what} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def _outcome(what: str, title: str, size: Size, runs: Sequence[Run], postgres: str) -> Outcome:
    bank, bare = (statistics.median(getattr(one, side) for one in runs) for side in ("bank", "bare"))
    return Outcome(
        name=f"reading_{what}",
        title=title,
        runs=[one.bank / one.bare for one in runs],
        target=OF_BARE,
        at_least=True,
        measured=f"每秒应答 / 空 Flask 同样大小的应答 · me.{what} over HTTP, {size.clients} clients, {WORKERS} server "
        f"processes ({bank:.0f}/s) / a bare Flask answer of {runs[0].answer_bytes:,} bytes on the same server "
        f"({bare:.0f}/s)",
        postgres=postgres,
        details={
            name: [round(getattr(one, name), 2) for one in runs]
            for name in ("bank", "bare", "answer_bytes", "client_cpus")
        },
    )
