"""Doing things at the same moment in several threads, and hearing from every one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from timebank.core.db import Database

Answer = TypeVar("Answer")

WAITS_FOR_NOBODY = "SET LOCAL lock_timeout = '2s'"
"""Makes a session fail, rather than wait on, a lock that somebody keeps."""


def at_once(acts: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Start all together; the answers in order. Raises what any of them raised."""
    ready = Barrier(len(acts))

    def start(act: Callable[[], Answer]) -> Answer:
        ready.wait(timeout=60)
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        started = [pool.submit(start, act) for act in acts]
        return [done.result() for done in started]


@contextmanager
def without_pause(acts: Sequence[Callable[[], object]]) -> Iterator[None]:
    """Each act over and over in a thread of its own while the block runs. Raises what any of them raised."""
    enough = Event()

    def again(act: Callable[[], object]) -> int:
        times = 0
        while not enough.is_set():
            act()
            times += 1
        return times

    with ThreadPoolExecutor(len(acts)) as pool:
        running: list[Future[int]] = [pool.submit(again, act) for act in acts]
        try:
            yield
        finally:
            enough.set()
        assert all(done.result() > 0 for done in running)


@contextmanager
def held_open(bank: Database, act: Callable[[Session], object]) -> Iterator[Session]:
    """A transaction of somebody else that has done ``act`` and does not end before the block; then it is undone."""
    with bank.session() as session:
        act(session)
        yield session
        session.rollback()


def wait_for_nobody(session: Session) -> None:
    """From here on this transaction fails where it would have to wait for a lock."""
    session.execute(text(WAITS_FOR_NOBODY))
