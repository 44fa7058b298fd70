"""Standing orders, the purse and ratings on the phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.answers import ELDER_ID
from tests.clients.meal_answers import CANTEEN, ONE_STANDING, ORDER, PURSE, RATING, STANDING, meals
from tests.clients.shown import Phone, listed

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

SET = {
    "canteen_id": CANTEEN["canteen_id"],
    "meal": "lunch",
    "weekdays": [1, 2, 3, 4, 5],
    "way": "eat_in",
    "choice": "love_meal",
    "use_vouchers": False,
    "starts_on": "2026-11-23",
}


@pytest.fixture(autouse=True)
def _bank_with_meals(bank: ScriptedBank) -> None:
    meals(bank)


@pytest.mark.parametrize("words", [("standing",), ("standing", "list")])
def test_standing_orders_are_shown_with_what_came_of_the_newest_day(of_wang: Phone, words: tuple[str, ...]) -> None:
    output = of_wang("meal", *words).output
    for said in (
        "1．周一至周五，午餐",
        "每次订：爱心餐，有用餐券先用券",
        "从 11 月 23 日（星期一）起，到 12 月 31 日（星期四）",
        "最近一次：11 月 23 日（星期一）没有订成",
        "原因：“爱心套餐”已售完",
        "请再看一遍菜单",
    ):
        assert said in output
    assert "sold_out" not in output


def test_standing_orders_of_an_elder_that_ended_are_shown(of_wang: Phone, bank: ScriptedBank) -> None:
    listed(bank, "/standing-orders", STANDING | {"ended_at": "2026-11-22T03:00:00Z", "last_refusal_code": None})
    output = of_wang("meal", "standing", "list", "--ended", "--for", "周桂芬").output
    assert bank.asked("GET", "/standing-orders")[-1].query == {"ended": "true", "for_person_id": ELDER_ID}
    assert "已结束：11 月 22 日（星期日）11:00" in output
    assert "最近一次：11 月 23 日（星期一）订好了" in output
    assert "standing end" not in output
    listed(bank, "/standing-orders")
    assert "timebank phone meal standing set" in of_wang("meal", "standing").output


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ((), {}),
        (("--until", "2026-12-31", "--vouchers"), {"ends_on": "2026-12-31", "use_vouchers": True}),
        (("--way", "送餐", "--choice", "最便宜"), {"way": "deliver", "choice": "cheapest"}),
        (("--from", "星期四"), {"starts_on": "2026-11-26"}),
    ],
)
def test_a_standing_order_is_set(
    of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...], changed: dict[str, Any]
) -> None:
    output = of_wang("meal", "standing", "set", "--meal", "午餐", "--weekdays", "周一到周五", *words).output
    sent = bank.asked("POST", "/standing-orders")[0]
    assert (sent.body, bool(sent.key)) == (SET | changed, True)
    assert "长期订餐设好了" in output


@pytest.mark.parametrize(
    ("typed", "weekdays"),
    [
        ("每天", [1, 2, 3, 4, 5, 6, 7]),
        ("一三五", [1, 3, 5]),
        ("周六、周日", [6, 7]),
        ("每周天", [7]),
        ("5 3 1", [1, 3, 5]),
        ("2-4", [2, 3, 4]),
    ],
)
def test_weekdays_are_named_as_people_name_them(
    of_wang: Phone, bank: ScriptedBank, typed: str, weekdays: list[int]
) -> None:
    of_wang("meal", "standing", "set", answers=f"午餐\n{typed}\n")
    assert bank.asked("POST", "/standing-orders")[0].body["weekdays"] == weekdays


@pytest.mark.parametrize("typed", ["五到一", "八", "有空的时候", "1-3-5"])
def test_weekdays_that_are_none_are_answered_in_words(of_wang: Phone, bank: ScriptedBank, typed: str) -> None:
    result = of_wang("meal", "standing", "set", "--meal", "午餐", "--weekdays", typed)
    assert result.exit_code == 1
    assert f"没有看懂星期「{typed}」" in result.output
    assert bank.asked("POST", "/standing-orders") == []


def test_a_standing_order_is_paused_and_ended(of_wang: Phone, bank: ScriptedBank) -> None:
    of_wang("meal", "standing")
    output = of_wang("meal", "standing", "pause", "1", "--from", "星期三", "--until", "星期四").output
    assert bank.asked("POST", f"{ONE_STANDING}/pause")[0].body == {"from": "2026-11-25", "until": "2026-11-26"}
    assert "暂停：11 月 25 日（星期三）到 11 月 26 日（星期四）" in output
    assert "已经订好的餐" in output
    assert "长期订餐已结束" in of_wang("meal", "standing", "end", "1").output
    assert bank.asked("POST", f"{ONE_STANDING}/end")


def test_a_purse_is_shown_with_what_is_held(of_wang: Phone, bank: ScriptedBank) -> None:
    output = of_wang("meal", "purse").output
    for said in ("餐费可用：36.50 元", "余额：50.50 元", "订餐冻结：14 元", "timebank phone meal purse --lines"):
        assert said in output
    assert bank.asked("GET", "/purses/statement") == []
    bank.on("GET", "/purses", bank.reply(200, PURSE | {"held_fen": 0}))
    assert "冻结" not in of_wang("meal", "purse").output


def test_the_lines_of_an_elders_purse_say_why(of_wang: Phone, bank: ScriptedBank) -> None:
    output = of_wang("meal", "purse", "--lines", "--for", "周桂芬").output
    for path in ("/purses", "/purses/statement"):
        assert bank.asked("GET", path)[-1].query == {"person_id": ELDER_ID}
    assert "－8.50 元" in output
    assert "11月20日午餐" in output
    listed(bank, "/purses/statement")
    assert "还没有明细" in of_wang("meal", "purse", "--lines").output


def test_a_meal_is_rated_in_the_words_of_the_policy(of_wang: Phone, bank: ScriptedBank) -> None:
    of_wang("meal", "orders")
    output = of_wang("meal", "rate", "1", "--stars", "4", "--tag", "味道、热乎", "--words", "咬得动").output
    body = {"stars": 4, "tags": ["味道好", "热乎"], "words": "咬得动"}
    assert bank.asked("POST", f"/ratings/{ORDER['order_id']}")[0].body == body
    assert "★★★★☆（4 颗星）" in output
    result = of_wang("meal", "rate", "1", "--stars", "4", "--tag", "难吃")
    assert result.exit_code == 1
    assert "味道好、热乎、太咸" in result.output


def test_stars_are_asked_for(of_wang: Phone, bank: ScriptedBank) -> None:
    of_wang("meal", "orders")
    of_wang("meal", "rate", "1", answers="5\n")
    assert bank.asked("POST", f"/ratings/{ORDER['order_id']}")[0].body == {"stars": 5, "tags": [], "words": ""}
    assert of_wang("meal", "rate", "1", answers="6\n").exit_code == 1
    assert len(bank.asked("POST", f"/ratings/{ORDER['order_id']}")) == 1


def test_what_others_said_of_a_canteen_is_shown_with_its_answer(of_wang: Phone, bank: ScriptedBank) -> None:
    output = of_wang("meal", "ratings").output
    assert bank.asked("GET", "/ratings")[-1].query == {"canteen_id": CANTEEN["canteen_id"]}
    for said in ("平均 4.35 颗星，7 人次评价", "周**，11 月 20 日", "味道好、热乎", "助餐点回复：谢谢，下周还有"):
        assert said in output
    hidden = {"items": [RATING | {"hidden": True, "words": "", "reply": None}], "next_cursor": None}
    bank.on("GET", "/ratings", bank.reply(200, hidden | {"average": {"ratings": 1, "average_hundredths": 400}}))
    assert "有的话没有显示" in of_wang("meal", "ratings").output
