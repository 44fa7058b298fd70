"""Pricing, one question at a time: what is left of a base, which rule of a group, gifts, vouchers, delivery."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.factories.pricing import DAY, LOVE_MEAL, SET_MENU, diner, lunch, rules_of, shown, used
from timebank.canteens.pricing import rules as pricing
from timebank.canteens.pricing.rules import Asked, DinerFacts, Left, Receipt, price
from timebank.policies import meal_rules
from timebank.policies.meal_rules import read_rules

ELDER = diner(75)


def rule(key: str, **said: Any) -> dict[str, Any]:
    usual = {"label": key, "share": "government", "base": "food", "source": "试"}
    return {"key": key, **usual, **said}


def priced(asked: Asked, *said: dict[str, Any], who: DinerFacts | None = ELDER, left: Left | None = None) -> Receipt:
    return price(asked, who, read_rules(list(said)), left or Left(), voucher_max_fen=1500)


def borne(receipt: Receipt) -> list[tuple[str, int]]:
    return [(line.rule_key, line.fen) for line in receipt.lines if line.share is not None]


def test_what_the_grammar_of_rules_knows_is_what_pricing_knows() -> None:
    assert tuple(pricing.Meal) == meal_rules.MEALS
    assert tuple(pricing.Way) == meal_rules.WAYS
    assert tuple(pricing.Per) == meal_rules.PERS
    assert set(meal_rules.SHARES) == set(pricing.Share) - {"elder", "volunteers"}


def test_a_percentage_is_of_what_earlier_rules_left_and_a_covered_one_of_the_list() -> None:
    first = rule("first", fen=200)
    assert borne(priced(lunch(), first, rule("half", pays_percent=50))) == [
        ("first", 200),
        ("half", 500),
        ("elder_pays", 500),
    ]
    assert borne(priced(lunch(), first, rule("half", covers_percent=50))) == [
        ("first", 200),
        ("half", 600),
        ("elder_pays", 400),
    ]


def test_a_rule_fits_its_meals_and_its_ways_only() -> None:
    at_home = rule("at_home", fen=100, when={"ways": ["deliver"]})
    at_night = rule("at_night", fen=200, when={"meals": ["supper"]})
    found = [
        borne(priced(replace(lunch(), meal=meal, way=way), at_home, at_night))[:-1]
        for meal in ("lunch", "supper")
        for way in ("eat_in", "deliver")
    ]
    assert found == [[], [("at_home", 100)], [("at_night", 200)], [("at_home", 100), ("at_night", 200)]]


def test_nothing_is_borne_twice() -> None:
    found = priced(lunch(), rule("most", covers_percent=90), rule("too_much", fen=5000), rule("free", free=True))
    assert borne(found) == [("most", 1080), ("too_much", 120)]


def test_of_a_group_only_the_first_that_fits_applies_even_where_it_has_nothing_left_to_give() -> None:
    better = rule("better", fen=500, per="person_day", group="g", precedence=1, who={"min_age": 70})
    usual = rule("usual", fen=300, group="g", precedence=2)
    assert borne(priced(lunch(), usual, better)) == [("better", 500), ("elder_pays", 700)]
    assert borne(priced(lunch(), usual, better, who=diner(65))) == [("usual", 300), ("elder_pays", 900)]
    spent = Left(used={("person_day", ELDER.person_id, DAY, "", "group:g"): 500})
    assert borne(priced(lunch(), usual, better, left=spent)) == [("elder_pays", 1200)]


def test_a_rule_of_a_group_whose_base_is_not_there_stands_in_nobodys_way() -> None:
    delivery = rule("delivery_first", base="delivery", fen=300, group="g", precedence=1)
    assert borne(priced(lunch(), delivery, rule("food", fen=200, group="g", precedence=2)))[0] == ("food", 200)


@pytest.mark.parametrize(
    ("used", "fen"), [(0, 200), (150, 50), (200, 0), (999, 0)], ids=["none", "some", "all", "more than there is now"]
)
def test_what_was_used_of_a_limit_is_not_had_again(used: int, fen: int) -> None:
    left = Left(used={("household_meal", ELDER.household_id, DAY, "lunch", "home"): used})
    found = priced(lunch(), rule("home", fen=200, per="household_meal"), left=left)
    assert found.government_fen == fen
    assert [use.fen for use in found.uses] == [fen] * (fen > 0)


def test_what_one_rule_of_a_group_gave_counts_for_the_others_of_that_group() -> None:
    a_day = {"per": "person_day", "group": "day", "precedence": 1}
    at_noon = rule("noon", fen=200, **a_day, when={"meals": ["lunch"]})
    at_night = rule("night", fen=200, **a_day, when={"meals": ["supper"]})
    noon, supper = priced(lunch(), at_noon, at_night), replace(lunch(), meal="supper")
    assert priced(supper, at_noon, at_night, left=Left(used=used(noon.uses))).government_fen == 0
    better = rule("better", fen=300, **a_day, who={"any_category": ["hero"]})
    usual = rule("usual", fen=200, **a_day | {"precedence": 2})
    hero = replace(ELDER, categories=ELDER.categories | {"hero"})
    for first, then, fen in ((ELDER, hero, 100), (hero, ELDER, 0)):
        spent = Left(used=used(priced(lunch(), better, usual, who=first).uses))
        assert priced(supper, better, usual, left=spent, who=then).government_fen == fen
    # A group that is called as another rule is called has nothing to do with it.
    alone = rule("day", fen=200, per="person_day")
    assert priced(supper, alone, left=Left(used=used(noon.uses))).government_fen == 200


def test_gifts_bear_no_more_than_was_given() -> None:
    donated, grown = rule("donated", share="donation", fen=400), rule("grown", share="garden", covers_percent=10)
    again = rule("again", share="donation", free=True)
    found = priced(lunch(), donated, grown, again, left=Left(donation_fen=500, garden_fen=70))
    assert borne(found) == [("donated", 400), ("grown", 70), ("again", 100), ("elder_pays", 630)]
    assert borne(priced(lunch(), donated, grown)) == [("elder_pays", 1200)]


def test_a_rule_for_love_meals_has_only_their_price_as_its_base() -> None:
    love = rule("love", pays_percent=50, when={"only_love_meals": True})
    both = lunch(SET_MENU, replace(LOVE_MEAL, quantity=2))
    assert borne(priced(both, love)) == [("love", 800), ("elder_pays", 2000)]
    assert borne(priced(lunch(SET_MENU), love)) == [("elder_pays", 1200)]
    assert borne(priced(both, rule("all", fen=1500), love)) == [("all", 1500), ("love", 650), ("elder_pays", 650)]
    assert borne(priced(both, love, love | {"key": "again"}))[1] == ("again", 400)
    covered = rule("covered", covers_percent=10, when={"only_love_meals": True})
    assert borne(priced(both, covered))[0] == ("covered", 160)


def test_delivery_for_love_meals_is_known_by_the_order_and_not_by_what_is_left_of_them() -> None:
    free = rule("free", free=True, when={"only_love_meals": True})
    ride = rule("ride", base="delivery", fen=100, when={"only_love_meals": True})
    asked = lunch(LOVE_MEAL, delivery_fee_fen=300)
    assert borne(priced(asked, free, ride)) == [("free", 800), ("ride", 100), ("elder_pays", 200)]


def test_volunteers_carry_what_is_left_of_the_delivery_and_a_voucher_pays_after_them() -> None:
    asked = lunch(delivery_fee_fen=300, carried=True, voucher=True)
    ride = rule("ride", base="delivery", fen=100)
    found = priced(asked, ride)
    assert borne(found) == [("ride", 100), ("volunteer_delivery", 200), ("voucher", 1200)]
    assert (found.elder_fen, found.volunteers_fen, found.government_fen) == (0, 1400, 100)


def test_a_voucher_pays_up_to_its_amount_and_has_no_line_where_nothing_is_left() -> None:
    big = replace(SET_MENU, price_fen=2000)
    assert borne(priced(lunch(big, voucher=True))) == [("voucher", 1500), ("elder_pays", 500)]
    assert borne(priced(lunch(voucher=True), rule("free", free=True))) == [("free", 1200)]
    with_delivery = lunch(delivery_fee_fen=600, voucher=True)
    assert borne(priced(with_delivery)) == [("voucher", 1500), ("elder_pays", 300)]


def test_a_dish_taken_twice_is_one_line_with_its_number() -> None:
    found = priced(lunch(replace(SET_MENU, quantity=2), LOVE_MEAL))
    assert [(line.label, line.fen) for line in found.lines[:2]] == [("家常套餐×2", 2400), ("爱心餐", 800)]


@pytest.mark.parametrize(
    "broken",
    [
        replace(lunch(), dishes=()),
        lunch(replace(SET_MENU, quantity=0)),
        lunch(replace(SET_MENU, price_fen=0)),
        replace(lunch(), delivery_fee_fen=-1),
    ],
)
def test_nonsense_is_not_priced(broken: Asked) -> None:
    with pytest.raises(ValueError, match=r"dishes|positive"):
        priced(broken)


def test_the_five_shares_meet_on_one_receipt() -> None:
    asked = lunch(delivery_fee_fen=300, carried=True)
    found = price(asked, diner(83), rules_of("five_shares"), Left(1000, 1000), voucher_max_fen=1500)
    assert shown(found.lines) == [
        (None, "dish", 1200),
        (None, "delivery", 300),
        ("government", "government_80", 400),
        ("donation", "company_donation", 100),
        ("garden", "garden_produce", 50),
        ("volunteers", "volunteer_delivery", 300),
        ("elder", "elder_pays", 650),
    ]
