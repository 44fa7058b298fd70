"""Honours, the government's minutes and leaving on the phone: looked at first, done only when it was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients.answers import ELDER_ID, HONOURS, LEAVING, RELATIVE_ID, everything
from tests.clients.shown import Phone, listed

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

LEFT = {"leaving_id": "01935f00-0a00-7000-8000-000000000001", "savings_minutes": 600, "granted_minutes": 120}


@pytest.fixture(autouse=True)
def _bank_with_it_all(bank: ScriptedBank) -> None:
    everything(bank)
    bank.on("POST", "/leaving", bank.reply(201, LEFT))


def test_honours_say_how_far_it_is_to_the_next_star(of_wang: Phone) -> None:
    output = of_wang("honours").output
    for said in (
        "★ 1 星志愿者",
        "荣誉时长：120 小时",
        "离 2 星还差：180 小时",
        "转入公益时间池：1 小时",
        "捐出：30 分钟",
    ):
        assert said in output


def test_beyond_the_last_star_no_other_is_promised(of_wang: Phone, bank: ScriptedBank) -> None:
    last = HONOURS | {"stars": 5, "next_star_minutes": None, "surplus_minutes": 0, "donated_minutes": 0}
    bank.on("GET", "/me/honours", bank.reply(200, last))
    output = of_wang("honours").output
    assert "★★★★★ 5 星志愿者" in output
    for unsaid in ("还差", "公益时间池", "捐出"):
        assert unsaid not in output


def test_allotments_are_shown_by_month(of_wang: Phone, bank: ScriptedBank) -> None:
    output = of_wang("allotments", "--for", "周桂芬").output
    assert bank.asked("GET", "/allotments")[0].query == {"for_person_id": ELDER_ID}
    for said in ("2026 年 11 月", "给了：2 小时", "评估：中度失能", "用到：11 月 30 日（星期一），过期收回"):
        assert said in output
    listed(bank, "/allotments")
    assert "还没有政府给的服务时长" in of_wang("allotments").output


def test_looking_ahead_changes_nothing(of_wang: Phone, bank: ScriptedBank) -> None:
    result = of_wang("leave", "--preview", "--to", "周桂芬")
    assert result.exit_code == 0
    said = [
        "自己存的 10 小时：归周桂芬（父母）",
        "没用的用餐券 2 张：先退回 2 小时",
        "政府给的 2 小时：收回公益时间池",
        "约好的上门服务 1 次：取消",
        "预约未取的辅具 1 件：取消预约",
        "亲属登记 3 位：终止",
    ]
    assert [sentence for sentence in said if sentence not in result.output] == []
    assert bank.asked("POST", "/leaving") == []


@pytest.mark.parametrize(
    ("words", "body", "where"),
    [
        ((), {"to": "pool"}, "公益时间池"),
        (("--to", "周桂芬"), {"to": "relative", "to_person_id": RELATIVE_ID}, "周桂芬（父母）"),
    ],
)
def test_leaving_is_done_when_the_person_says_yes(
    of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...], body: dict[str, str], where: str
) -> None:
    assert "没有退出，一切照旧" in of_wang("leave", *words, answers="不\n").output
    assert bank.asked("POST", "/leaving") == []
    output = of_wang("leave", *words, answers="是\n").output
    assert [request.body for request in bank.asked("POST", "/leaving")] == [body]
    assert f"10 小时已转给{where}" in output
    of_wang("leave", *words, "--yes")
    assert len(bank.asked("POST", "/leaving")) == 2


@pytest.mark.parametrize(("words", "exit_code"), [(("--preview",), 0), (("--yes",), 1)])
def test_what_is_still_open_stands_in_the_way(
    of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...], exit_code: int
) -> None:
    still = [
        {"kind": "aid_loan", "kind_name": "康复辅具借用", "id": "x", "until": "2026-11-25T16:00:00Z"},
        {"kind": "meal_money", "kind_name": "餐费余额", "id": "7", "until": None},
    ]
    bank.on("GET", "/leaving/preview", bank.reply(200, LEAVING | {"may_leave": False, "open": still}))
    result = of_wang("leave", *words)
    assert result.exit_code == exit_code
    assert "康复辅具借用还没有办完，到 11 月 26 日（星期四）00:00" in result.output
    assert "餐费余额还没有办完" in result.output
    assert bank.asked("POST", "/leaving") == []


def test_a_refusal_on_the_last_step_says_what_to_do_next(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/leaving", bank.problem(409, "not_settled_yet", "还有 1 项没有办结"))
    result = of_wang("leave", "--yes")
    assert result.exit_code == 1
    assert "timebank phone leave --preview" in result.output
