"""Whatever is ordered, changed and cancelled in whatever order, the bank does what stands on paper; bugs are caught."""

from __future__ import annotations

from collections import Counter
from functools import partial

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.bank.machine_bugs import must_all_be_caught
from tests.bank.orders_machine import Days, OrderMachine
from tests.bank.orders_seeded_bugs import BUGS
from tests.postgres import ThrowawayPostgres
from tests.thorough import length
from timebank.core.db import Database

STEADY = settings(
    max_examples=length(2, 15),
    stateful_step_count=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)

EVERYTHING = {
    *("ok", "changed", "cancelled", "cut_off_passed", "quantity_too_many", "already_ordered", "capacity_reached"),
    *("sold_out", "no_voucher", "insufficient_fen", "order_ended"),
}


def live(bank: Database) -> Counter[str]:
    """Run the machine; answers what came up."""
    seen: Counter[str] = Counter()
    run_state_machine_as_test(partial(OrderMachine, bank, Days(), seen), settings=STEADY)
    return seen


def test_the_bank_does_with_orders_what_stands_on_paper(bank: Database) -> None:
    seen = live(bank)
    assert EVERYTHING - set(seen) == set(), seen


def test_every_bug_in_the_life_of_orders_is_caught(postgres: ThrowawayPostgres, migrated_template: str) -> None:
    must_all_be_caught(postgres, migrated_template, BUGS[: length(5, len(BUGS))], live)
