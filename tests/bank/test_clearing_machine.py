"""Whatever happens between the twelve townships, in whatever order, the bank says what the books on paper say."""

from __future__ import annotations

from collections import Counter
from functools import partial

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.bank.clearing_machine import ClearingMachine
from tests.bank.clearing_scene import scene_of_clearing
from tests.postgres import ThrowawayPostgres
from tests.thorough import length

LONG = settings(
    max_examples=length(5, 8),
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    database=None,
    # Without shrinking: a failure is shown as it was found, and each of its steps takes a while.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

EVERYTHING = {
    *(("earn", "done"), ("borrow", "done"), ("buy", "done"), ("eat", "ok"), ("give_back", "done"), ("move", "done")),
    *(
        ("reverse", "reversed"),
        ("reverse", "insufficient_minutes"),
        ("close", "done"),
        ("close", "window_already_closed"),
    ),
    *(("close", "price_missing"), ("object", "done"), ("object", "line_of_others"), ("rule", "done")),
    *(("rule", "dispute_already_ruled"), ("agree", "done"), ("settle, pay", "done"), ("settle, carry", "done")),
    *(("settle, pay", "window_already_settled"), ("settle, carry", "window_still_open"), ("undo", "done")),
    *(("undo", "settlement_already_paid"), ("pay", "done")),
}
"""What must have been tried at the least, and what came of it."""


def test_the_bank_says_what_the_twelve_books_on_paper_say(postgres: ThrowawayPostgres, migrated_template: str) -> None:
    seen: Counter[object] = Counter()
    with scene_of_clearing(postgres, migrated_template, "clearing") as scene:
        run_state_machine_as_test(partial(ClearingMachine, scene, seen), settings=LONG)
    assert EVERYTHING - set(seen) == set(), f"not tried at all; tried were {sorted(seen, key=str)}"
