"""Whatever is done in whatever order, the books say what the ledger on paper says."""

from __future__ import annotations

from collections import Counter
from functools import partial

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.bank.ledger_machine import LedgerMachine
from tests.thorough import length
from timebank.core.db import Database

STEADY = settings(
    max_examples=length(24, 60),
    stateful_step_count=32,
    deadline=None,
    derandomize=True,
    database=None,
    # Without shrinking: a failure is shown as it was found, in seconds, and its steps are few anyway.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


EVERYTHING = {
    *("posted", "replayed", "transfer_id_reused", "amount_invalid", "accounts_do_not_fit"),
    *("insufficient_minutes", "insufficient_fen", "hold_needs_floor", "hold_id_reused", "placed", "captured"),
    *("hold_ended", "hold_not_expired", "capture_exceeds_hold", "capture_from_elsewhere", "released", "expired"),
    *("awaiting_second_person", "second_person_needed", "reversed", "already_reversed", "not_reversible", "swept"),
}


def test_the_books_say_what_the_ledger_on_paper_says(bank: Database) -> None:
    seen: Counter[object] = Counter()
    run_state_machine_as_test(partial(LedgerMachine, bank, seen), settings=STEADY)
    came_up = {said[0] if isinstance(said, tuple) else said for said, times in seen.items() if times}
    assert EVERYTHING - came_up == set(), f"not tried at all; tried were {sorted(came_up, key=str)}"
