"""States of a diner's file, who may apply, and the days of a category."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from timebank.canteens.diners.rules import (
    DinerState,
    after,
    evidence_given,
    must_be_approved,
    must_be_changeable,
    must_be_in_order,
    must_be_known,
    must_be_worth_a_look,
    must_end_sooner,
)
from timebank.core.errors import BankError, Conflict, Refused
from timebank.policies.rules import check_value

STATES = [None, *DinerState]


@dataclass
class File:
    state: str


def code_of(raised: pytest.ExceptionInfo[BankError]) -> str:
    return raised.value.code


@pytest.mark.parametrize(
    ("step", "reached"),
    [
        ("apply", {None: "applied", "refused": "applied", "ended": "applied"}),
        ("enter", {None: "approved", "applied": "approved", "refused": "approved", "ended": "approved"}),
        ("approve", {"applied": "approved"}),
        ("refuse", {"applied": "refused"}),
    ],
)
def test_each_step_leads_on_from_some_states_only(step: str, reached: dict[str | None, str]) -> None:
    for state in STATES:
        if state in reached:
            assert after(step, state) == reached[state]
        elif state is not None:
            with pytest.raises(Conflict) as raised:
                after(step, state)
            assert (code_of(raised), raised.value.facts) == ("wrong_state", {"status": state})


@pytest.mark.parametrize("state", STATES)
def test_only_the_approved_have_a_diners_rights(state: DinerState | None) -> None:
    file = None if state is None else File(state)
    if state == DinerState.APPROVED:
        must_be_approved(file)
        return
    with pytest.raises(Refused) as raised:
        must_be_approved(file)
    assert (code_of(raised), raised.value.facts["state"]) == ("diner_not_approved", state)


@pytest.mark.parametrize("state", list(DinerState))
def test_a_file_is_changed_while_it_waits_or_holds(state: DinerState) -> None:
    if state in ("applied", "approved"):
        must_be_changeable(state)
        return
    with pytest.raises(Conflict):
        must_be_changeable(state)


@pytest.mark.parametrize(
    ("age", "categories", "looked_at"),
    [
        (60, (), True),
        (59, (), False),
        (59, ("disabled",), True),
        (14, (), False),
        (13, (), True),
        (0, (), True),
        (14, ("living_alone",), True),
    ],
)
def test_who_is_neither_old_nor_a_child_says_why_they_should_eat_here(
    age: int, categories: tuple[str, ...], looked_at: bool
) -> None:
    limits = {"min_age": 60, "child_below_age": 14}
    if looked_at:
        must_be_worth_a_look(age, categories=categories, **limits)
        return
    with pytest.raises(Refused) as raised:
        must_be_worth_a_look(age, categories=categories, **limits)
    assert (code_of(raised), raised.value.facts) == ("diner_too_young", {**limits, "age": age})


def test_unknown_words_are_named() -> None:
    must_be_known(["a", "b"], {"a": "甲", "b": "乙"}, code="x", title="无", field="f")
    must_be_known([], [], code="x", title="无", field="f")
    with pytest.raises(Refused) as raised:
        must_be_known(["c", "a", "b"], ["a"], code="word_unknown", title="没有", field="words")
    assert (code_of(raised), raised.value.facts) == ("word_unknown", {"field": "words", "unknown": ["b", "c"]})


def test_a_category_has_its_last_day_on_or_after_its_first() -> None:
    day = date(2026, 6, 1)
    must_be_in_order(day, day)
    must_be_in_order(day, None)
    with pytest.raises(Refused) as raised:
        must_be_in_order(day, date(2026, 5, 31))
    assert code_of(raised) == "category_ends_too_soon"


def test_ending_makes_no_category_longer() -> None:
    day = date(2026, 6, 30)
    must_end_sooner(day, None)
    must_end_sooner(day, day)
    with pytest.raises(Refused) as raised:
        must_end_sooner(date(2026, 7, 1), day)
    assert (code_of(raised), raised.value.facts["valid_until"]) == ("category_ends_before", "2026-06-30")


def test_evidence_says_something() -> None:
    assert evidence_given(" 低保证 ") == "低保证"
    with pytest.raises(Refused):
        evidence_given("  ")


@pytest.mark.parametrize(
    "value", [[], "低保", {"": "低保"}, {"low_income": ""}, {"low_income": 1}, {"low_income": None}]
)
def test_a_category_without_a_code_or_a_name_is_no_policy(value: object) -> None:
    check_value("diner_categories", {"low_income": "低保"})
    with pytest.raises(Refused, match="policy_value_invalid:"):
        check_value("diner_categories", value)
    with pytest.raises(Refused, match="policy_district_only:"):
        check_value("diner_categories", {"low_income": "低保"}, "330213004")
