"""Whatever becomes of vouchers in whatever order, the bank does what stands on paper; and bugs are caught."""

from __future__ import annotations

from collections import Counter
from functools import partial

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.bank.machine_bugs import must_all_be_caught
from tests.bank.voucher_bugs import BUGS
from tests.bank.voucher_machine import Times, VoucherMachine
from tests.postgres import ThrowawayPostgres
from tests.thorough import length
from timebank.core.db import Database

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


def test_every_bug_in_the_life_of_vouchers_is_caught(postgres: ThrowawayPostgres, migrated_template: str) -> None:
    must_all_be_caught(postgres, migrated_template, BUGS[: length(2, len(BUGS))], live)
