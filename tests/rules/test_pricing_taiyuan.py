"""Taiyuan's rules 一人一策、一餐一补: the worked examples, each with its whole receipt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.factories.pricing import DAY, LOVE_MEAL, SET_MENU, diner, lunch, rules_of, shown, used
from timebank.canteens.pricing.rules import Asked, DinerFacts, Left, Receipt, price
from timebank.policies.comparing import policy_set

RULES = rules_of("taiyuan")
LISTED = (None, "dish", 1200)
HOME = 300
"""What delivery costs, in fen."""

Shown = tuple[str | None, str, int]


def priced(asked: Asked, who: DinerFacts | None, left: Left | None = None) -> Receipt:
    return price(asked, who, RULES, left or Left(), voucher_max_fen=1500)


@pytest.mark.parametrize(
    ("who", "asked", "lines"),
    [
        pytest.param(
            diner(95, "veteran_pre_1949", "low_income"),
            lunch(),
            [LISTED, ("government", "veteran_free", 1200)],
            id="a veteran of before 1949 eats free, whatever else he is",
        ),
        pytest.param(
            diner(82, "low_income"),
            lunch(),
            [
                LISTED,
                ("government", "hardship_half", 600),
                ("government", "elder_day", 200),
                ("elder", "elder_pays", 400),
            ],
            id="an elder of 82 on 低保 pays half, less the 2 CNY of the day",
        ),
        pytest.param(
            diner(9),
            lunch(),
            [LISTED, ("government", "child_day", 200), ("elder", "elder_pays", 1000)],
            id="a child of 9 has the 2 CNY of the day",
        ),
        pytest.param(
            diner(30, "soldier_serving"),
            lunch(),
            [LISTED, ("government", "soldier_ninety", 120), ("elder", "elder_pays", 1080)],
            id="a serving soldier of 30 pays 90 %",
        ),
        pytest.param(
            diner(65, "soldier_retired"),
            lunch(),
            [
                LISTED,
                ("government", "soldier_ninety", 120),
                ("government", "elder_day", 200),
                ("elder", "elder_pays", 880),
            ],
            id="a retired soldier of 65 pays 90 %, less the 2 CNY of the day",
        ),
        pytest.param(
            diner(70, "served_in_war", "soldier_retired"),
            lunch(),
            [
                LISTED,
                ("government", "hardship_half", 600),
                ("government", "elder_day", 200),
                ("elder", "elder_pays", 400),
            ],
            id="who fits two discounts has the better one, once",
        ),
        pytest.param(
            diner(45, "low_income"), lunch(), [LISTED, ("elder", "elder_pays", 1200)], id="低保 of 45 is no elder"
        ),
        pytest.param(diner(14), lunch(), [LISTED, ("elder", "elder_pays", 1200)], id="at 14 one is no child any more"),
        pytest.param(
            diner(60),
            lunch(LOVE_MEAL),
            [(None, "dish", 800), ("government", "elder_day", 200), ("elder", "elder_pays", 600)],
            id="a love meal at 8 CNY costs an elder of 60 six",
        ),
        pytest.param(
            diner(82, "low_income"),
            lunch(LOVE_MEAL, voucher=True),
            [
                (None, "dish", 800),
                ("government", "hardship_half", 400),
                ("government", "elder_day", 200),
                ("volunteers", "voucher", 200),
            ],
            id="a voucher pays what is left of a love meal",
        ),
        pytest.param(
            None,
            lunch(SET_MENU, delivery_fee_fen=HOME, carried=True),
            [LISTED, (None, "delivery", 300), ("elder", "elder_pays", 1500)],
            id="a guest pays all",
        ),
    ],
)
def test_a_receipt_has_exactly_these_lines(who: DinerFacts | None, asked: Asked, lines: list[Shown]) -> None:
    assert shown(priced(asked, who).lines) == lines


def test_two_disabled_elders_of_one_household_have_the_delivery_subsidised_once() -> None:
    first = diner(71, "disabled")
    second = diner(69, "disabled", household_id=first.household_id)
    asked = lunch(SET_MENU, delivery_fee_fen=HOME)
    one = priced(asked, first)
    assert shown(one.lines) == [
        LISTED,
        (None, "delivery", 300),
        ("government", "elder_day", 200),
        ("government", "disabled_delivery", 300),
        ("elder", "elder_pays", 1000),
    ]
    other = priced(asked, second, Left(used=used(one.uses)))
    assert shown(other.lines) == [
        LISTED,
        (None, "delivery", 300),
        ("government", "elder_day", 200),
        ("elder", "elder_pays", 1300),
    ]
    at_supper = priced(replace(asked, meal="supper"), second, Left(used=used([*one.uses, *other.uses])))
    assert shown(at_supper.lines)[2:] == [("government", "disabled_delivery", 300), ("elder", "elder_pays", 1200)]
    elsewhere = priced(asked, diner(69, "disabled"), Left(used=used(one.uses)))
    assert ("government", "disabled_delivery", 300) in shown(elsewhere.lines)


def test_on_the_second_meal_of_a_day_the_two_yuan_are_gone_and_the_discount_is_not() -> None:
    who = diner(82, "low_income")
    noon = priced(lunch(), who)
    assert [(use.key, use.fen, use.limit_fen) for use in noon.uses] == [
        (("person_day", who.person_id, DAY, "", "group:day"), 200, 200)
    ]
    evening = priced(replace(lunch(), meal="supper"), who, Left(used=used(noon.uses)))
    assert shown(evening.lines) == [LISTED, ("government", "hardship_half", 600), ("elder", "elder_pays", 600)]


def test_a_cheap_first_meal_leaves_the_rest_of_the_two_yuan_for_the_second() -> None:
    who = diner(75)
    porridge = replace(SET_MENU, price_fen=150)
    morning = priced(replace(lunch(porridge), meal="breakfast"), who)
    assert shown(morning.lines) == [(None, "dish", 150), ("government", "elder_day", 150)]
    noon = priced(lunch(), who, Left(used=used(morning.uses)))
    assert shown(noon.lines) == [LISTED, ("government", "elder_day", 50), ("elder", "elder_pays", 1150)]


def test_half_a_fen_is_borne_by_the_government() -> None:
    dish = replace(SET_MENU, price_fen=995)
    half = priced(lunch(dish), diner(82, "low_income"))
    assert (half.government_fen, half.elder_fen) == (498 + 200, 297)
    ninety = priced(lunch(dish), diner(30, "soldier_serving"))
    assert (ninety.government_fen, ninety.elder_fen) == (100, 895)


def test_every_rule_of_taiyuan_names_taiyuan_as_its_source() -> None:
    assert [rule.source[:2] for rule in RULES] == ["太原"] * 6
    assert {category for rule in RULES for category in rule.categories()} <= set(
        policy_set("fenghua").values["diner_categories"].value
    )
