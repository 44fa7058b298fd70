"""One voucher scanned by twenty counters in four processes at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import text

from tests.bank.scanning_process import GATE
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen
from tests.factories.vouchers import bought
from timebank.core.db import Database

_WAITING = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :gate AND NOT granted")


def test_twenty_counters_in_four_processes_eat_one_voucher_once(bank: Database, database_url: str) -> None:
    _, [voucher] = bought(bank)
    with bank.unit_of_work() as session:
        canteens = [str(add_canteen(session, (XIWU, DAYAN, SHANGTIAN)[n % 3]).id) for n in range(20)]
    environment = {**os.environ, "SCANNED_DATABASE": database_url}
    with bank.session() as gate:
        gate.execute(text("SELECT pg_advisory_lock(:gate)"), {"gate": GATE})
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.bank.scanning_process", voucher.code, *canteens[first : first + 5]],
                cwd=Path(__file__).parents[2],
                env=environment,
                stdout=subprocess.PIPE,
            )
            for first in range(0, 20, 5)
        ]
        try:
            while gate.scalar(_WAITING, {"gate": GATE}) < 20:
                assert all(process.poll() is None for process in running)
                time.sleep(0.05)
        finally:
            gate.execute(text("SELECT pg_advisory_unlock(:gate)"), {"gate": GATE})
            answers = [process.communicate(timeout=120)[0] for process in running]
    told = [one for answer in answers for one in json.loads(answer)]
    assert Counter(one["reason"] for one in told) == {"ok": 1, "already_redeemed": 19}
    # Everybody hears the same place and the same moment.
    assert len({(one["where"], one["when"]) for one in told}) == 1
    assert told[0]["where"] in canteens
