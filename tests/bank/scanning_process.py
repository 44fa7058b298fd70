"""Counters in a process of their own: each scans the same voucher, all at the moment when the lock is let go."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import text

from tests.conftest import SECRET
from tests.factories.people import clerk
from timebank.core import crypto
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.redemption.actions import redeem_vouchers
from timebank.redemption.rules import Scan
from timebank.townships.models import Organisation

GATE = 0x7E57
"""Advisory lock that the test holds until every counter of every process stands ready."""


def scan_once(bank: Database, code: str, canteen_id: str) -> dict[str, Any]:
    """One scan at one canteen, behind the gate; what the clerk was told."""
    with bank.unit_of_work() as session:
        actor = clerk(session.get_one(Organisation, canteen_id))
        session.execute(text("SELECT pg_advisory_xact_lock_shared(:gate)"), {"gate": GATE})
        told = redeem_vouchers(session, actor=actor, scans=[Scan(code, str(new_id()))])[0]
    verdict = told.verdict
    where, when = str(verdict.canteen_id), verdict.redeemed_at.isoformat() if verdict.redeemed_at else None
    return {"reason": verdict.reason, "where": where, "when": when}


def main(code: str, canteen_ids: Sequence[str]) -> None:
    """Scan at each canteen at once, and write down what was told."""
    crypto.use_secret(SECRET)
    bank = Database(os.environ["SCANNED_DATABASE"], pool_size=len(canteen_ids))
    with ThreadPoolExecutor(len(canteen_ids)) as counters:
        told = list(counters.map(lambda canteen_id: scan_once(bank, code, canteen_id), canteen_ids))
    bank.close()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
