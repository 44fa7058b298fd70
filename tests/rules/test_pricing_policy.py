"""Subsidy rules as a policy: what one may say, which contradict one another, and how they are read out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories.pricing import rules_of
from timebank.core.errors import Refused
from timebank.policies.comparing import policy_set
from timebank.policies.definitions import DEFINITIONS
from timebank.policies.in_words import WORDS, value_text
from timebank.policies.meal_rule_categories import check_categories
from timebank.policies.meal_rule_overlaps import meet
from timebank.policies.meal_rules import KEY, Condition, read_rules
from timebank.policies.rules import PolicyBook, check_value


def rule(key: str, **said: Any) -> dict[str, Any]:
    usual = {"label": f"“{key}”", "share": "government", "base": "food", "source": "试", "fen": 200}
    return {name: value for name, value in {"key": key, **usual, **said}.items() if value is not None}


def grouped(key: str, precedence: int = 1, **said: Any) -> dict[str, Any]:
    return rule(key, group="g", precedence=precedence, **said)


def refusal(value: Any) -> Refused:
    with pytest.raises(Refused, match="policy_value_invalid:") as refused:
        check_value(KEY, value)
    return refused.value


@pytest.mark.parametrize(
    "said",
    [
        {"fen": 0},
        {"fen": 2.5},
        {"fen": True},
        {"fen": None},
        {"free": True},
        {"fen": None, "free": False},
        {"fen": None, "pays_percent": 0},
        {"fen": None, "pays_percent": 100},
        {"fen": None, "covers_percent": 101},
        {"share": "elder"},
        {"share": "volunteers"},
        {"share": ["government"]},
        {"base": "drinks"},
        {"source": ""},
        {"source": None},
        {"label": 7},
        {"key": "Elder"},
        {"key": "elder_pays"},
        {"key": 7},
        {"colour": "red"},
        {"per": "week"},
        {"per": "person_day", "share": "donation"},
        {"per": "household_meal", "fen": None, "pays_percent": 50},
        {"group": "g"},
        {"precedence": 1},
        {"group": "g", "precedence": -1},
        {"group": "大", "precedence": 1},
        {"who": {"min_age": 60, "below_age": 60}},
        {"who": {"min_age": "60"}},
        {"who": {"age": 60}},
        {"who": {"levels": [5]}},
        {"who": {"levels": []}},
        {"who": {"any_category": "low_income"}},
        {"who": {"any_category": []}},
        {"who": {"all_categories": ["a"], "no_category": ["a"]}},
        {"who": {"any_category": ["a"], "any_of": [{"no_category": ["a"]}]}},
        {"who": {"any_of": []}},
        {"who": {"any_of": [{"any_of": [{}]}]}},
        {"who": "everybody"},
        {"when": {"meals": []}},
        {"when": {"meals": ["tea"]}},
        {"when": {"ways": ["drone"]}},
        {"when": {"only_love_meals": "yes"}},
        {"when": {"days": [1]}},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_and_named(said: dict[str, Any]) -> None:
    key = str(said.get("key", "odd_one"))
    refused = refusal(
        [rule("good"), {**rule("odd_one"), **said} if None not in said.values() else rule("odd_one", **said)]
    )
    assert refused.facts["rules"] == [key if key != "7" else "第2条"]
    assert refused.facts["reason"] in refused.title


@pytest.mark.parametrize("value", ["free", {}, None, [1], [[]], [{}], [rule("a")] * 2])
def test_what_is_no_list_of_rules_is_refused(value: Any) -> None:
    refusal(value)


def test_no_rules_at_all_are_a_policy() -> None:
    check_value(KEY, [])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({}, {}, id="everybody, always"),
        pytest.param({"who": {"min_age": 60}}, {"who": {"min_age": 80}}, id="80 is 60 and over"),
        pytest.param(
            {"who": {"any_category": ["low_income"]}}, {"who": {"all_categories": ["disabled"]}}, id="somebody is both"
        ),
        pytest.param({"when": {"only_love_meals": True}}, {}, id="a love meal is a meal"),
        pytest.param({"base": "delivery"}, {"base": "food"}, id="one order has both bases"),
        pytest.param(
            {"who": {"below_age": 14}},
            {"who": {"any_of": [{"min_age": 60}, {"levels": [3]}]}},
            id="one alternative of two suffices",
        ),
        pytest.param(
            {"who": {"any_category": ["a", "b"]}}, {"who": {"no_category": ["a"]}}, id="the other category is left"
        ),
    ],
)
def test_two_rules_of_a_group_with_one_precedence_that_somebody_fits_are_refused_by_both_names(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    refused = refusal([grouped("first", **one), rule("between", share="donation"), grouped("second", **other)])
    assert refused.facts["rules"] == ["first", "second"]
    assert "“first”" in refused.title
    assert "“second”" in refused.title
    check_value(KEY, [grouped("first", **one), grouped("second", 2, **other)])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"who": {"min_age": 60}}, {"who": {"below_age": 60}}),
        ({"who": {"any_category": ["a"]}}, {"who": {"no_category": ["a", "b"]}}),
        ({"who": {"all_categories": ["a"]}}, {"who": {"no_category": ["a"]}}),
        ({"who": {"levels": [0, 1]}}, {"who": {"levels": [2, 3, 4]}}),
        ({"when": {"meals": ["lunch"]}}, {"when": {"meals": ["breakfast", "supper"]}}),
        ({"when": {"ways": ["deliver"]}}, {"when": {"ways": ["eat_in"]}}),
        ({"base": "delivery"}, {"when": {"ways": ["eat_in", "take_away"]}}),
    ],
)
def test_rules_that_nobody_fits_both_of_stand_side_by_side(one: dict[str, Any], other: dict[str, Any]) -> None:
    check_value(KEY, [grouped("first", **one), grouped("second", **other)])


HALF, FREE, A_DAY = {"fen": None, "pays_percent": 50}, {"fen": None, "free": True}, {"per": "person_day"}
COVERED, A_HOUSEHOLD = {"fen": None, "covers_percent": 20}, {"per": "household_meal"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (A_DAY, A_DAY),
        (A_DAY, A_HOUSEHOLD),
        ({}, {}),
        ({}, A_DAY),
        ({}, HALF),
        (HALF, {**HALF, "pays_percent": 90}),
        (COVERED, FREE),
        ({**A_DAY, "base": "delivery"}, {"base": "delivery"}),
        ({**A_DAY, "who": {"min_age": 60}}, {**A_DAY, "who": {"any_category": ["low_income"]}}),
    ],
)
def test_two_rules_that_give_one_person_the_same_subsidy_twice_are_refused_outside_a_group(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    a_group, another = {"group": "g", "precedence": 1}, {"group": "h", "precedence": 1}
    for first, second in (({}, {}), ({}, a_group), (a_group, another)):
        refused = refusal([rule("sixty", **one, **first), rule("poor", **other, **second)])
        assert (refused.facts["rules"], "重复补贴" in refused.title) == (["sixty", "poor"], True)
    check_value(KEY, [rule("sixty", **one, **a_group), rule("poor", **other, group="g", precedence=2)])


@pytest.mark.parametrize("discount", [HALF, FREE, COVERED])
@pytest.mark.parametrize("allowance", [A_DAY, A_HOUSEHOLD])
def test_one_discount_and_one_dated_allowance_stand_side_by_side(
    discount: dict[str, Any], allowance: dict[str, Any]
) -> None:
    both = [rule("half", **discount), rule("day", **allowance)]
    check_value(KEY, both)
    for more in (discount, allowance):
        refusal([*both, rule("more", **more)])


def test_what_others_bear_and_what_is_of_another_base_stands_beside_the_governments() -> None:
    check_value(KEY, [rule("food"), rule("home", base="delivery"), rule("gift", share="donation")])
    check_value(KEY, [rule("gift", share="donation"), rule("more", share="donation"), rule("leek", share="garden")])
    check_value(KEY, [rule("old", who={"min_age": 60}), rule("young", who={"below_age": 14})])


def test_a_gift_shares_no_group_with_what_an_empty_pot_would_shut_out() -> None:
    gift, half = grouped("gift", share="donation", fen=None, free=True), grouped("half", 2, **HALF)
    for other in (half, grouped("leek", 2, share="garden")):
        refused = refusal([gift, other])
        assert (refused.facts["rules"], "用完" in refused.title) == (["gift", other["key"]], True)
    check_value(KEY, [gift, grouped("less", 2, share="donation")])
    check_value(KEY, [{**gift, "who": {"below_age": 14}}, {**half, "who": {"min_age": 60}}])


conditions = st.builds(
    Condition,
    st.integers(0, 4),
    st.integers(1, 5),
    st.lists(st.frozensets(st.sampled_from("ab"), min_size=1), max_size=2).map(tuple),
    st.frozensets(st.sampled_from("ab")),
    st.frozensets(st.sampled_from("ab")),
    st.none() | st.frozensets(st.integers(0, 1)),
)
PEOPLE = [
    (age, categories, level)
    for age in range(5)
    for categories in (frozenset(), frozenset("a"), frozenset("b"), frozenset("ab"))
    for level in (None, 0, 1)
]


@settings(max_examples=500, deadline=None)
@given(conditions, conditions)
def test_two_conditions_meet_exactly_where_somebody_fits_both(one: Condition, other: Condition) -> None:
    both = [person for person in PEOPLE if one.fits(*person) and other.fits(*person)]
    assert one.with_(other).fits_somebody() == bool(both)
    assert [person for person in PEOPLE if one.with_(other).fits(*person)] == both


def test_alternatives_meet_where_one_of_them_does() -> None:
    child, elder = (read_rules([rule("r", who=who)])[0] for who in ({"below_age": 14}, {"min_age": 60}))
    either = read_rules([rule("r", who={"any_of": [{"below_age": 14}, {"min_age": 60}]})])[0]
    assert (meet(child, elder), meet(child, either), meet(elder, either)) == (False, True, True)


def test_rules_name_only_categories_that_diners_can_have() -> None:
    now = PolicyBook(1, {("diner_categories", None): {"low_income": "低保"}, (KEY, None): [], (KEY, "330213004"): []})
    said = [rule("poor", who={"any_category": ["low_income"], "any_of": [{"no_category": ["rich"]}]})]
    check_categories({(KEY, None): [rule("poor", who={"any_category": ["low_income"]})]}, now)
    for code in (None, "330213004"):
        with pytest.raises(Refused, match="policy_value_invalid:") as refused:
            check_categories({(KEY, code): said}, now)
        facts = refused.value.facts
        assert (facts["township_code"], facts["rules"], facts["categories"]) == (code, ["poor"], ["rich"])
    check_categories({(KEY, None): said, ("diner_categories", None): {"low_income": "低保", "rich": "富裕"}}, now)


def test_a_category_that_a_rule_needs_is_not_taken_away() -> None:
    township = {(KEY, "330213004"): [rule("poor", who={"any_category": ["low_income"]})]}
    now = PolicyBook(1, {("diner_categories", None): {"low_income": "低保"}, (KEY, None): [], **township})
    with pytest.raises(Refused, match="policy_value_invalid:"):
        check_categories({("diner_categories", None): {"disabled": "残疾人"}}, now)
    check_categories({("diner_categories", None): {"disabled": "残疾人"}, (KEY, "330213004"): []}, now)


@pytest.mark.parametrize("name", ["fenghua", "five_shares", "taiyuan"])
def test_the_shipped_rules_are_valid_and_name_known_categories(name: str) -> None:
    book = policy_set(name).book()
    check_value(KEY, book.value(KEY))
    check_categories({(KEY, None): book.value(KEY)}, book)


def test_the_assumption_for_fenghua_is_the_five_shares() -> None:
    assert rules_of("fenghua") == rules_of("five_shares")


def test_rules_are_read_out_as_sentences() -> None:
    taiyuan = policy_set("taiyuan").book()
    words = {**WORDS, **taiyuan.value("diner_categories")}
    assert value_text(taiyuan.value(KEY), "", words).split("。") == [
        "建国前老战士免费就餐：建国前老战士，餐费全免，由政府补",
        "三无、低保、参军参战老人半价：60岁及以上，低保、参军参战、三无之一，本人付餐费的50%，其余由政府补",
        "现役、退役军人九折：退役军人、现役军人之一，本人付餐费的90%，其余由政府补",
        "60周岁及以上老人每天就餐补贴：60岁及以上，餐费每人每天由政府补2.00元",
        "未满14周岁儿童每天就餐补贴：未满14岁，餐费每人每天由政府补2.00元",
        "残疾老人送餐补贴：60岁及以上，残疾人，只限送餐上门，送餐费每户每餐由政府补3.00元",
        "",
    ]
    odd = rule(
        "odd",
        share="garden",
        fen=None,
        covers_percent=20,
        who={
            "min_age": 6,
            "below_age": 14,
            "all_categories": ["disabled"],
            "no_category": ["low_income"],
            "levels": [4, 3],
        },
        when={"meals": ["supper", "lunch"], "only_love_meals": True},
    )
    assert value_text([odd], "", words) == (
        "“odd”：6岁及以上、未满14岁，同时为残疾人，不属于低保，评估3、4级，只限午餐、晚餐，只限爱心餐，餐费的20%由菜园供。"
    )
    assert value_text([rule("all")], "", words) == "“all”：所有用餐对象，餐费每餐由政府补2.00元。"
    assert value_text(300, DEFINITIONS["meal_delivery_fee_fen"].unit) == "3.00元"
