"""Canteens and menus on the phone: which are shown, and what is said of a dish before anybody orders it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients.answers import ELDER_ID, ME
from tests.clients.meal_answers import CANTEEN, DINER, FAR, meals
from tests.clients.shown import Phone, listed

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank


@pytest.fixture(autouse=True)
def _bank_with_meals(bank: ScriptedBank) -> None:
    meals(bank)


def asked_last(bank: ScriptedBank, path: str) -> dict[str, str]:
    return bank.asked("GET", path)[-1].query


def test_canteens_near_ones_home_are_shown(of_wang: Phone, bank: ScriptedBank) -> None:
    output = of_wang("meal", "canteens").output
    assert asked_last(bank, "/canteens") == {"latitude": "29.69", "longitude": "121.47"}
    for said in (
        "1．西坞街道中心食堂",
        "中心食堂，营业，AA 级",
        "离您：320 米（直线），走路约 5 分钟",
        "今天：午餐 10:30–12:30",
        "2．蒋家池头村老年食堂",
        "今天：不供餐",
    ):
        assert said in output


@pytest.mark.parametrize(
    ("words", "query"),
    [
        (("--near", "29.7，121.5"), {"latitude": "29.7", "longitude": "121.5"}),
        (("--township", "尚田", "--meal", "晚"), {"township_code": "330213007", "meal": "supper"}),
        (
            ("--township", "尚田", "--near", "29.7,121.5"),
            {"township_code": "330213007", "latitude": "29.7", "longitude": "121.5"},
        ),
    ],
)
def test_canteens_are_sought_elsewhere(
    of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...], query: dict[str, str]
) -> None:
    of_wang("meal", "canteens", *words)
    assert asked_last(bank, "/canteens") == query


def test_who_has_no_place_on_the_map_is_shown_the_township(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("GET", f"/diners/{ME['person_id']}", bank.reply(200, DINER | {"latitude": None}))
    of_wang("meal", "canteens")
    assert asked_last(bank, "/canteens") == {"township_code": "330213004"}
    bank.on("GET", f"/diners/{ME['person_id']}", bank.problem(404, "diner_unknown", "没有这位用餐对象"))
    listed(bank, "/canteens")
    assert "这里没有助餐点" in of_wang("meal", "canteens").output
    assert asked_last(bank, "/canteens") == {"township_code": "330213004"}


def test_a_place_that_is_none_is_not_asked_about(of_wang: Phone, bank: ScriptedBank) -> None:
    result = of_wang("meal", "canteens", "--near", "村口")
    assert result.exit_code == 1
    assert "没有看懂位置「村口」" in result.output
    assert bank.asked("GET", "/canteens") == []


def test_a_menu_warns_of_what_its_diner_must_not_eat(of_wang: Phone, bank: ScriptedBank) -> None:
    output = of_wang("meal", "menu", "--day", "星期三").output
    assert asked_last(bank, "/menus") == {
        "canteen_id": CANTEEN["canteen_id"],
        "from": "2026-11-25",
        "to": "2026-11-25",
    }
    assert "用餐人：周小敏（软食，蛋类过敏，清真）" in output
    soup, love = output.split("1．番茄蛋汤（一碗）")[1].split("2．爱心套餐")
    for said in ("4.50 元", "剩 3 份", "含：大豆", "！含蛋类，过敏不能吃", "！不能做成软食", "！不是清真餐"):
        assert said in soup
    assert "♥ 爱心餐" in love
    assert "！" not in love
    assert "售完" in love.split("3．爱心套餐")[1]


def test_a_menu_without_a_file_names_every_allergen_and_warns_of_nothing(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("GET", f"/diners/{ME['person_id']}", bank.problem(404, "diner_unknown", "没有这位用餐对象"))
    result = of_wang("meal", "menu")
    assert "timebank phone meal canteens" in result.output
    assert result.exit_code == 1
    of_wang("meal", "canteens")
    output = of_wang("meal", "menu", "--canteen", "2").output
    assert asked_last(bank, "/menus")["canteen_id"] == FAR["canteen_id"]
    assert "含：蛋类、大豆" in output
    assert "！" not in output
    assert "用餐人" not in output


def test_one_meal_of_a_menu_can_be_seen_alone(of_wang: Phone, bank: ScriptedBank) -> None:
    output = of_wang("meal", "menu", "--meal", "晚餐").output
    assert "1．爱心套餐" in output
    assert "番茄蛋汤" not in output
    listed(bank, "/menus")
    assert "西坞街道中心食堂，11 月 22 日（星期日）没有菜单" in of_wang("meal", "menu").output.replace("┃\n┃  ", "")


def test_a_daughter_sees_the_menu_with_her_mothers_eyes(of_wang: Phone, bank: ScriptedBank) -> None:
    mother = DINER | {"person_id": ELDER_ID, "name": "周桂芬", "allergies": ["大豆"], "diet_form": "normal"}
    bank.on("GET", f"/diners/{ELDER_ID}", bank.reply(200, mother))
    output = of_wang("meal", "menu", "--for", "周桂芬").output
    assert "用餐人：周桂芬" in output
    assert "！含大豆，过敏不能吃" in output
    assert "timebank phone meal order 序号 --for 周桂芬" in " ".join(output.split())


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("今天", "2026-11-22"),
        ("明天", "2026-11-23"),
        ("后天", "2026-11-24"),
        ("周日", "2026-11-22"),
        ("礼拜天", "2026-11-22"),
        ("星期六", "2026-11-28"),
        ("2026-12-01", "2026-12-01"),
    ],
)
def test_a_day_is_named_as_people_name_it(of_wang: Phone, bank: ScriptedBank, typed: str, day: str) -> None:
    of_wang("meal", "menu", "--day", typed)
    assert asked_last(bank, "/menus")["from"] == day


def test_a_day_that_is_none_is_answered_in_words(of_wang: Phone, bank: ScriptedBank) -> None:
    result = of_wang("meal", "menu", "--day", "过年")
    assert result.exit_code == 1
    assert "没有看懂日子「过年」" in result.output
    assert bank.asked("GET", "/menus") == []
