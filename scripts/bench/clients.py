"""Clients that redeem without pause, each in a process of its own, and how long each redemption took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event

from scripts.bench.scene import SECRET, Till, buy
from timebank.core import crypto
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.redemption.actions import redeem_vouchers
from timebank.redemption.rules import Scan

_PATIENCE_S = 60.0

Span = tuple[float, float]
"""When something began and ended, in seconds of the machine's monotonic clock, which all processes share."""


@dataclass(slots=True)
class Crowd:
    """The redemptions of all clients, once they have stopped."""

    spans: list[Span] = field(default_factory=list)

    def within(self, first: float, last: float) -> list[float]:
        """The seconds that each redemption took that began and ended between these moments."""
        return [end - begin for begin, end in self.spans if first <= begin and end <= last]

    def touching(self, first: float, last: float) -> list[float]:
        """The seconds that each redemption took that was at work at any moment between these."""
        return [end - begin for begin, end in self.spans if begin < last and first < end]


@contextmanager
def redeeming(url: str, tills: Sequence[Till]) -> Iterator[Crowd]:
    """Clients at work while the block runs, one process a till; the crowd's spans are there after the block.

    Raises RuntimeError where a redemption failed or was refused.
    """
    context = get_context("spawn")
    enough, crowd = context.Event(), Crowd()
    lines = [context.Pipe() for _ in tills]
    clients = [
        context.Process(target=_redeem, args=(url, SECRET, till, enough, theirs), daemon=True)
        for till, (_, theirs) in zip(tills, lines, strict=True)
    ]
    for client in clients:
        client.start()
    try:
        for ours, _ in lines:
            _hear(ours)
        yield crowd
        enough.set()
        for ours, _ in lines:
            crowd.spans += _hear(ours)
    finally:
        enough.set()
        for client in clients:
            client.join(_PATIENCE_S)
            if client.is_alive():
                client.kill()
                client.join()
            client.close()


def _hear(line: Connection) -> list[Span]:
    if not line.poll(_PATIENCE_S):
        raise RuntimeError("a client does not answer")
    said: list[Span] | str = line.recv()
    if isinstance(said, str):
        raise RuntimeError(f"a client stopped: {said}")
    return said


def _redeem(url: str, secret: str, till: Till, enough: Event, line: Connection) -> None:
    """Scan one voucher after another; say so when at work (an empty list), and at the end how long each took."""
    crypto.use_secret(secret)
    bank = Database(url, pool_size=1)
    spans: list[Span] = []
    try:
        while not enough.is_set():
            # Buying more is no part of a redemption and is not measured; there are enough for an ordinary run.
            if not till.codes:
                till.codes.extend(buy(bank, till.holder))
            spans.append(_scan(bank, till, till.codes.pop()))
            if len(spans) == 1:
                line.send([])
        line.send(spans)
    except Exception as failure:
        line.send(f"{type(failure).__name__}: {failure}")
    finally:
        bank.close()


def _scan(bank: Database, till: Till, code: str) -> Span:
    begin = time.monotonic()
    with bank.unit_of_work() as session:
        [answer] = redeem_vouchers(session, actor=till.clerk, scans=[Scan(code, str(new_id()))])
    end = time.monotonic()
    if not answer.verdict.accepted:
        raise RuntimeError(f"refused as {answer.verdict.reason}")
    return begin, end
