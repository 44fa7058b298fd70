"""Orders without a database: until when, how many, what fits whom, what a standing order takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

import pytest

from timebank.canteens.orders.rules import (
    Fit,
    Offer,
    choose,
    cut_off_at,
    must_be_before,
    must_be_days,
    must_be_here_and_now,
    must_be_moderate,
    must_be_near,
    must_be_placed,
    sold_out,
    unfitting,
)
from timebank.core.clock import LOCAL
from timebank.core.errors import BankError
from timebank.policies.rules import check_value
from timebank.redemption.rules import must_not_be_set_aside

DAY = date(2026, 3, 10)
CUT_OFFS = {"breakfast": [-1, "20:00"], "lunch": [0, "09:00"], "supper": [0, "15:00"]}
ONE, TWO, THREE = UUID(int=1), UUID(int=2), UUID(int=3)


def at(hour: int, minute: int = 0, day: int = 10) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=LOCAL)


def test_breakfast_is_ordered_until_the_evening_before_lunch_until_nine() -> None:
    assert cut_off_at(DAY, "breakfast", CUT_OFFS) == at(20, day=9)
    assert cut_off_at(DAY, "lunch", CUT_OFFS) == at(9)


def test_the_cut_off_itself_is_too_late_and_says_so() -> None:
    must_be_before(at(9), at(8, 59))
    with pytest.raises(BankError) as refused:
        must_be_before(at(9), at(9))
    assert (refused.value.code, refused.value.facts["cut_off_at"]) == ("cut_off_passed", at(9))


REFUSED: dict[str, tuple[Callable[[], None], str]] = {
    "too far": (lambda: must_be_near(date(2026, 3, 25), DAY, 14), "too_far_ahead"),
    "sold for tomorrow": (lambda: must_be_here_and_now(date(2026, 3, 11), at(13, 30, 11), at(11)), "walk_in_only_now"),
    "sold after closing": (lambda: must_be_here_and_now(DAY, at(13, 30), at(13, 30)), "walk_in_only_now"),
    "nothing": (lambda: must_be_moderate([], most_of_a_dish=5, most_portions=10), "items_unclear"),
    "none of it": (lambda: must_be_moderate([(ONE, 0)], most_of_a_dish=5, most_portions=10), "items_unclear"),
    "twice": (lambda: must_be_moderate([(ONE, 1), (ONE, 1)], most_of_a_dish=5, most_portions=10), "items_unclear"),
    "six": (lambda: must_be_moderate([(ONE, 6)], most_of_a_dish=5, most_portions=10), "quantity_too_many"),
    "eleven": (lambda: must_be_moderate([(ONE, 5), (TWO, 6)], most_of_a_dish=6, most_portions=10), "quantity_too_many"),
    "ended": (lambda: must_be_placed(ONE, "served"), "order_ended"),
    "backwards": (lambda: must_be_days(DAY, date(2026, 3, 9), field="until"), "days_unclear"),
    "aside": (lambda: must_not_be_set_aside(ONE), "voucher_set_aside"),
    "cut-offs of two meals": (lambda: check_value("order_cut_offs", {"lunch": [0, "09:00"]}), "policy_value_invalid"),
    "a cut-off after the day": (
        lambda: check_value("order_cut_offs", {**CUT_OFFS, "lunch": [1, "09:00"]}),
        "policy_value_invalid",
    ),
    "a cut-off at no time": (
        lambda: check_value("order_cut_offs", {**CUT_OFFS, "lunch": [0, "25:00"]}),
        "policy_value_invalid",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_in_order_is_refused(case: str) -> None:
    check, code = REFUSED[case]
    with pytest.raises(BankError) as refused:
        check()
    assert refused.value.code == code


def test_what_is_just_in_order_is_not_refused() -> None:
    must_be_near(date(2026, 3, 24), DAY, 14)
    must_be_here_and_now(DAY, at(13, 30), at(13, 29))
    must_be_moderate([(ONE, 5), (TWO, 5)], most_of_a_dish=5, most_portions=10)
    must_be_days(DAY, DAY, field="until")
    must_be_placed(ONE, "placed")
    check_value("order_cut_offs", CUT_OFFS)


def test_a_dish_is_unfitting_by_form_allergy_and_custom_each_with_its_words() -> None:
    dish = Fit("红烧肉", ["normal"], ["少油"], ["大豆", "花生"])
    assert unfitting(dish, diet_form="normal", allergies=["牛奶"], religious_diet=None) == []
    reasons = unfitting(dish, diet_form="minced", allergies=["大豆"], religious_diet="清真")
    assert reasons == ["“红烧肉”不能做成碎食", "“红烧肉”含有大豆，您对它过敏", "“红烧肉”不是清真餐"]


def test_a_standing_order_takes_the_cheapest_love_meal_that_suits_and_is_left() -> None:
    offers = [
        Offer(ONE, 500, is_love_meal=True, left=0, suits=True),
        Offer(TWO, 600, is_love_meal=True, left=None, suits=True),
        Offer(THREE, 300, is_love_meal=False, left=4, suits=True),
    ]
    assert (choose(offers, "love_meal"), choose(offers, "cheapest")) == (TWO, THREE)
    assert choose([Offer(ONE, 500, is_love_meal=True, left=1, suits=False)], "love_meal") is None
    assert choose(offers[2:], "love_meal") is None


def test_sold_out_says_how_many_are_left() -> None:
    assert (sold_out(ONE, "红烧肉", 0).title, sold_out(ONE, "红烧肉", 2).title) == ("“红烧肉”已售完", "“红烧肉”只剩2份")
