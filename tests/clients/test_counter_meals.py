"""Meals at the counter in the terminal: every screen, what is asked of the bank, and nothing done twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clients.counter.meal_words import fen_of
from clients.counter.signed_text import read
from tests.clients import counter_meals
from tests.clients.conftest import ScriptedBank
from tests.clients.counter_meals import DAY, DINER, LOVE, ORDER, PERSON, PORK, ROUND, SLIP, TOTALS, Run
from tests.clients.counter_pages import GOOD, KEY
from timebank.redemption.signing import signed_payload


@pytest.fixture(params=[60, 80, 100])
def columns(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def run(bank: ScriptedBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TIMEBANK_HOME", str(tmp_path))
    counter_meals.a_bank_with_meals(bank)
    dialled = counter_meals.at(bank)
    dialled("login", "--password", "x")
    return dialled


def bodies(bank: ScriptedBank, path: str) -> list[Any]:
    return [request.body for request in bank.asked("POST", path)]


def keys(bank: ScriptedBank, path: str) -> list[str | None]:
    return [request.key for request in bank.asked("POST", path)]


def test_every_screen_says_what_the_clerk_needs_at_every_width(
    run: Run, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    wanted: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (("today",), ("西坞食堂", "37", "午餐等取餐：1 份", "红烧肉×2", "【软食】", "过敏：鱼类", "清真", "少放盐")),
        (("menu",), ("爱心套餐（爱心餐）", "8 元", "5 份", "不限", "卖完了")),
        (("serve", "12"), ("是，可以给餐：午餐 12 号", "周桂芬", "从余额扣：15.50 元，不收现金", "政府补 4 元")),
        (("sell", "红烧肉"), ("是，卖出：午餐 13 号 散客", "收现金：21 元")),
        (("soldout", "红烧肉"), ("是，午餐的红烧肉卖完了", "已经订出的 3 份不变")),
        (("purse", "周桂芬", "--four", "1234"), ("余额 58.50 元（其中已订餐 10 元）", "西坞街道蒋家池头村", "2 张")),
        (("topup", "周桂芬", "50", "--four", "1234"), ("是，周桂芬充值 50 元", "收现金：50 元", "余额 108.50 元")),
        (("payback", "周桂芬", "50", "--four", "1234"), ("是，周桂芬退款 50 元", "付现金：50 元")),
        (("totals",), ("是，账目相符，一分不差", "没来取的收 3 元", "收现金 86 元", "付现金 121 元", "该有 65 元")),
        (("rounds", "list"), ("待出发", "10:40 出发", "李师傅", "135790")),
        (("rounds", "show", "1"), ("周桂芬", "蒋家池头村12号", "二楼")),
        (("rounds", "courier", "1", "李师傅", "13900002222"), ("是，第 1 趟由李师傅送",)),
        (("rounds", "start", "1"), ("是，第 1 趟出发了",)),
        (("rounds", "deliver", "12", "1234"), ("是，12 号已送达", "出餐后 9 分钟送到")),
        (("rounds", "undelivered", "12", "家中无人"), ("是，12 号已登记没送到",)),
        (("rounds", "finish", "1"), ("是，第 1 趟送完了",)),
    ]
    for words, said in wanted:
        shown = "".join(run(*words).replace("┃", "").split())
        missing = [one for one in said if "".join(one.split()) not in shown]
        assert not missing, f"{words}: {missing}"


def test_what_is_shown_at_the_counter_goes_to_the_bank_as_it_takes_it(run: Run, bank: ScriptedBank) -> None:
    run("serve", "12")
    run("serve", "12号", "--meal", "晚餐")
    run("serve", "abcd-efgh-jkl")
    text = signed_payload(GOOD, KEY)
    run("serve", text)
    run("serve", ORDER.upper())
    run("serve", "--name", "周桂芬", answers="1234\n")
    assert bodies(bank, "/meal-counter/serve") == [
        {"pickup_number": 12, "meal": "lunch"},
        {"pickup_number": 12, "meal": "supper"},
        {"voucher_code": "abcd-efgh-jkl"},
        {"voucher_code": read(text).code},
        {"order_id": ORDER},
        {"person_id": PERSON, "meal": "lunch"},
    ]
    assert bodies(bank, "/purses/find-diner") == [{"name": "周桂芬", "id_last_four": "1234"}]
    assert "二维码没有读全" in run("serve", text[:-1], good=False)
    assert "其中一样" in run("serve", good=False)


def test_dishes_are_named_by_number_name_or_its_start_and_only_todays_meal_counts(run: Run, bank: ScriptedBank) -> None:
    run("menu")
    run("sell", "红x2", "3", "红烧肉", "--to", "周桂芬", "--four", "123X", "--voucher", "--take-away", "--anyway")
    [body] = bodies(bank, "/meal-counter/sell")
    assert body == {
        "meal": "lunch",
        "items": [{"menu_item_id": PORK, "quantity": 3}, {"menu_item_id": LOVE, "quantity": 1}],
        "person_id": PERSON,
        "cash": False,
        "use_voucher": True,
        "way": "take_away",
        "accept_unsuitable": True,
    }
    for typed in ("红烧鱼", "红烧茄子", "9", "0"):
        assert "菜单上没有" in run("sell", typed, good=False)
    assert "份数要大于零" in run("sell", "红烧肉x0", good=False)
    assert len(bodies(bank, "/meal-counter/sell")) == 1


def test_a_number_means_the_dish_that_was_shown_even_where_the_menu_has_changed(run: Run, bank: ScriptedBank) -> None:
    run("menu")
    bank.on("GET", "/menus", bank.reply(200, {"items": counter_meals.MENU[1:], "next_cursor": None}))
    assert "菜单上没有「1」" in run("soldout", "1", good=False)
    run("sell", "3")
    assert bodies(bank, "/meal-counter/sell")[0]["items"] == [{"menu_item_id": LOVE, "quantity": 1}]


def test_two_of_the_same_name_and_number_are_told_apart_before_any_money_moves(run: Run, bank: ScriptedBank) -> None:
    other = {**DINER, "person_id": ORDER, "village": None, "township_name": "尚田街道"}
    bank.on("POST", "/purses/find-diner", bank.reply(200, {"items": [DINER, other]}))
    shown = run("topup", "周桂芬", "50", "--four", "1234", good=False)
    assert "2．尚田街道" in shown
    assert bodies(bank, "/purses/top-up") == []
    run("topup", "周桂芬", "50", "--four", "1234", "--which", "2")
    assert bodies(bank, "/purses/top-up") == [{"person_id": ORDER, "amount_fen": 5000, "note": ""}]
    bank.on("POST", "/purses/find-diner", bank.reply(200, {"items": []}))
    assert "没有找到「周桂芬」" in run("topup", "周桂芬", "50", "--four", "1234", good=False)


def test_all_of_a_purse_is_what_no_order_holds(run: Run, bank: ScriptedBank) -> None:
    run("payback", "周桂芬", "全部", "--four", "1234")
    assert bodies(bank, "/purses/pay-back")[0]["amount_fen"] == DINER["available_fen"]
    bank.on("POST", "/purses/find-diner", bank.reply(200, {"items": [{**DINER, "available_fen": 0}]}))
    assert "没有可退的余额" in run("payback", "周桂芬", "全部", "--four", "1234", good=False)
    assert len(bodies(bank, "/purses/pay-back")) == 1


def test_a_top_up_whose_answer_was_lost_is_found_again_under_its_key_and_done_once(
    run: Run, bank: ScriptedBank
) -> None:
    path, words = "/purses/top-up", ("topup", "周桂芬", "50", "--four", "1234")
    bank.on("POST", path, bank.cut(), bank.cut(), bank.reply(201, SLIP))
    shown = run(*words, good=False)
    assert "不知道「充值：周桂芬 50 元」办成没有" in shown
    assert "timebank counter scan" in shown
    assert "不知道「充值：周桂芬 50 元」办成没有" in run("menu", good=False)
    again = run(*words)
    assert "没有结果的「充值：周桂芬 50 元」：办成了" in again
    assert "没有重复办理" in again
    assert len(set(keys(bank, path))) == 1
    # Once it is known, the same wish is a new one.
    assert "没有重复办理" not in run(*words)
    assert len(keys(bank, path)) == 4
    assert len(set(keys(bank, path))) == 2


def test_a_lost_write_that_had_been_refused_is_told_so_and_can_be_tried_anew(run: Run, bank: ScriptedBank) -> None:
    refusal = bank.problem(409, "sold_out", "“红烧肉”已售完")
    bank.on("POST", "/meal-counter/sell", bank.cut(), refusal)
    run("sell", "红烧肉", good=False)
    shown = run("menu")
    assert "：没有办成" in shown
    assert "已售完" in shown
    assert "没有办成" not in run("menu")


def test_a_fault_or_too_many_leaves_a_write_open_and_a_refusal_or_an_ended_login_does_not(
    run: Run, bank: ScriptedBank
) -> None:
    too_many = bank.problem(429, "too_many_requests", "太多")
    bank.on("POST", "/meal-counter/serve", bank.reply(503, {}), too_many, bank.reply(200, counter_meals.ORDERED))
    run("serve", "12", good=False)
    assert "过几分钟再试" in run("serve", "12", good=False)
    run("serve", "12")
    assert len(set(keys(bank, "/meal-counter/serve"))) == 1
    bank.on("POST", "/purses/pay-back", too_many, bank.reply(201, SLIP))
    assert "办成没有" in run("payback", "周桂芬", "5", "--four", "1234", good=False)
    assert "办成了" in run("menu")
    assert len(set(keys(bank, "/purses/pay-back"))) == 1
    ended = bank.problem(401, "login_needed", "请重新登录")
    bank.on("POST", "/meal-counter/serve", ended, bank.reply(200, counter_meals.ORDERED))
    assert "timebank counter --as 登录名 login" in run("serve", "12", good=False)
    run("serve", "12")
    assert len(set(keys(bank, "/meal-counter/serve"))) == 3


@pytest.mark.parametrize(
    ("status", "code", "facts", "said"),
    [
        (404, "no_order_waiting", {}, "扫用餐券用 scan"),
        (409, "order_already_served", {}, "不要再给"),
        (409, "insufficient_fen", {"available_fen": 300, "needed_fen": 1550}, "需要 15.50 元，可用 3 元"),
        (422, "handover_code_wrong", {"tries_left": 4}, "还可以再试 4 次"),
        (403, "counter_not_yours", {}, "换本助餐点工作人员的登录名"),
        (409, "brand_new", {}, "请问镇街管理员"),
    ],
)
def test_a_refusal_is_a_no_with_its_reason_and_the_next_step(
    run: Run, bank: ScriptedBank, status: int, code: str, facts: dict[str, Any], said: str
) -> None:
    bank.on("POST", "/meal-counter/serve", bank.problem(status, code, "银行说不行", **facts))
    shown = run("serve", "12", good=False)
    assert "否：银行说不行" in shown
    assert said in shown
    assert "下一步：" in shown
    assert f"代码 {code}" in shown
    assert "timebank phone" not in shown


def test_sums_that_do_not_tie_are_a_no_with_the_sums(run: Run, bank: ScriptedBank) -> None:
    misfits = [
        {"what": "meals", "by_orders": 2, "by_ledger": 1},
        {"what": "garden_fen", "by_orders": 50, "by_ledger": 0},
    ]
    bank.on("GET", "/meal-counter/day-totals", bank.reply(200, {**TOTALS, "ties": False, "misfits": misfits}))
    shown = run("totals", "--on", DAY)
    assert "否：账目不符" in shown
    assert "份数：柜台记 2，账本记 1" in shown
    assert "菜园供：柜台记 0.50 元，账本记 0 元" in shown
    assert bank.asked("GET", "/meal-counter/day-totals")[0].query == {"on_day": DAY}
    assert "没有看懂日期" in run("totals", "--on", "昨天", good=False)


def test_a_stop_is_found_by_its_pickup_number_and_the_reason_is_one_of_five(run: Run, bank: ScriptedBank) -> None:
    run("rounds", "deliver", "12", "1234")
    run("rounds", "deliver", "12", "--evidence", "已打电话")
    run("rounds", "undelivered", "12", "送得太晚", "--note", "路滑")
    assert bodies(bank, "/rounds/deliver") == [
        {"order_id": ORDER, "handover_code": "1234", "evidence": ""},
        {"order_id": ORDER, "handover_code": "", "evidence": "已打电话"},
    ]
    assert bodies(bank, "/rounds/undelivered") == [{"order_id": ORDER, "reason": "late", "note": "路滑"}]
    assert "请写：家中无人" in run("rounds", "undelivered", "12", "没人", good=False)
    assert "送餐里没有 9 号" in run("rounds", "deliver", "9", "1234", good=False)
    assert "没有第 7 趟" in run("rounds", "start", "7", good=False)
    assert bank.asked("GET", "/rounds")[0].query["on"] == DAY
    assert bank.asked("GET", f"/rounds/{ROUND}")


def test_off_the_line_meals_say_so_send_nothing_and_say_what_still_goes(run: Run, bank: ScriptedBank) -> None:
    run("offline")
    before = len(bank.requests)
    for words in (("today",), ("serve", "12"), ("topup", "周桂芬", "50"), ("rounds", "list")):
        shown = run(*words, good=False)
        assert "【断网】这件事要联网才能办" in shown
        assert "核销用餐券，timebank counter scan" in shown
        assert "timebank counter online" in shown
    assert len(bank.requests) == before
    run("online")
    run("today")
    bank.on("GET", "/meal-counter/today", bank.cut())
    assert "没有连上服务器" in run("today", good=False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sevre",), "柜台没有「sevre」这一项"),
        (("rounds", "strat"), "柜台没有「strat」这一项"),
        (("topup", "周桂芬"), "还缺少：元"),
        (("scan",), "还缺少：二维码"),
        (("serve", "1", "--mael"), "没有这个选项：--mael"),
        (("rounds", "start", "一"), "这一项填得不对：趟次"),
        (("status", "多余"), "多写或少写了内容"),
        (("serve", "--meal"), "这个选项后面还缺少内容：--meal"),
        (("serve", "12", "--meal", "夜宵"), "没有「夜宵」这一餐"),
        (("topup", "周桂芬", "五十"), "没有看懂金额「五十」"),
        (("topup", "周桂芬", "0"), "没有看懂金额「0」"),
    ],
)
def test_what_was_mistyped_is_answered_in_chinese_with_the_next_step(
    run: Run, words: tuple[str, ...], said: str
) -> None:
    shown = run(*words, good=False)
    assert said in shown
    assert "下一步：" in shown
    assert not any(english in shown for english in ("Usage", "Error", "Try", "timebank phone"))


def test_help_is_chinese_and_lists_everything_to_be_done(run: Run) -> None:
    for shown in (run(), run("--help")):
        assert "这样写：timebank counter 要办的事" in shown
        assert all(f" {name} " in shown for name in ("scan", "today", "serve", "topup", "totals", "rounds"))
    assert "timebank counter rounds deliver 取餐号 交接码" in run("rounds", "deliver", "--help")


def test_an_amount_is_read_to_the_fen() -> None:
    said = {"50": 5000, "50.5": 5050, " 12.05元": 1205, "¥3": 300, "0.01": 1}
    assert {typed: fen_of(typed) for typed in said} == said
    assert [fen_of(typed) for typed in ("", "-5", "1.234", "五十", "1,000", "5e3")] == [None] * 6
