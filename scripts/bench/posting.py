"""Writers and readers of the ledger itself, without doors: each a process of its own that works for a while."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.actions import post
from timebank.ledger.queries import balance_of, statement
from timebank.ledger.rules import Movement, Posting

BATCH = 1000
WRITERS = (1, 2)
"""How many writers are tried; the best number is taken."""

_PAGE = 20


@dataclass(frozen=True, slots=True)
class Accounts:
    """Savings accounts by township, and whose they are."""

    by_township: Sequence[Sequence[int]]
    holders: Sequence[UUID]


def best_writers(url: str, accounts: Accounts, *, seconds: float, tried: Sequence[int] = WRITERS) -> int:
    """Of the numbers of writers that are tried, the one with which most is posted."""
    if len(tried) == 1:
        return tried[0]
    return max(tried, key=lambda writers: posted_a_second(url, accounts, writers=writers, seconds=seconds))


def posted_a_second(
    url: str, accounts: Accounts, *, writers: int, seconds: float, at_once: int = BATCH, across: bool = False
) -> float:
    """Transfers a second by so many writers, each of whom posts so many at once and commits.

    They go between random accounts, of one township or, ``across``, of two.
    """
    work = partial(_post, url, accounts, at_once, across)
    return _together(work, writers, seconds)


def read_a_second(url: str, accounts: Accounts, *, readers: int, seconds: float) -> float:
    """How many people's balance and first page of the statement are read a second, by so many readers."""
    return _together(partial(_read, url, accounts), readers, seconds)


def _together(work: Callable[[int, float], float], processes: int, seconds: float) -> float:
    """What so many processes do a second; ``work`` is given a seed and how long to go on."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        list(pool.map(_warm, range(processes)))
        under_way = [pool.submit(work, seed, seconds) for seed in range(processes)]
        return sum(one.result() for one in under_way)


def _warm(_number: int) -> None:
    """Wait a moment, so that every process has something to start for."""
    time.sleep(0.1)


def _post(url: str, accounts: Accounts, at_once: int, across: bool, seed: int, seconds: float) -> float:
    chance = random.Random(seed)

    def deed(session: Session) -> int:
        for refusal in post(session, [_posting(accounts, across, chance) for _ in range(at_once)]):
            if isinstance(refusal, BankError):
                raise refusal
        return at_once

    return _again_and_again(url, deed, seconds)


def _posting(accounts: Accounts, across: bool, chance: random.Random) -> Posting:
    if across:
        payer, payee = (chance.choice(of_town) for of_town in chance.sample(accounts.by_township, 2))
    else:
        payer, payee = chance.sample(chance.choice(accounts.by_township), 2)
    return (Movement(new_id(), payer, payee, 1, "bulk", clock.now()),)


def _read(url: str, accounts: Accounts, seed: int, seconds: float) -> float:
    chance = random.Random(seed)

    def deed(session: Session) -> int:
        person_id = chance.choice(accounts.holders)
        balance_of(session, person_id)
        if len(statement(session, person_id, limit=_PAGE + 1)) <= _PAGE:
            raise RuntimeError("a statement has less than a page")
        return 1

    return _again_and_again(url, deed, seconds)


def _again_and_again(url: str, deed: Callable[[Session], int], seconds: float) -> float:
    """What a deed a unit of work comes to a second; the first one, which finds everything cold, is not counted."""
    bank = Database(url, pool_size=1)
    try:
        with bank.unit_of_work() as session:
            deed(session)
        done, begin, now = 0, time.monotonic(), 0.0
        while now < begin + seconds:
            with bank.unit_of_work() as session:
                done += deed(session)
            now = time.monotonic()
        return done / (now - begin)
    finally:
        bank.close()
