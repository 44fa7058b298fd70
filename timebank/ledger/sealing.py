"""How transfers are sealed: canonical bytes, Merkle root, chain. Pure, so that anybody can recompute it.

A leaf is SHA-256 of ``00`` and a transfer's canonical JSON (all fields, in the order below, times as microseconds
since 1970); an inner node is SHA-256 of ``01`` and its two children; a node without a neighbour moves up unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

GENESIS = bytes(32)
"""What the first seal is chained to."""

SEALED_FIELDS = (
    *("seq", "id", "book_code", "unit", "from_account_id", "to_account_id", "amount", "kind", "link_id"),
    *("counterpart_book_code", "from_version", "from_balance", "to_version", "to_balance", "effective_at"),
    *("recorded_at", "policy_version", "cause_kind", "cause_id", "note", "recorded_by", "reverses_id", "approved_by"),
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def canonical(values: Sequence[Any]) -> bytes:
    """One transfer's fields, in the order of ``SEALED_FIELDS``, as bytes."""
    return json.dumps([_plain(v) for v in values], ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(microseconds=1)
    return str(value) if isinstance(value, UUID) else value


class MerkleTree:
    """Takes leaves one by one in constant memory; ``root`` is ready at any time."""

    def __init__(self) -> None:
        self.leaves = 0
        self._levels: list[bytes | None] = []

    def add(self, payload: bytes) -> None:
        """Add one leaf."""
        self.leaves += 1
        node = sha256(b"\x00" + payload).digest()
        for level, left in enumerate(self._levels):
            if left is None:
                self._levels[level] = node
                return
            self._levels[level] = None
            node = sha256(b"\x01" + left + node).digest()
        self._levels.append(node)

    def root(self) -> bytes:
        """The root over all leaves so far. Raises ValueError where there are none."""
        node: bytes | None = None
        for left in self._levels:
            if left is not None:
                node = left if node is None else sha256(b"\x01" + left + node).digest()
        if node is None:
            raise ValueError("an empty tree has no root")
        return node


def seal_hash(
    *,
    number: int,
    from_seq: int,
    to_seq: int,
    transfers: int,
    merkle_root: bytes,
    previous_hash: bytes,
    sealed_at: datetime,
) -> bytes:
    """The hash of a seal over everything it says, the previous seal's hash included."""
    said = canonical([number, from_seq, to_seq, transfers, merkle_root.hex(), previous_hash.hex(), sealed_at])
    return sha256(said).digest()
