"""What a bank answers a counter, and what a counter keeps, for tests."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from clients.counter.journal import Kept
from timebank.redemption.codes import new_code
from timebank.redemption.signing import PrivateKey, SignedVoucher, signed_payload, text_of

KEY, NEXT = PrivateKey(1, b"1" * 32), PrivateKey(2, b"2" * 32)
THIRD = PrivateKey(3, b"3" * 32)
STRANGER = PrivateKey(1, bytes(32))
# 12:00 on a Tuesday in Fenghua.
NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)
PERIODS = {"breakfast": ["06:00", "09:00"], "lunch": ["10:30", "13:00"], "supper": ["16:00", "18:30"]}


def key_entry(key: PrivateKey, revoked_at: str | None = None) -> dict[str, Any]:
    said = {"signs_from": NOON.isoformat(), "signs_until": NOON.isoformat()}
    return {"key_id": key.id, "public_key": text_of(key.public), "revoked_at": revoked_at, **said}


def page(signer: PrivateKey = KEY, **changes: Any) -> dict[str, Any]:
    """One page of the bank's download, signed."""
    said = {
        "server_time": NOON.isoformat(),
        "canteen_id": "c",
        "canteen_name": "西坞食堂",
        "township_code": "330213004",
        "scan_max_hours": 72,
        "clock_skew_minutes": 10,
        "meal_periods": PERIODS,
        "keys": [key_entry(KEY), key_entry(NEXT)],
        "since": 0,
        "upto": 0,
        "more": False,
        "ended": [],
        "key_id": signer.id,
        **changes,
    }
    content = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    return {**said, "signature": text_of(signer.sign(content))}


GOOD = SignedVoucher("ABCDEFGHJKW", NOON + timedelta(days=30))


def kept(number: int) -> Kept:
    return Kept(f"n{number}", f"TB1.{number}", NOON.isoformat(), f"CODE{number}")


def signed_texts(quantity: int) -> list[str]:
    """The QRs of so many good vouchers."""
    return [signed_payload(SignedVoucher(new_code(), GOOD.expires_at), KEY) for _ in range(quantity)]
