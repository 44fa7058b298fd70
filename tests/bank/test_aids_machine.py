"""Whatever is done about aids in whatever order, the bank says what the notebook says, and its books balance."""

from __future__ import annotations

from collections import Counter
from functools import partial

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.bank.aids_machine import AidsMachine, set_policies
from tests.factories.tasks import NINE
from tests.thorough import length
from timebank.core import clock
from timebank.core.db import Database

STEADY = settings(
    max_examples=length(10, 40),
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

EVERYTHING = {
    *("reserved", "lent", "extended", "cancelled", "returned", "lost", "lapsed", "charged", "reminded", "swept"),
    *("in_repair", "good", "worn", "retired", "aid_retired", "aid_already_in_repair", "aid_not_in_repair"),
    *("aid_taken", "aid_not_usable", "aids_too_many", "aid_days_too_many", "insufficient_minutes", "wrong_state"),
    *("aid_overdue", "aid_reservation_lapsed"),
}


def test_the_bank_says_what_the_notebook_says(bank: Database) -> None:
    clock.freeze(NINE)
    set_policies(bank)
    seen: Counter[str] = Counter()
    run_state_machine_as_test(partial(AidsMachine, bank, seen), settings=STEADY)
    assert EVERYTHING - set(seen) == set(), f"not tried at all; tried were {sorted(seen.items())}"
