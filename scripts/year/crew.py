"""Who does the work: hands, each with a share of the canteens, in processes of their own or (for tests) in this one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from scripts.year.living import Hand, OutOfStep, Share
from timebank.core import crypto
from timebank.core.db import Database
from timebank.core.errors import BankError

Answer = TypeVar("Answer")

_mine: list[Hand] = []
"""The hand of this process."""


def _begin(url: str, secret: str, share: Share) -> None:
    crypto.use_secret(secret)
    _mine.append(Hand(Database(url), share))


def _do(deed: Callable[..., Answer], given: tuple[Any, ...]) -> Answer:
    try:
        return deed(_mine[0], *given)
    except BankError as refusal:
        # A refusal with its facts does not go through the pipe between two processes.
        raise OutOfStep(f"{refusal.code}: {refusal}") from None


class Crew:
    """All hands; a deed is done by every one of them at the same time, each for its own share."""

    def __init__(self, hands: Sequence[Hand], processes: Sequence[ProcessPoolExecutor]) -> None:
        self._hands, self._processes = hands, processes

    def do(self, deed: Callable[..., Answer], *given: Any) -> list[Answer]:
        """``deed(hand, *given)`` of every hand; raises what one of them raises."""
        begun: list[Future[Answer]] = [process.submit(_do, deed, given) for process in self._processes]
        return [one.result() for one in begun] + [deed(hand, *given) for hand in self._hands]


@contextmanager
def crew(url: str, secret: str, shares: Sequence[Share], *, in_this_process: bool) -> Iterator[Crew]:
    """One hand for each share until the block ends."""
    if in_this_process:
        banks = [Database(url) for _ in shares]
        try:
            yield Crew([Hand(bank, share) for bank, share in zip(banks, shares, strict=True)], [])
        finally:
            for bank in banks:
                bank.close()
        return
    # Not forked: no connection of this process is to be shared.
    context = get_context("spawn")
    processes = [ProcessPoolExecutor(1, context, initializer=_begin, initargs=(url, secret, share)) for share in shares]
    try:
        yield Crew([], processes)
    finally:
        for process in processes:
            process.shutdown(cancel_futures=True)
