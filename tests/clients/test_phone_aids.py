"""Aids on the phone: what is near, reserving by number or kind, extending, cancelling, and what is overdue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.answers import BOTH, ELDER_ID, ITEM, LOAN, NEAR, OVERDUE, everything
from tests.clients.shown import Phone, listed

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

ONE = f"/aid-loans/{LOAN['loan_id']}"


@pytest.fixture(autouse=True)
def _bank_with_aids(bank: ScriptedBank) -> None:
    everything(bank)


@pytest.mark.parametrize("words", [("aids",), ("aids", "list"), ("aids", "--as", "wang")])
def test_what_is_in_ones_own_township_comes_first(of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...]) -> None:
    output = of_wang(*words).output
    assert bank.asked("GET", "/aid-items")[0].query == {"available": "true"}
    assert output.index("1．加宽轮椅") < output.index("2．轻便轮椅")
    for said in ("种类：轮椅", "在：西坞街道", "在：尚田街道", "成色：完好", "每天扣：30 分钟", "辅具编号 FH-0001"):
        assert said in output


def test_a_kind_and_a_township_are_named_in_words(of_wang: Phone, bank: ScriptedBank) -> None:
    of_wang("aids", "list", "--kind", "轮椅", "--township", "尚田")
    asked = bank.asked("GET", "/aid-items")[0].query
    assert asked == {"available": "true", "kind": "wheelchair", "township_code": "330213007"}
    listed(bank, "/aid-items")
    assert "现在没有能借的辅具" in of_wang("aids").output


def test_kinds_are_shown_with_what_a_day_costs(of_wang: Phone) -> None:
    assert "助行器：一天扣 15 分钟" in of_wang("aids", "kinds").output


def test_an_aid_is_reserved_by_its_number_in_the_list_as_it_was_sorted(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/aid-loans", bank.reply(201, LOAN))
    of_wang("aids")
    output = of_wang("aids", "reserve", "1", "--days", "7").output
    assert bank.asked("POST", "/aid-loans")[0].body == {"days": 7, "item_id": NEAR["item_id"]}
    said = [
        "已预约轻便轮椅，请来取",
        "到哪里取：尚田街道",
        "请在 11 月 23 日（星期一）10:00 以前取",
        "取用码：9 8 7   6 5 4",
        "借：7 天，每天扣 30 分钟",
        "冻结：3 小时 30 分钟",
    ]
    assert [sentence for sentence in said if sentence not in output] == []
    assert "预约：" not in output


def test_any_of_a_kind_is_reserved_for_an_elder_and_both_names_are_shown(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/aid-loans", bank.reply(201, LOAN | {"reserved_by_name": BOTH}))
    output = of_wang("aids", "reserve", "--kind", "轮椅", "--days", "3", "--for", "周桂芬").output
    body = {"days": 3, "kind": "wheelchair", "for_person_id": ELDER_ID}
    assert bank.asked("POST", "/aid-loans")[0].body == body
    assert f"预约：{BOTH}" in output


@pytest.mark.parametrize("words", [(), ("1", "--kind", "轮椅")])
def test_one_aid_or_one_kind_has_to_be_named(of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...]) -> None:
    result = of_wang("aids", "reserve", *words, "--days", "3")
    assert result.exit_code == 1
    assert "请写明借哪一件，或借哪一种。" in result.output
    assert bank.asked("POST", "/aid-loans") == []


def test_loans_are_shown_with_what_is_overdue_and_unpaid(of_wang: Phone, bank: ScriptedBank) -> None:
    output = of_wang("aids", "mine").output
    assert bank.asked("GET", "/aid-loans")[0].query == {}
    overdue = output[output.index("2．轻便轮椅") :]
    for said in ("11 月 18 日（星期三）当天以前", "已经逾期 3 天", "已用 10 天，扣 4 小时", "没有扣到 2 天：1 小时"):
        assert said in overdue
    assert "取用码" not in overdue
    assert "timebank phone aids extend 序号 --days 天数" in overdue
    of_wang("aids", "mine", "--for", "周桂芬")
    assert bank.asked("GET", "/aid-loans")[-1].query == {"for_person_id": ELDER_ID}
    listed(bank, "/aid-loans")
    assert "还没有借过辅具" in of_wang("aids", "mine").output


@pytest.mark.parametrize(
    ("words", "path", "body", "said"),
    [
        (("extend", "1", "--days", "5"), f"{ONE}/extend", {"days": 5}, "已续借"),
        (("cancel", "1"), f"{ONE}/cancel", {}, "已取消预约"),
        (("cancel", "1", "--reason", "好了"), f"{ONE}/cancel", {"reason": "好了"}, "已取消预约"),
    ],
)
def test_a_loan_is_changed_by_its_number(
    of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...], path: str, body: dict[str, Any], said: str
) -> None:
    bank.on("POST", path, bank.reply(200, LOAN))
    of_wang("aids", "mine")
    assert said in of_wang("aids", *words).output
    assert [request.body for request in bank.asked("POST", path)] == [body]


def test_a_code_that_nobody_may_see_is_not_shown(of_wang: Phone, bank: ScriptedBank) -> None:
    listed(bank, "/aid-loans", LOAN | {"code": None}, OVERDUE)
    assert "取用码" not in of_wang("aids", "mine").output


@pytest.mark.parametrize(
    ("code", "said"),
    [("aid_taken", "timebank phone aids"), ("aids_too_many", "请先归还一件"), ("aid_overdue", "请尽快归还")],
)
def test_a_refusal_says_what_to_do_next(of_wang: Phone, bank: ScriptedBank, code: str, said: str) -> None:
    bank.on("POST", "/aid-loans", bank.problem(409, code, "这件辅具已被预约或借出"))
    result = of_wang("aids", "reserve", ITEM["item_id"], "--days", "3")
    assert result.exit_code == 1
    assert "这件辅具已被预约或借出" in result.output
    assert said in result.output
