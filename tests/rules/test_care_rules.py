"""States and arithmetic of home care."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from timebank.core.errors import Conflict, Refused
from timebank.migrations import sql
from timebank.policies.rules import PolicyBook
from timebank.redemption.care import rules
from timebank.redemption.care.rules import OPEN, STATUS_NAMES, WORKED, CareStatus, Charge, after, charge_for

NINE = datetime(2026, 3, 10, 1, tzinfo=UTC)
FINAL = set(CareStatus) - set(OPEN)


def test_nothing_follows_from_an_end() -> None:
    for step, status in product(rules._STEPS, FINAL):
        with pytest.raises(Conflict, match="wrong_state"):
            after(step, status)


def test_every_status_has_a_name_and_is_reached_by_a_step() -> None:
    assert set(STATUS_NAMES) == set(CareStatus)
    assert {then for _, then in rules._STEPS.values()} == set(CareStatus)
    assert set(rules.STEP_NAMES) == {*rules._STEPS, "book"}


def test_the_database_knows_the_same_steps_and_the_same_work() -> None:
    written = sql("care.sql")
    [steps] = re.findall(r"\(OLD.status, NEW.status\) NOT IN \(\n(.*?)\)\)\n", written, re.DOTALL)
    there = set(re.findall(r"\('(\w+)', '(\w+)'\)", steps + ")"))
    here = {(before.value, then.value) for allowed, then in rules._STEPS.values() for before in allowed}
    assert there == {(before, then) for before, then in here if before != then}
    [worked] = re.findall(r"SELECT status IN \((.*?)\)", written)
    assert set(re.findall(r"'(\w+)'", worked)) == {str(status) for status in WORKED}


@pytest.mark.parametrize(
    ("served", "rate", "charge"),
    [
        (0, 100, Charge(0, 0)),
        (45, 100, Charge(45, 0)),
        (60, 100, Charge(60, 0)),
        (70, 100, Charge(60, 0)),
        (71, 100, Charge(60, 11)),
        (500, 100, Charge(60, 60)),
        (45, 150, Charge(68, 0)),
        (71, 150, Charge(90, 17)),
        (71, 50, Charge(30, 6)),
    ],
)
def test_what_was_served_is_taken_up_to_the_hold_and_the_rest_is_excess(served: int, rate: int, charge: Charge) -> None:
    held = rules.price_minutes(60, rate)
    assert charge_for(served, booked=60, held=held, rate=rate, tolerance=10, most=120) == charge


def test_a_visit_never_costs_nothing_to_book() -> None:
    assert [rules.price_minutes(minutes, 1) for minutes in (30, 50, 150)] == [1, 1, 2]


@pytest.mark.parametrize(("minutes_before", "late"), [(241, False), (240, False), (239, True), (0, True)])
def test_cancelling_is_late_within_the_free_time_only(minutes_before: int, late: bool) -> None:
    assert rules.is_late(NINE - timedelta(minutes=minutes_before), NINE, 240) is late


@pytest.mark.parametrize(
    ("minutes", "price", "fen"), [(60, 3000, 3000), (1, 3000, 50), (1, 90, 2), (1, 89, 1), (0, 9, 0)]
)
def test_fen_are_rounded_half_up(minutes: int, price: int, fen: int) -> None:
    assert rules.fen_for(minutes, price) == fen


def test_a_month_begins_and_ends_at_midnight_in_fenghua() -> None:
    assert rules.month_start("2026-12") == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert rules.month_end("2026-12") == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert rules.month_of(datetime(2026, 12, 31, 16, tzinfo=UTC)) == "2027-01"


@pytest.mark.parametrize(
    "month", ["2026-13", "2026-00", "2026-1", "202611", "2026/11", "１２３４-11", "1999-01", "", "2026-1x"]
)
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(Refused, match="month_invalid"):
        rules.month_end(month)


WAITS = {
    "care_no_show_after_minutes": 60,
    "care_check_out_forgotten_after_minutes": 720,
    "care_auto_confirm_after_minutes": 4320,
}


@pytest.mark.parametrize(
    ("status", "after_start"),
    [("booked", 0), ("assigned", 60), ("checked_in", 780), ("checked_out", 4375), ("disputed", 9999)],
)
def test_each_state_has_its_own_deadline(status: str, after_start: int) -> None:
    policies = PolicyBook(1, {(key, None): value for key, value in WAITS.items()})
    due = rules.deadline_of(
        status,
        starts_at=NINE,
        ends_at=NINE + timedelta(minutes=60),
        checked_out_at=NINE + timedelta(minutes=55),
        hold_until=NINE + timedelta(minutes=9999),
        township_code="330213004",
        policies=policies,
    )
    assert due == NINE + timedelta(minutes=after_start)


def test_no_deadline_lies_beyond_the_hold() -> None:
    policies = PolicyBook(1, {(key, None): value for key, value in WAITS.items()})
    for status in OPEN:
        times = {"starts_at": NINE, "ends_at": NINE, "checked_out_at": NINE, "hold_until": NINE + timedelta(minutes=5)}
        due = rules.deadline_of(status, township_code="330213004", policies=policies, **times)
        assert due <= times["hold_until"]
