"""What a counter holds to work alone: keys, rules and the list of ended vouchers, checked before it is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from clients.counter.signed_text import from_base64url, is_signed

Fetch = Callable[[int], Mapping[str, Any]]


class NotTrusted(Exception):
    """A download was not signed by a key that this counter knows."""


@dataclass
class Bundle:
    """All of it, as it is kept in one file. ``clock_behind_s`` is how far this machine's clock lags the bank's."""

    server_time: str
    fetched_at: str
    clock_behind_s: float
    canteen_id: str
    canteen_name: str
    township_code: str
    scan_max_hours: int
    meal_periods: dict[str, list[str]]
    keys: list[dict[str, Any]]
    upto: int
    ended: set[str] = field(default_factory=set)

    def public_key(self, key_id: int) -> bytes | None:
        """The key of this number, if it may be trusted."""
        for key in self.keys:
            if key["key_id"] == key_id and key["revoked_at"] is None:
                return from_base64url(key["public_key"])
        return None

    def is_revoked(self, key_id: int) -> bool:
        """Whether the bank has said that this key is no good any more."""
        return any(key["key_id"] == key_id and key["revoked_at"] is not None for key in self.keys)

    def bank_time(self, now: datetime) -> datetime:
        """What the bank's clock shows when this machine's shows ``now``."""
        return now + timedelta(seconds=self.clock_behind_s)

    def as_json(self) -> dict[str, Any]:
        """For the file."""
        return {**self.__dict__, "ended": sorted(self.ended)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Bundle:
        """From the file."""
        return cls(**{**kept, "ended": set(kept["ended"])})


def download(fetch: Fetch, now: Callable[[], datetime], known: Bundle | None) -> Bundle:
    """The newest bundle, page by page; what is ``known`` is added to.

    The first download is trusted for the line it came over; every later one must be signed with a key that is known
    already, as the bank publishes each before it signs. Raises NotTrusted.
    """
    before = now()
    page = fetch(known.upto if known else 0)
    _must_be_signed(page, known.keys if known else page["keys"])
    behind = datetime.fromisoformat(page["server_time"]) - (before + (now() - before) / 2)
    bundle = Bundle(
        server_time=page["server_time"],
        fetched_at=now().isoformat(),
        clock_behind_s=behind.total_seconds(),
        canteen_id=page["canteen_id"],
        canteen_name=page["canteen_name"],
        township_code=page["township_code"],
        scan_max_hours=page["scan_max_hours"],
        meal_periods=dict(page["meal_periods"]),
        keys=list(page["keys"]),
        upto=page["upto"],
        ended=(known.ended if known else set()) | set(page["ended"]),
    )
    while page["more"]:
        page = fetch(bundle.upto)
        _must_be_signed(page, bundle.keys)
        bundle.ended |= set(page["ended"])
        bundle.upto = page["upto"]
    return bundle


def _must_be_signed(page: Mapping[str, Any], keys: list[dict[str, Any]]) -> None:
    said = {name: value for name, value in page.items() if name != "signature"}
    content = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    for key in keys:
        if key["key_id"] == page["key_id"] and key["revoked_at"] is None:
            if is_signed(content, from_base64url(page["signature"]), from_base64url(key["public_key"])):
                return
            break
    raise NotTrusted(f"signed with key {page['key_id']}")
