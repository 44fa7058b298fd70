"""A diner's file on the phone: applying, seeing and changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.answers import ELDER_ID, ME
from tests.clients.meal_answers import DINER, FAR, meals
from tests.clients.shown import Phone

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

MINE = f"/diners/{ME['person_id']}"


@pytest.fixture(autouse=True)
def _bank_with_meals(bank: ScriptedBank) -> None:
    meals(bank)


def test_a_file_is_shown_with_what_is_valid_today(of_wang: Phone) -> None:
    output = of_wang("meal", "file").output
    for said in (
        "状态：已通过",
        "餐食：软食",
        "过敏：蛋类",
        "饮食习惯：清真",
        "常去：西坞街道中心食堂",
        "送餐地址：西坞村 3 号",
        "送餐说明：按两下门铃",
        "特殊类别：低保（有效，到 12 月 31 日（星期四））",
        "同户：周桂芬",
        "timebank phone meal update",
    ):
        assert said in output
    assert "三无" not in output
    assert "申报的类别" not in output


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"state": "applied"}, "申报的类别：低保（等镇街核定）"),
        ({"state": "refused", "review_reason": "材料不全"}, "理由：材料不全"),
        ({"state": "refused"}, "timebank phone meal apply"),
        ({"allergies": [], "usual_canteen_name": None}, "过敏：没有"),
        ({"applied_by_name": "周小敏（代周桂芬）"}, "申请：周小敏（代周桂芬）"),
    ],
)
def test_a_file_says_how_it_stands(of_wang: Phone, bank: ScriptedBank, changed: dict[str, Any], said: str) -> None:
    bank.on("GET", MINE, bank.reply(200, DINER | changed))
    assert said in of_wang("meal", "file").output


def test_who_has_no_file_is_told_how_to_apply(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("GET", f"/diners/{ELDER_ID}", bank.problem(404, "diner_unknown", "没有这位用餐对象"))
    result = of_wang("meal", "file", "--for", "周桂芬")
    assert "timebank phone meal apply --for 周桂芬" in result.output
    assert result.exit_code == 0


def test_a_proxy_without_the_right_is_told_so(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("GET", f"/diners/{ELDER_ID}", bank.problem(403, "proxy_scope_missing", "老人没有委托您办理用餐"))
    result = of_wang("meal", "file", "--for", "周桂芬")
    assert "老人没有委托您办理用餐" in result.output
    assert "timebank phone proxies" in result.output
    assert result.exit_code == 1


def test_an_application_carries_what_was_claimed(of_wang: Phone, bank: ScriptedBank) -> None:
    of_wang("meal", "canteens")
    wishes = ("--diet", "碎", "--allergy", "蛋、花生", "--religious", "素食", "--canteen", "2", "--note", "敲门")
    claim = ("--category", "低保", "--category", "三无", "--evidence", "低保证 1203 号")
    where = ("--address", "西坞村 3 号", "--place", "29.69,121.47")
    output = of_wang("meal", "apply", *wishes, *claim, *where, "--for", "周桂芬").output
    assert bank.asked("POST", "/diners")[0].body == {
        "diet_form": "minced",
        "allergies": ["蛋类", "花生"],
        "religious_diet": "素食",
        "usual_canteen_id": FAR["canteen_id"],
        "delivery_address": "西坞村 3 号",
        "delivery_note": "敲门",
        "latitude": 29.69,
        "longitude": 121.47,
        "categories": ["low_income", "three_withouts"],
        "evidence": "低保证 1203 号",
        "person_id": ELDER_ID,
    }
    assert "已申请，等镇街审核" in output


def test_an_application_asks_for_the_diet_alone(of_wang: Phone, bank: ScriptedBank) -> None:
    of_wang("meal", "apply", answers="普通\n")
    assert bank.asked("POST", "/diners")[0].body == {"diet_form": "normal"}


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (("--diet", "流食"), {"diet_form": "liquid"}),
        (("--allergy", "没有"), {"allergies": []}),
        (("--religious", "无"), {"religious_diet": None}),
        (("--address", ""), {"delivery_address": ""}),
    ],
)
def test_only_what_was_written_changes(
    of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...], body: dict[str, Any]
) -> None:
    assert "已改好" in of_wang("meal", "update", *words).output
    assert bank.asked("POST", f"{MINE}/change")[0].body == body


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "还没有写要改什么。"),
        (("--allergy", "牛奶"), "鱼类、蛋类、花生"),
        (("--diet", "硬"), "普通、软食、碎食、流食"),
        (("--canteen", "没有这家"), "timebank phone meal canteens"),
    ],
)
def test_what_is_not_clear_is_not_sent(of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...], said: str) -> None:
    result = of_wang("meal", "update", *words)
    assert result.exit_code == 1
    assert said in result.output
    assert bank.asked("POST", f"{MINE}/change") == []
