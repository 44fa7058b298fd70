"""When a scan made without a line counts, and who pays the meal."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from timebank.core.clock import LOCAL
from timebank.core.ids import new_id
from timebank.redemption.good_times import GoodTimes
from timebank.redemption.offline_rules import LOSS_NAMES, Leeway, LossReason, judge_past, moment_that_counts
from timebank.redemption.rules import VoucherState

NOON = datetime(2026, 3, 10, 12, tzinfo=LOCAL)
HOUR = timedelta(hours=1)
HERE, THERE, VOUCHER = new_id(), new_id(), new_id()
LEEWAY = Leeway(max_hours=72, skew_minutes=10)
GOOD = VoucherState(VOUCHER, "issued", NOON + timedelta(days=1))


@pytest.mark.parametrize(
    ("ago", "counts"),
    [
        (timedelta(), timedelta()),
        (HOUR, HOUR),
        (72 * HOUR, 72 * HOUR),
        (72 * HOUR + timedelta(microseconds=1), None),
        (timedelta(minutes=-10), timedelta()),
        (timedelta(minutes=-10, microseconds=-1), None),
    ],
)
def test_a_scan_counts_from_when_it_was_made_if_it_is_neither_too_old_nor_from_the_future(
    ago: timedelta, counts: timedelta | None
) -> None:
    at = moment_that_counts(NOON - ago, now=NOON, issued_at=NOON - 100 * HOUR, leeway=LEEWAY)
    assert at == (None if counts is None else NOON - counts)


@pytest.mark.parametrize(("after", "believed"), [(-11, False), (-10, True), (0, True), (5, True)])
def test_a_scan_from_before_the_voucher_was_issued_is_not_believed(after: int, believed: bool) -> None:
    issued_at = NOON - HOUR
    at = moment_that_counts(issued_at + timedelta(minutes=after), now=NOON, issued_at=issued_at, leeway=LEEWAY)
    assert (at is not None) is believed


def test_without_a_time_of_its_own_a_scan_counts_on_arrival() -> None:
    assert moment_that_counts(None, now=NOON, issued_at=NOON - HOUR, leeway=LEEWAY) is None


def judged(voucher: VoucherState, *, here: bool = True, honoured_here: bool = False) -> tuple[str, LossReason | None]:
    canteen = HERE if here else THERE
    verdict, _, loss = judge_past(voucher, canteen, NOON, township_code="330213004", honoured_here=honoured_here)
    assert not (verdict.accepted and loss)
    return verdict.reason, loss


def test_a_voucher_in_issue_is_used_from_the_moment_of_the_scan_even_if_it_has_expired_since() -> None:
    verdict, after, loss = judge_past(
        replace(GOOD, expires_at=NOON + HOUR), HERE, NOON, township_code=None, honoured_here=False
    )
    assert (verdict.accepted, verdict.redeemed_at, after.status, loss) == (True, NOON, "redeemed", None)


def test_what_was_eaten_elsewhere_too_is_a_loss_and_at_the_same_canteen_none() -> None:
    used = replace(GOOD, status="redeemed", redeemed_at=NOON - HOUR, canteen_id=THERE, ended_at=NOON - HOUR)
    assert judged(used) == ("already_redeemed", LossReason.EATEN_TWICE)
    assert judged(used, here=False) == ("already_redeemed", None)
    assert judged(used, honoured_here=True) == ("already_redeemed", None)


@pytest.mark.parametrize(
    ("status", "reason"), [("refunded", "voucher_void"), ("void", "voucher_void"), ("expired", "voucher_expired")]
)
def test_what_ended_after_the_meal_is_a_loss_and_what_ended_before_it_none(status: str, reason: str) -> None:
    ended = replace(GOOD, status=status, ended_at=NOON + HOUR)
    assert judged(ended) == (reason, LossReason.ENDED_MEANWHILE)
    assert judged(ended, honoured_here=True) == (reason, None)
    assert judged(replace(ended, ended_at=NOON)) == (reason, None)


@pytest.mark.parametrize(
    "bad",
    [
        {"expires_at": NOON},
        {"only_township_code": "330213107"},
        {"good_times": GoodTimes(weekdays=(1, 3))},
        {"good_times": GoodTimes(meals={"supper": ["16:30", "19:00"]})},
    ],
    ids=["expired", "other township", "other day", "other meal"],
)
def test_a_voucher_that_was_not_good_at_the_meal_is_never_a_loss(bad: dict[str, object]) -> None:
    used = replace(GOOD, status="redeemed", redeemed_at=NOON, canteen_id=THERE, ended_at=NOON, **bad)  # type: ignore[arg-type]
    assert judged(used) == ("already_redeemed", None)
    assert judged(replace(GOOD, **bad))[1] is None  # type: ignore[arg-type]


def test_every_loss_has_its_words() -> None:
    assert set(LOSS_NAMES) == set(LossReason)


def test_a_frozen_holder_is_what_a_counter_without_a_line_cannot_know() -> None:
    frozen = replace(GOOD, holder_frozen=True)
    assert judged(frozen) == ("ok", None)
    refunded = replace(frozen, status="refunded", ended_at=NOON + HOUR)
    assert judged(refunded) == ("voucher_void", LossReason.ENDED_MEANWHILE)


def test_a_refusal_without_a_line_does_not_unfreeze_the_voucher() -> None:
    frozen = replace(GOOD, holder_frozen=True, only_township_code="330213005")
    _, after, _ = judge_past(frozen, HERE, NOON, township_code="330213004", honoured_here=False)
    assert after == frozen
