"""The sealed form of transfers, recomputed from its description in words, in the plainest way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

FIELDS = [
    *("seq", "id", "book_code", "unit", "from_account_id", "to_account_id", "amount", "kind", "link_id"),
    *("counterpart_book_code", "from_version", "from_balance", "to_version", "to_balance", "effective_at"),
    *("recorded_at", "policy_version", "cause_kind", "cause_id", "note", "recorded_by", "reverses_id", "approved_by"),
]


def microseconds(moment: datetime) -> int:
    """Since 1970, as a whole number."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def plain(value: Any) -> Any:
    """As JSON says it: ids as text, times as microseconds."""
    if isinstance(value, UUID):
        return str(value)
    return microseconds(value) if isinstance(value, datetime) else value


def as_json(values: Sequence[Any]) -> bytes:
    """JSON without blanks, Chinese as itself."""
    return json.dumps([plain(value) for value in values], ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def root_of(payloads: Sequence[bytes]) -> bytes:
    """Level by level: neighbours are hashed together, one without a neighbour moves up as it is."""
    level = [hashlib.sha256(b"\x00" + payload).digest() for payload in payloads]
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [hashlib.sha256(b"\x01" + p[0] + p[1]).digest() if len(p) == 2 else p[0] for p in pairs]
    return level[0]
