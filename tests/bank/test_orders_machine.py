"""Whatever is ordered, changed and cancelled in whatever order, the bank does what stands on paper; bugs are caught."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.exc import DBAPIError

from tests.bank.ledger_guards import one_database
from tests.bank.orders_machine import Days, OrderMachine
from tests.bank.orders_seeded_bugs import BUGS, Bug
from tests.postgres import ThrowawayPostgres
from tests.thorough import length
from timebank.core.db import Database
from timebank.core.errors import BankError

STEADY = settings(
    max_examples=length(3, 15),
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


def caught(bank: Database, bug: Bug) -> str:
    """What caught the bug: the database, which refused to write, or the machine; '' where nothing did."""
    with pytest.MonkeyPatch.context() as patch:
        bug.sow(patch)
        try:
            live(bank)
        except DBAPIError:
            return "the database"
        except (AssertionError, BankError, Flaky, RuntimeError, KeyError):
            return "the machine"
    return ""


def test_every_bug_in_the_life_of_orders_is_caught(postgres: ThrowawayPostgres, migrated_template: str) -> None:
    by: dict[str, str] = {}
    for number, bug in enumerate(BUGS[: length(5, len(BUGS))]):
        with one_database(postgres, migrated_template, f"order_bug_{number}") as bank:
            by[bug.name] = caught(bank, bug)
        print(f"{bug.name}: {by[bug.name] or 'NOT caught'}")
    assert [name for name, who in by.items() if not who] == []
