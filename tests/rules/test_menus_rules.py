"""What keeps a menu from being released, who may write it, and whom a dish suits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest

from tests.factories.people import DAYAN, XIWU, district, staff, steward
from timebank.canteens.menus.rules import (
    Entry,
    LoveMealRules,
    allergens_for,
    faults_of,
    left_portions,
    may_run_menus,
    must_be_releasable,
    must_come_once,
    must_start_on_monday,
    suits,
)
from timebank.canteens.pricing.rules import Meal
from timebank.core.actors import StaffRole
from timebank.core.errors import Refused
from timebank.core.ids import new_id

MONDAY = date(2026, 11, 23)
RULES = LoveMealRules(least_per_day=2, most_fen=800)
WEEK = [MONDAY + timedelta(days=n) for n in range(7)]


def love_meals(days: list[date] = WEEK) -> list[Entry]:
    """One love meal at lunch and one at supper, every day."""
    return [Entry(day, meal, f"爱心饭{meal}", 800, True) for day in days for meal in (Meal.LUNCH, Meal.SUPPER)]


def faults(
    entries: list[Entry], closed: dict[tuple[date, str], str] | None = None, today: date = MONDAY
) -> list[tuple[date, str, str, str]]:
    found = faults_of(entries, closed=closed or {}, week_starts_on=MONDAY, today=today, love_meals=RULES)
    return [(fault.served_on, fault.meal, fault.name, fault.fault) for fault in found]


def test_two_love_meals_over_all_meals_of_each_day_are_enough() -> None:
    assert faults(love_meals()) == []


def test_every_fault_is_named_at_once_in_the_order_of_the_week() -> None:
    dish = new_id()
    wrong = [
        Entry(WEEK[2], Meal.SUPPER, "没价的鱼", None, False),
        Entry(WEEK[0], Meal.LUNCH, "贵的爱心饭", 801, True),
        Entry(WEEK[4], Meal.BREAKFAST, "白粥", 200, False),
        Entry(WEEK[5], Meal.LUNCH, "红烧肉", 1200, False, dish),
        Entry(WEEK[5], Meal.LUNCH, "五花肉", 1200, False, dish),
        Entry(WEEK[5], Meal.SUPPER, "Ａ套餐", 900, False),
        Entry(WEEK[5], Meal.SUPPER, "a 套餐", 900, False),
    ]
    closed: dict[tuple[date, str], str] = {(WEEK[4], Meal.BREAKFAST): "meal_not_served"}
    assert faults([*love_meals(WEEK[:6]), *wrong], closed) == [
        (WEEK[0], "lunch", "贵的爱心饭", "love_meal_too_dear"),
        (WEEK[2], "supper", "没价的鱼", "price_missing"),
        (WEEK[4], "breakfast", "白粥", "meal_not_served"),
        (WEEK[5], "lunch", "五花肉", "dish_twice"),
        (WEEK[5], "supper", "a 套餐", "dish_twice"),
        (WEEK[6], "", "", "love_meals_too_few"),
    ]


def test_a_day_without_any_service_needs_no_love_meals_and_bears_no_dish() -> None:
    closed: dict[tuple[date, str], str] = {(WEEK[6], meal): "day_not_served" for meal in Meal}
    assert faults(love_meals(WEEK[:6]), closed) == []
    assert [fault[3] for fault in faults(love_meals(), closed)] == ["day_not_served"] * 2


def test_days_that_have_passed_need_no_love_meals_any_more() -> None:
    assert faults(love_meals(WEEK[3:]), today=WEEK[3]) == []
    assert [fault[0] for fault in faults(love_meals(WEEK[3:]), today=WEEK[2])] == [WEEK[2]]


def test_a_refused_menu_says_each_fault_as_a_fact_and_in_words() -> None:
    found = faults_of(love_meals(WEEK[1:]), closed={}, week_starts_on=MONDAY, today=MONDAY, love_meals=RULES)
    with pytest.raises(Refused) as refused:
        must_be_releasable(found)
    assert refused.value.code == "menu_not_releasable"
    assert refused.value.facts["faults"] == [
        {"served_on": "2026-11-23", "meal": "", "name": "", "fault": "love_meals_too_few", "said": "11月23日爱心餐不足"}
    ]
    must_be_releasable([])


def test_one_dish_comes_once_a_meal_however_it_is_spelled() -> None:
    one, other = Entry(MONDAY, Meal.LUNCH, "红烧肉", 1, False), Entry(MONDAY, Meal.LUNCH, "红 烧肉", 2, True)
    must_come_once([one, Entry(MONDAY, Meal.SUPPER, "红烧肉", 1, False)])
    with pytest.raises(Refused, match="dish_twice"):
        must_come_once([one, other])


def test_a_week_begins_on_monday() -> None:
    must_start_on_monday(MONDAY)
    with pytest.raises(Refused, match="week_not_monday"):
        must_start_on_monday(MONDAY + timedelta(days=1))


def test_clerks_of_the_canteen_and_of_its_kitchen_and_its_stewards_write_menus() -> None:
    canteen, kitchen = new_id(), new_id()

    def may(actor: object, kitchen_id: object = kitchen) -> bool:
        return may_run_menus(actor, canteen_id=canteen, kitchen_id=kitchen_id, township_code=XIWU)  # type: ignore[arg-type]

    at = {who: staff(StaffRole.CANTEEN_CLERK, DAYAN, place) for who, place in (("own", canteen), ("kitchen", kitchen))}
    assert may(at["own"])
    assert may(at["kitchen"])
    assert not may(at["kitchen"], None)
    assert may(steward(XIWU))
    assert may(district())
    nowhere = staff(StaffRole.CANTEEN_CLERK, XIWU, None)
    for actor in (steward(DAYAN), staff(StaffRole.AUDITOR), staff(StaffRole.CARE_PROVIDER, XIWU, canteen), nowhere):
        assert not may(actor, None)


@dataclass
class Plate:
    """Something to eat."""

    diet_forms: list[str]
    diet_tags: list[str] = field(default_factory=list)
    allergens: list[str] = field(default_factory=list)


def test_a_dish_suits_who_can_eat_it_and_says_why_not() -> None:
    plate = Plate(["normal", "minced"], ["清真"], ["花生", "蛋类"])
    assert suits(plate, "normal", frozenset(), None) == []
    assert suits(plate, "minced", frozenset({"乳类"}), "清真") == []
    assert suits(plate, "liquid", frozenset({"蛋类", "花生", "乳类"}), "素食") == [
        "含有花生，会引起过敏",
        "含有蛋类，会引起过敏",
        "不能做成流食",
        "不是素食餐食",
    ]
    assert allergens_for(plate, {"蛋类", "乳类"}) == ["蛋类"]


def test_what_is_not_on_offer_has_no_portions_left() -> None:
    assert left_portions(limit=30, ordered=12, on_offer=True) == 18
    assert left_portions(limit=None, ordered=12, on_offer=True) is None
    assert left_portions(limit=None, ordered=12, on_offer=False) == 0
