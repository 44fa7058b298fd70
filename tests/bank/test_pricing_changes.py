"""Subsidy rules change as every policy does: proposed by one, approved by another, from a day on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.factories.people import SHANGTIAN, XIWU, district
from tests.factories.pricing import diner, lunch, rules_of
from tests.factories.tasks import NINE
from timebank.canteens.pricing.rules import Left, price, read_rules
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import NotAllowed, Refused
from timebank.policies.actions import NewValue, approve_change, propose_change
from timebank.policies.comparing import changes_to, policy_set
from timebank.policies.meal_rules import KEY
from timebank.policies.queries import in_force

NEXT_WEEK = NINE + timedelta(days=7)


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def propose(bank: Database, *values: NewValue, actor: Actor | None = None) -> int:
    with bank.unit_of_work() as session:
        change = propose_change(
            session,
            actor=actor or district(),
            values=values,
            effective_at=NEXT_WEEK,
            reason="试点",
            source="会议纪要",
        )
        return change.id


def elder_pays(bank: Database, at: Any, township_code: str | None = None) -> int:
    """What a lunch of 12 CNY costs an elder of 82 on 低保 at a moment."""
    with bank.session() as session:
        rules = read_rules(in_force(session, at=at).value(KEY, township_code))
    return price(lunch(), diner(82, "low_income"), rules, Left(), voucher_max_fen=1500).elder_fen


def test_the_bank_begins_with_the_five_shares(bank: Database) -> None:
    with bank.session() as session:
        book = in_force(session, at=NINE)
    assert read_rules(book.value(KEY)) == rules_of("five_shares")
    assert (book.whole("meal_delivery_fee_fen"), book.whole("voucher_meal_max_fen")) == (300, 1500)


def test_taiyuans_rules_are_proposed_by_one_and_price_meals_when_another_has_approved(bank: Database) -> None:
    first, second = district(), district()
    with bank.session() as session:
        wanted = changes_to(policy_set("taiyuan"), in_force(session, at=NINE))
    assert [one.key for one in wanted] == [KEY]
    change_id = propose(bank, *wanted, actor=first)
    assert elder_pays(bank, NEXT_WEEK) == 600
    with pytest.raises(NotAllowed, match="second_person_needed:"), bank.unit_of_work() as session:
        approve_change(session, actor=first, change_id=change_id)
    with bank.unit_of_work() as session:
        approve_change(session, actor=second, change_id=change_id)
    assert [elder_pays(bank, at) for at in (NEXT_WEEK - timedelta(seconds=1), NEXT_WEEK)] == [600, 400]


def test_a_township_may_have_rules_of_its_own(bank: Database) -> None:
    change_id = propose(bank, NewValue(KEY, [], XIWU))
    with bank.unit_of_work() as session:
        approve_change(session, actor=district(), change_id=change_id)
    assert (elder_pays(bank, NEXT_WEEK, XIWU), elder_pays(bank, NEXT_WEEK, SHANGTIAN)) == (1200, 600)


def test_rules_that_contradict_one_another_are_not_even_proposed_and_both_are_named(bank: Database) -> None:
    rules = [dict(one) for one in policy_set("taiyuan").values[KEY].value]
    rules[1]["precedence"] = rules[2]["precedence"]
    with pytest.raises(Refused, match="policy_value_invalid:") as refused:
        propose(bank, NewValue(KEY, rules))
    assert refused.value.facts["rules"] == ["hardship_half", "soldier_ninety"]


@pytest.mark.parametrize("township_code", [None, XIWU])
def test_rules_about_a_category_that_nobody_can_have_are_not_proposed(
    bank: Database, township_code: str | None
) -> None:
    rules = [dict(one) for one in policy_set("taiyuan").values[KEY].value]
    rules[0]["who"] = {"any_category": ["hero"]}
    with pytest.raises(Refused, match="policy_value_invalid:") as refused:
        propose(bank, NewValue(KEY, rules, township_code))
    assert (refused.value.facts["categories"], refused.value.facts["rules"]) == (["hero"], ["veteran_free"])


def test_a_category_that_the_rules_in_force_name_cannot_be_dropped(bank: Database) -> None:
    with bank.session() as session:
        categories = dict(in_force(session, at=NINE).value("diner_categories"))
    del categories["low_income"]
    with pytest.raises(Refused, match="policy_value_invalid:") as refused:
        propose(bank, NewValue("diner_categories", categories))
    assert refused.value.facts["rules"] == ["government_hardship"]
    propose(bank, NewValue("diner_categories", {**categories, "low_income": "低保", "hero": "功臣"}))
