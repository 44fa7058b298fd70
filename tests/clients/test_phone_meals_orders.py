"""Ordering meals on the phone: what goes to the bank, and what is said before anything costs money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.answers import BOTH, ELDER_ID
from tests.clients.meal_answers import CANTEEN, LINES, LOVE, ONE_ORDER, ORDER, PRICED, SOUP, meals
from tests.clients.shown import Phone, listed

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

WANTED = {
    "canteen_id": CANTEEN["canteen_id"],
    "served_on": "2026-11-25",
    "meal": "lunch",
    "way": "eat_in",
    "items": [{"menu_item_id": LOVE["menu_item_id"], "quantity": 2}],
}
AS_IT_WAS = {
    "way": "deliver",
    "items": [{"menu_item_id": LOVE["menu_item_id"], "quantity": 2}],
    "use_voucher": False,
    "note": "少放盐",
    "delivery_address": "西坞村 3 号",
    "accept_unsuitable": False,
}


@pytest.fixture
def at_the_menu(of_wang: Phone, bank: ScriptedBank) -> Phone:
    meals(bank)
    of_wang("meal", "menu", "--day", "2026-11-25")
    return of_wang


def test_a_price_is_shown_with_every_line_and_both_sums(at_the_menu: Phone, bank: ScriptedBank) -> None:
    output = at_the_menu("meal", "price", "2x2").output
    assert bank.asked("POST", "/orders/price")[0].body == WANTED
    for said in ("要付 14 元", "11 月 25 日（星期三）午餐", "餐价：19 元", "政府补一点：2 元", "餐费可用：50 元"):
        assert said in output
    assert "六十岁以上每人每天，办法第 3 版" in output
    assert "企业捐一点" not in output
    assert output.count("19 元") == 3
    assert bank.asked("POST", "/orders") == []


@pytest.mark.parametrize(
    ("priced", "said"),
    [
        ({"voucher_id": "v"}, "用餐券：会用一张"),
        ({}, "用餐券：没有这一餐能用的"),
        ({"elder_fen": 0}, "用餐券：不用付钱，券留着下次用"),
    ],
)
def test_a_price_says_what_becomes_of_the_voucher(
    at_the_menu: Phone, bank: ScriptedBank, priced: dict[str, Any], said: str
) -> None:
    bank.on("POST", "/orders/price", bank.reply(200, PRICED | priced))
    assert said in at_the_menu("meal", "price", "2", "--voucher").output


def test_asking_for_a_price_leaves_nothing_on_the_phone_when_the_line_breaks(
    at_the_menu: Phone, bank: ScriptedBank
) -> None:
    bank.on("POST", "/orders/price", bank.cut())
    assert "网络不通" in at_the_menu("meal", "price", "2").output
    assert "结果未知" not in at_the_menu("meal", "orders").output
    assert bank.asked("POST", "/orders/price")[0].key is None


def test_an_order_is_placed_only_after_a_yes(at_the_menu: Phone, bank: ScriptedBank) -> None:
    output = at_the_menu("meal", "order", "2x2", answers="否\n").output
    assert "没有订" in output
    assert bank.asked("POST", "/orders") == []
    output = at_the_menu("meal", "order", "2x2", answers="是\n").output
    assert bank.asked("POST", "/orders")[0].body == WANTED
    assert bank.asked("POST", "/orders")[0].key
    for said in ("订好了", "取餐号：12", "菜：爱心套餐 2 份", "要付：14 元，先冻结，送到时才扣"):
        assert said in output
    assert "最晚改、退：11 月 25 日（星期三）09:00" in output
    at_the_menu("meal", "show", "1")
    assert bank.asked("GET", ONE_ORDER)


def test_everything_that_can_be_wished_goes_to_the_bank(at_the_menu: Phone, bank: ScriptedBank) -> None:
    wishes = ("--way", "送餐", "--address", "村口", "--voucher", "--note", "少放盐", "--accept-unsuitable")
    at_the_menu("meal", "order", "番茄蛋汤", "1×2", *wishes, "--for", "周桂芬", "--yes")
    assert bank.asked("POST", "/orders")[0].body == WANTED | {
        "way": "deliver",
        "items": [{"menu_item_id": SOUP["menu_item_id"], "quantity": 3}],
        "delivery_address": "村口",
        "use_voucher": True,
        "note": "少放盐",
        "accept_unsuitable": True,
        "for_person_id": ELDER_ID,
    }
    assert bank.asked("POST", "/orders/price") == []


def test_what_was_not_written_is_asked(at_the_menu: Phone, bank: ScriptedBank) -> None:
    at_the_menu("meal", "order", answers="1 2\n是\n")
    assert [one["quantity"] for one in bank.asked("POST", "/orders")[0].body["items"]] == [1, 1]
    assert at_the_menu("meal", "order").exit_code == 1


def test_nothing_is_ordered_that_the_purse_cannot_pay(at_the_menu: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/orders/price", bank.reply(200, PRICED | {"purse_fen": 600, "lacking_fen": 800}))
    result = at_the_menu("meal", "order", "2x2", answers="是\n")
    assert result.exit_code == 1
    assert "餐费还差 8 元，没有订。" in result.output
    assert "充值" in result.output
    assert bank.asked("POST", "/orders") == []


@pytest.mark.parametrize(
    ("dishes", "said"),
    [
        (("9",), "没有找到「9」"),
        (("佛跳墙",), "没有找到「佛跳墙」"),
        (("爱心套餐",), "有 2 个都像「爱心套餐」"),
        (("1", "3"), "这些菜不是同一餐的：午餐、晚餐。"),
        (("3", "--meal", "午餐"), "没有找到「3」"),
        (("1", "--way", "外卖"), "没有认出用餐方式「外卖」"),
    ],
)
def test_what_is_not_clear_is_not_ordered(
    at_the_menu: Phone, bank: ScriptedBank, dishes: tuple[str, ...], said: str
) -> None:
    result = at_the_menu("meal", "order", *dishes, "--yes")
    assert result.exit_code == 1
    assert said in result.output
    assert bank.asked("POST", "/orders") == []


def test_a_dish_named_twice_is_clear_once_its_meal_is(at_the_menu: Phone, bank: ScriptedBank) -> None:
    at_the_menu("meal", "order", "爱心套餐x2", "--meal", "午餐", "--yes")
    assert bank.asked("POST", "/orders")[0].body == WANTED


def test_dishes_are_chosen_from_a_menu_that_was_seen(of_wang: Phone, bank: ScriptedBank) -> None:
    meals(bank)
    result = of_wang("meal", "order", "1")
    assert result.exit_code == 1
    assert "timebank phone meal menu" in result.output


@pytest.mark.parametrize(
    ("code", "title", "step"),
    [
        ("cut_off_passed", "已过截止时间11月25日09:00", "timebank phone meal menu --day 明天"),
        ("dish_not_suitable", "“番茄蛋汤”含有蛋类，您对它过敏", "--accept-unsuitable"),
        ("diner_not_approved", "用餐对象资格待审核，请到镇街办理", "timebank phone meal file"),
        ("no_voucher", "没有这一餐能用的用餐券", "timebank phone buy 1"),
        ("capacity_reached", "这一餐只剩1份，订不下", "timebank phone meal canteens"),
    ],
)
def test_a_refusal_is_shown_as_it_stands_with_a_next_step(
    at_the_menu: Phone, bank: ScriptedBank, code: str, title: str, step: str
) -> None:
    bank.on("POST", "/orders", bank.problem(422, code, title))
    output = " ".join(at_the_menu("meal", "order", "2", "--yes").output.replace("┃", " ").split())
    assert title in output
    assert step in output
    assert f"代码 {code}" in output


def test_what_is_lacking_is_said_in_yuan(at_the_menu: Phone, bank: ScriptedBank) -> None:
    refused = bank.problem(422, "insufficient_fen", "余额不足", available_fen=600, needed_fen=1450)
    bank.on("POST", "/orders", refused)
    assert "需要 14.50 元，可用 6 元。" in at_the_menu("meal", "order", "2", "--yes").output


def test_orders_are_listed_and_narrowed(at_the_menu: Phone, bank: ScriptedBank) -> None:
    listed(bank, "/orders", ORDER | {"placed_by_name": BOTH})
    output = at_the_menu("meal", "orders", "--for", "周桂芬", "--state", "已订").output
    assert bank.asked("GET", "/orders")[-1].query == {"for_person_id": ELDER_ID, "state": "placed"}
    assert "1．11 月 25 日（星期三）午餐" in output
    assert f"订餐：{BOTH}" in output
    listed(bank, "/orders")
    assert "timebank phone meal menu" in at_the_menu("meal", "orders").output


@pytest.mark.parametrize(
    ("changed", "shown", "absent"),
    [
        ({}, ("交接码：1 5 2 2", "timebank phone meal cancel 序号"), ("取餐号：12", "meal rate")),
        ({"way": "eat_in"}, ("取餐号：12", "取餐时才扣"), ("交接码",)),
        (
            {"state": "served"},
            ("付了：14 元", "timebank phone meal rate 序号"),
            ("交接码", "最晚改、退", "meal cancel"),
        ),
        ({"state": "served", "cash_fen": 1400}, ("付了：14 元（现金）",), ()),
        ({"state": "served", "elder_fen": 0, "voucher_id": "v"}, ("没有付钱", "用餐券：用一张"), ()),
        ({"state": "missed"}, ("timebank phone meal purse --lines",), ("meal rate", "要付")),
        ({"state": "cancelled", "voucher_id": "v"}, ("不收钱，冻结的餐费已经退回",), ("用一张",)),
        ({"unsuitable_accepted": True}, ("有的菜不合饮食要求，知道了仍然要订",), ()),
        ({"source": "standing", "source_name": "长期订餐"}, ("来源：长期订餐",), ()),
    ],
)
def test_an_order_is_shown_as_it_stands(
    at_the_menu: Phone, bank: ScriptedBank, changed: dict[str, Any], shown: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    bank.on("GET", ONE_ORDER, bank.reply(200, ORDER | changed))
    output = " ".join(at_the_menu("meal", "show", ORDER["order_id"]).output.split())
    assert all(said in output for said in shown)
    assert not any(said in output for said in absent)
    assert all(line["label"] in output for line in LINES)


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (("--way", "自取"), {"way": "take_away"}),
        (("--voucher",), {"use_voucher": True}),
        (("1x3",), {"items": [{"menu_item_id": SOUP["menu_item_id"], "quantity": 3}]}),
        (("爱心套餐",), {"items": [{"menu_item_id": LOVE["menu_item_id"], "quantity": 1}]}),
        (("--address", "村口", "--note", ""), {"delivery_address": "村口", "note": ""}),
        (("--accept-unsuitable",), {"accept_unsuitable": True}),
    ],
)
def test_a_change_leaves_the_rest_as_it_was(
    at_the_menu: Phone, bank: ScriptedBank, words: tuple[str, ...], changed: dict[str, Any]
) -> None:
    at_the_menu("meal", "orders")
    assert "改好了" in at_the_menu("meal", "change", "1", *words).output
    assert bank.asked("POST", f"{ONE_ORDER}/change")[0].body == AS_IT_WAS | changed


def test_a_voucher_stays_unless_it_is_taken_back(at_the_menu: Phone, bank: ScriptedBank) -> None:
    bank.on("GET", ONE_ORDER, bank.reply(200, ORDER | {"voucher_id": "v"}))
    at_the_menu("meal", "orders")
    at_the_menu("meal", "change", "1", "--note", "")
    at_the_menu("meal", "change", "1", "--no-voucher")
    assert [one.body["use_voucher"] for one in bank.asked("POST", f"{ONE_ORDER}/change")] == [True, False]


def test_an_order_is_cancelled_with_a_reason(at_the_menu: Phone, bank: ScriptedBank) -> None:
    at_the_menu("meal", "orders")
    output = at_the_menu("meal", "cancel", "1", "--reason", "女儿回家").output
    sent = bank.asked("POST", f"{ONE_ORDER}/cancel")[0]
    assert (sent.body, bool(sent.key)) == ({"reason": "女儿回家"}, True)
    assert "原因：女儿回家" in output
    assert "不收钱，冻结的餐费已经退回" in output
