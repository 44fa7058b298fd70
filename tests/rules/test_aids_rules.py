"""The rules of borrowing aids, without any database."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.core.errors import BankError
from timebank.policies.rules import check_value
from timebank.redemption.aids.rules import (
    Condition,
    LoanStatus,
    after,
    day_number,
    day_of,
    due_back_on,
    must_be_usable,
    must_be_within_days,
    must_have_room,
    nearest_first,
    overdue_days,
    price_per_day,
    reminder_text,
    reminders_due,
    taken,
    uncharged_days,
)

TENTH = date(2026, 3, 10)
STEPS = ("lend", "cancel", "lapse", "extend", "return", "lose")


def test_a_loan_goes_from_reserved_to_lent_to_its_end_and_no_other_way() -> None:
    went, refused = {}, set()
    for status in LoanStatus:
        for step in STEPS:
            try:
                went[status.value, step] = after(step, status).value
            except BankError as refusal:
                refused.add((refusal.code, refusal.facts["status"] == status))
    assert refused == {("wrong_state", True)}
    assert went == {
        ("reserved", "lend"): "lent",
        ("reserved", "cancel"): "cancelled",
        ("reserved", "lapse"): "lapsed",
        ("lent", "extend"): "lent",
        ("lent", "return"): "returned",
        ("lent", "lose"): "lost",
    }


def test_only_what_is_good_or_worn_can_be_borrowed() -> None:
    refused = []
    for condition in Condition:
        try:
            must_be_usable(condition)
        except BankError as refusal:
            refused.append((condition.value, refusal.code))
    assert refused == [("in_repair", "aid_not_usable"), ("retired", "aid_not_usable")]


def test_a_kind_has_its_own_price_or_the_common_one() -> None:
    prices = {"default": 30, "nursing_bed": 45}
    assert [price_per_day(prices, kind) for kind in ("nursing_bed", "crutch")] == [45, 30]


def test_a_day_begun_counts_from_the_day_of_lending_on() -> None:
    days = [TENTH, TENTH + timedelta(days=1), TENTH + timedelta(days=2)]
    assert [day_number(TENTH, day) for day in days] == [1, 2, 3]
    assert uncharged_days(TENTH, 0, days[2]) == days
    assert uncharged_days(TENTH, 2, days[2]) == days[2:]
    assert uncharged_days(TENTH, 3, days[2]) == []


@given(gap=st.integers(-3, 400), charged=st.integers(0, 400))
def test_what_is_uncharged_follows_what_is_charged_without_a_gap_up_to_today(gap: int, charged: int) -> None:
    today = TENTH + timedelta(days=gap)
    found = uncharged_days(TENTH, charged, today)
    assert [day_number(TENTH, day) for day in found] == list(range(charged + 1, gap + 2))
    assert all(TENTH <= day <= today for day in found)
    assert all(day_of(TENTH, day_number(TENTH, day)) == day for day in found)


def test_overdue_is_being_lent_after_the_last_day_that_was_paid() -> None:
    assert overdue_days("lent", TENTH, TENTH) == 0
    assert overdue_days("lent", TENTH, TENTH + timedelta(days=3)) == 3
    assert overdue_days("returned", TENTH, TENTH + timedelta(days=3)) == 0
    assert overdue_days("reserved", None, TENTH) == 0


def test_a_reserved_aid_is_free_again_at_the_latest_when_it_was_collected_at_the_last_moment() -> None:
    assert due_back_on(None, TENTH, 1) == TENTH
    assert due_back_on(None, TENTH, 4) == date(2026, 3, 13)
    assert due_back_on(date(2026, 3, 11), TENTH, 4) == date(2026, 3, 11)
    refusal = taken(date(2026, 3, 11), kind="walker")
    assert (refusal.code, refusal.facts) == ("aid_taken", {"due_back_on": "2026-03-11", "kind": "walker"})
    assert "3月11日" in refusal.title


@pytest.mark.parametrize(
    ("days_from_due", "sent", "due"),
    [
        (-2, [], []),
        (-1, [], [-1]),
        (-1, [-1], []),
        (0, [-1], [0]),
        (5, [], [-1, 0, 3]),
        (5, [-1, 0, 3], []),
        (8, [-1, 0, 3], [7]),
    ],
)
def test_reminders_are_due_on_their_days_and_once(days_from_due: int, sent: list[int], due: list[int]) -> None:
    today = TENTH + timedelta(days=days_from_due)
    lent_on = TENTH - timedelta(days=9)
    assert reminders_due([7, -1, 0, 3], lent_on=lent_on, due_on=TENTH, today=today, sent=sent) == due


def test_who_borrows_for_a_day_is_not_reminded_of_the_day_before() -> None:
    assert reminders_due([-1, 0], lent_on=TENTH, due_on=TENTH, today=TENTH, sent=[]) == [0]


def test_a_reminder_says_what_is_true_on_the_day_it_is_read() -> None:
    texts = [reminder_text("轮椅", TENTH, TENTH + timedelta(days=n)) for n in (-2, 0, 3)]
    assert ["还有2天" in texts[0], "今天到期" in texts[1], "已逾期3天" in texts[2]] == [True] * 3
    assert all("3月10日" in texts[n] for n in (0, 2))


def test_how_long_and_how_many_have_an_end() -> None:
    must_be_within_days(90, 90)
    must_have_room(1, 2)
    found = []
    for days in (0, -1, 91):
        with pytest.raises(BankError) as refused:
            must_be_within_days(days, 90)
        found.append(refused.value.code)
    with pytest.raises(BankError) as refused:
        must_have_room(2, 2)
    assert [*found, refused.value.code] == ["amount_invalid", "amount_invalid", "aid_days_too_many", "aids_too_many"]


def test_the_own_township_is_nearest_then_the_others_by_code() -> None:
    candidates = [("330213107", "c"), ("330213004", "a"), ("330213007", "b"), ("330213007", "d")]
    assert nearest_first(candidates, "330213007") == ["b", "d", "a", "c"]


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        (
            "aid_price_minutes_per_day",
            [{"default": 1}, {"default": 30, "walker": 9}],
            [{}, {"walker": 30}, {"default": 0}, {"default": True}, {"default": 30, "walker": "9"}, 30],
        ),
        ("aid_reminder_days", [[], [-1, 0, 3]], [[0, 0], ["1"], 3, [True], [4000]]),
        ("aid_max_days", [1, 3660], [0, 3661, "9"]),
        ("aid_overdue_max_days", [0], [-1]),
    ],
)
def test_policies_of_aids_take_what_makes_sense(key: str, good: list[object], bad: list[object]) -> None:
    for value in good:
        check_value(key, value)
    for value in bad:
        with pytest.raises(BankError):
            check_value(key, value)
