"""Whatever becomes of vouchers in whatever order, the bank does what stands on paper; and bugs are caught."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.exc import DBAPIError

from tests.bank.ledger_guards import one_database
from tests.bank.voucher_bugs import BUGS, Bug
from tests.bank.voucher_machine import Times, VoucherMachine
from tests.postgres import ThrowawayPostgres
from tests.thorough import length
from timebank.core.db import Database
from timebank.core.errors import BankError

STEADY = settings(
    max_examples=length(5, 12),
    stateful_step_count=80,
    deadline=None,
    derandomize=True,
    database=None,
    # Without shrinking: a failure is shown as it was found, in seconds, and its steps are few anyway.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)

EVERYTHING = {
    *("ok", "insufficient_minutes", "monthly_limit_reached", "voucher_not_refundable", "voucher_unknown"),
    *("voucher_not_issued", "not_relatives", "voucher_not_giftable", "already_redeemed", "voucher_expired"),
    *("voucher_void", "voucher_not_today", "expired to refund", "expired to pool"),
}


def live(bank: Database) -> Counter[str]:
    """Run the machine; answers what came up."""
    seen: Counter[str] = Counter()
    run_state_machine_as_test(partial(VoucherMachine, bank, Times(), seen), settings=STEADY)
    return seen


def test_the_bank_does_with_vouchers_what_stands_on_paper(bank: Database) -> None:
    seen = live(bank)
    assert EVERYTHING - {said for said, times in seen.items() if times} == set(), seen


def caught(bank: Database, bug: Bug) -> str:
    """What caught the bug: the database, which refused to write, or the machine; '' where nothing did."""
    with pytest.MonkeyPatch.context() as patch:
        bug.sow(patch)
        try:
            live(bank)
        except DBAPIError:
            return "the database"
        # Broken books behave differently the second time that an example is run on them: Flaky comes of a failure only.
        except (AssertionError, BankError, Flaky, RuntimeError):
            return "the machine"
    return ""


def test_every_bug_in_the_life_of_vouchers_is_caught(postgres: ThrowawayPostgres, migrated_template: str) -> None:
    by: dict[str, str] = {}
    for number, bug in enumerate(BUGS[: length(4, len(BUGS))]):
        with one_database(postgres, migrated_template, f"voucher_bug_{number}") as bank:
            by[bug.name] = caught(bank, bug)
        print(f"{bug.name}: {by[bug.name] or 'NOT caught'}")
    assert [name for name, who in by.items() if not who] == []
