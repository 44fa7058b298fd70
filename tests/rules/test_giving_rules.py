"""What may be given, and to whom."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from timebank.core.clock import LOCAL
from timebank.core.errors import BankError
from timebank.giving.rules import (
    MonthlyCap,
    hardship_of,
    month_start,
    must_be_allowed_relation,
    must_be_amount,
    must_be_waiting,
    must_be_within_help,
)


def test_a_cap_lets_through_what_is_left_and_not_a_minute_more() -> None:
    MonthlyCap(600, 540).must_allow(60)
    with pytest.raises(BankError, match="gift_cap_reached") as refusal:
        MonthlyCap(600, 540).must_allow(61)
    assert refusal.value.facts == {"cap_minutes": 600, "given_minutes": 540, "left_minutes": 60}
    # The cap may have been lowered below what was given already.
    with pytest.raises(BankError, match="gift_cap_reached") as refusal:
        MonthlyCap(100, 540).must_allow(1)
    assert refusal.value.facts["left_minutes"] == 0


def test_a_cap_of_nothing_is_no_cap() -> None:
    MonthlyCap(0, 10**6).must_allow(10**6)


def test_a_month_begins_in_fenghua() -> None:
    last_of_march_in_utc = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
    assert month_start(last_of_march_in_utc) == datetime(2026, 4, 1, tzinfo=LOCAL)
    assert month_start(datetime(2026, 3, 31, 15, 59, tzinfo=UTC)) == datetime(2026, 3, 1, tzinfo=LOCAL)


def test_hardship_is_what_policy_counts_and_nothing_else() -> None:
    assert hardship_of(["独居", "低保", "特困"], ["特困", "低保"]) == ["低保", "特困"]
    for circumstances in ([], ["独居"]):
        with pytest.raises(BankError, match="not_in_hardship") as refusal:
            hardship_of(circumstances, ["特困", "低保"])
        assert refusal.value.facts == {"circumstances": circumstances, "counting": ["低保", "特困"]}


def test_a_relation_that_policy_does_not_name_receives_nothing() -> None:
    must_be_allowed_relation("child", ["child", "spouse"], "子女")
    with pytest.raises(BankError, match="gift_relation_not_allowed: 按规定不能赠与兄弟姐妹"):
        must_be_allowed_relation("sibling", ["child", "spouse"], "兄弟姐妹")


def test_help_keeps_to_its_limit() -> None:
    must_be_within_help(600, 600)
    with pytest.raises(BankError, match="hardship_help_too_much") as refusal:
        must_be_within_help(601, 600)
    assert refusal.value.facts["max_minutes"] == 600


@pytest.mark.parametrize("minutes", [0, -1, True, 1.5, 2**53])
def test_only_whole_positive_minutes_are_given(minutes: object) -> None:
    with pytest.raises(BankError, match="amount_invalid"):
        must_be_amount(minutes)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", ["approved", "declined"])
def test_a_request_is_decided_once(status: str) -> None:
    must_be_waiting("waiting")
    with pytest.raises(BankError, match="hardship_decided") as refusal:
        must_be_waiting(status)
    assert refusal.value.facts == {"status": status}
