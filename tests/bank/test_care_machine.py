"""Whatever is done with visits in whatever order, the bank says what the rules on paper say."""

from __future__ import annotations

from collections import Counter
from functools import partial

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.bank.care_machine import CareMachine
from tests.bank.care_walk import walk
from tests.thorough import length
from timebank.core.db import Database

STEADY = settings(
    max_examples=length(12, 40),
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

EVERYTHING = {
    *("booked", "assigned", "checked_in", "checked_out", "disputed", "confirmed", "cancelled", "not_home", "no_show"),
    *("lapsed", "care_time_taken", "insufficient_minutes", "care_provider_full", "care_provider_declined"),
    *("wrong_state", "visit_time_passed", "not_your_booking", "too_early", "excess_differs", "second_person_needed"),
    "jobs",
}
USUAL = {"booked", "assigned", "checked_in", "checked_out", "confirmed", "cancelled", "lapsed", "jobs"}


def test_the_bank_says_what_the_rules_on_paper_say(bank: Database) -> None:
    seen: Counter[str] = Counter()
    run_state_machine_as_test(partial(CareMachine, bank, seen), settings=STEADY)
    assert USUAL - set(seen) == set(), f"random steps did not reach them; they reached {sorted(seen)}"
    walk(bank, seen)
    assert EVERYTHING - set(seen) == set(), f"not tried at all; tried were {sorted(seen)}"
