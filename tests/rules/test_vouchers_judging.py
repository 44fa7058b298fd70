"""What one scan is answered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args

import pytest

from timebank.core.clock import LOCAL
from timebank.core.ids import new_id
from timebank.redemption.rules import (
    REASON_SENTENCES,
    STATUS_NAMES,
    Reason,
    VoucherState,
    VoucherStatus,
    judge,
)

NOON = datetime(2026, 3, 10, 12, tzinfo=LOCAL)
HERE, THERE, VOUCHER = new_id(), new_id(), new_id()


def test_a_voucher_in_issue_is_accepted_and_is_used_from_then_on() -> None:
    voucher = VoucherState(VOUCHER, "issued", NOON + timedelta(days=1))
    verdict, after = judge(voucher, HERE, NOON)
    assert (verdict.accepted, verdict.reason, verdict.redeemed_at, verdict.canteen_id) == (True, "ok", NOON, HERE)
    assert after is not None
    again, unchanged = judge(after, THERE, NOON + timedelta(minutes=5))
    assert (again.accepted, again.reason) == (False, "already_redeemed")
    assert (again.redeemed_at, again.canteen_id) == (NOON, HERE)
    assert unchanged == after


@pytest.mark.parametrize(("left", "reason"), [(1, "ok"), (0, "voucher_expired"), (-1, "voucher_expired")])
def test_a_voucher_is_good_up_to_and_not_with_the_moment_it_expires(left: int, reason: str) -> None:
    voucher = VoucherState(VOUCHER, "issued", NOON + timedelta(microseconds=left))
    assert judge(voucher, HERE, NOON)[0].reason == reason


def test_a_voucher_of_a_frozen_holder_is_refused_and_stays_unused() -> None:
    voucher = VoucherState(VOUCHER, "issued", NOON + timedelta(days=1), holder_frozen=True)
    verdict, after = judge(voucher, HERE, NOON)
    assert (verdict.accepted, verdict.reason, verdict.voucher_id) == (False, "holder_frozen", VOUCHER)
    assert after == voucher


@pytest.mark.parametrize(
    ("status", "reason"),
    [("refunded", "voucher_void"), ("void", "voucher_void"), ("expired", "voucher_expired")],
)
def test_a_voucher_that_ended_unused_names_no_place_and_time(status: str, reason: str) -> None:
    voucher = VoucherState(VOUCHER, status, NOON + timedelta(days=1))
    verdict, after = judge(voucher, HERE, NOON)
    assert (verdict.accepted, verdict.reason, verdict.redeemed_at, verdict.canteen_id) == (False, reason, None, None)
    assert after == voucher


def test_a_used_voucher_stays_used_after_its_last_day() -> None:
    voucher = VoucherState(VOUCHER, "redeemed", NOON - timedelta(days=1), NOON - timedelta(days=2), THERE)
    assert judge(voucher, HERE, NOON)[0].reason == "already_redeemed"


def test_an_unknown_code_is_refused_without_a_voucher() -> None:
    verdict, after = judge(None, HERE, NOON)
    assert (verdict.accepted, verdict.reason, verdict.voucher_id, after) == (False, "voucher_unknown", None, None)


def test_every_reason_and_every_status_has_its_words() -> None:
    assert set(REASON_SENTENCES) == set(get_args(Reason))
    assert set(STATUS_NAMES) == set(VoucherStatus)
    assert {"ok", "voucher_unknown", "already_redeemed", "voucher_expired", "voucher_void"} <= set(REASON_SENTENCES)
