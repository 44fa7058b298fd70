"""The seal of a clearing window: a digest over everything its statements say. Pure, so that anybody can recompute it.

SHA-256 of canonical JSON (as for transfers, times as microseconds since 1970): the window's name, number, range, times
and prices; who owed whom for what; the lines moved in and out; every township's position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from timebank.clearing.rules import Sum
from timebank.ledger.sealing import canonical

MovedFact = tuple[UUID, int, int, int]
"""A moved line: the movement, from which window, into which, and its minutes."""

PositionFact = tuple[str, int, int]
"""A position: the township, its minutes and its fen."""


def window_seal(
    *,
    name: str,
    number: int,
    seqs: tuple[int, int],
    times: tuple[datetime, datetime],
    prices: Mapping[str, int],
    sums: Sequence[Sum],
    moved: Sequence[MovedFact],
    positions: Sequence[PositionFact],
) -> bytes:
    """The seal over what a closed window says; the order in which its parts are given does not matter."""
    said: list[Any] = [name, number, *seqs, *times]
    said.append(sorted(prices.items()))
    said.append(sorted([one.debtor, one.creditor, one.kind, one.minutes, one.transfers] for one in sums))
    said.append(sorted([str(transfer_id), *rest] for transfer_id, *rest in moved))
    said.append(sorted(list(position) for position in positions))
    return sha256(canonical(said)).digest()
