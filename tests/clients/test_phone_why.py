"""为什么 on the phone: a line of the statement by its number, a task, and what was last refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.clients.shown import Phone, listed

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

LINES = ["01935f00-cccc-7000-8000-000000000001", "01935f00-cccd-7000-8000-000000000002"]
SAID: dict[str, Any] = {
    "title": "陪伴记入1小时15分钟",
    "reason": "您服务了1小时40分钟，周桂芬确认。约定1小时，最多可超过15分钟，所以只计1小时15分钟。",
    "advice": "如有疑问，可以申诉。",
    "happened_at": "2026-11-21T16:05:00Z",
    "policy_version": 3,
    "rules": [{"label": "超出约定时长的容许", "text": "15分钟", "policy_version": 3}],
    "facts": [{"label": "实际服务", "text": "1小时40分钟"}],
}


def entries(bank: ScriptedBank) -> None:
    entry = {"posted_at": "2026-11-21T16:05:00Z", "kind_name": "服务所得", "minutes": 75, "balance_minutes": 75}
    listed(bank, "/me/statement", *(entry | {"transfer_id": one, "note": "陪伴"} for one in LINES))


def test_a_line_is_asked_about_by_its_number(of_wang: Phone, bank: ScriptedBank) -> None:
    entries(bank)
    output = of_wang("statement").output
    assert "第2笔" in output
    assert "timebank phone why 序号" in output
    bank.on("GET", "/me/explain", bank.reply(200, SAID))
    output = of_wang("why", "2").output
    assert bank.asked("GET", "/me/explain")[-1].query == {"transfer_id": LINES[1]}
    said = [
        "陪伴记入1小时15分钟",
        "可以怎么办：如有疑问，可以申诉。",
        "实际服务",
        "1小时40分钟",
        "超出约定时长的容许",
        "第 3 版",
    ]
    assert [sentence for sentence in said if sentence not in output] == []
    assert "发生在 2026-11-22 00:05" in output


def test_granted_minutes_have_lines_of_their_own_that_say_until_when(of_wang: Phone, bank: ScriptedBank) -> None:
    entry = {"posted_at": "2026-11-21T16:05:00Z", "kind_name": "政府购买服务时长", "minutes": 75, "balance_minutes": 75}
    listed(bank, "/me/statement", entry | {"transfer_id": LINES[0], "note": "", "expires_on": "2026-11-30"})
    output = of_wang("statement", "--granted").output
    assert bank.asked("GET", "/me/statement")[-1].query == {"account": "granted"}
    assert "2026-11-30" in output


def test_a_voucher_and_a_visit_are_asked_about(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("GET", "/me/explain", bank.reply(200, SAID))
    of_wang("why", "--voucher", LINES[0])
    of_wang("why", "--care", LINES[1])
    assert [asked.query for asked in bank.asked("GET", "/me/explain")] == [
        {"voucher_id": LINES[0]},
        {"booking_id": LINES[1]},
    ]


def test_a_task_without_hours_is_asked_about(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("GET", "/me/explain", bank.reply(200, SAID | {"advice": None, "rules": [], "facts": []}))
    output = of_wang("why", "--task", LINES[0]).output
    assert bank.asked("GET", "/me/explain")[-1].query == {"task_id": LINES[0]}
    assert "可以怎么办" not in output
    assert "依据的办法" not in output


def test_what_was_last_refused_is_asked_about(of_wang: Phone, bank: ScriptedBank) -> None:
    listed(bank, "/me/refusals", {"key": "k-1", "code": "insufficient_minutes"})
    bank.on("GET", "/me/explain", bank.reply(200, SAID))
    of_wang("why", "--refused")
    assert bank.asked("GET", "/me/explain")[-1].query == {"key": "k-1"}
    listed(bank, "/me/refusals")
    result = of_wang("why", "--refused")
    assert result.exit_code == 1
    assert "最近没有什么事没有办成" in result.output


def test_one_thing_has_to_be_named(of_wang: Phone, bank: ScriptedBank) -> None:
    listed(bank, "/me/refusals", {"key": "k-1", "code": "insufficient_minutes"})
    for said in ((), (LINES[0], "--task", LINES[1])):
        result = of_wang("why", *said)
        assert result.exit_code == 1
        assert "请只问一件" in result.output
    assert bank.asked("GET", "/me/explain") == []


def test_a_number_that_was_not_shown_is_refused(of_wang: Phone, bank: ScriptedBank) -> None:
    result = of_wang("why", "7")
    assert result.exit_code == 1
    assert "没有找到「7」" in result.output
    assert bank.asked("GET", "/me/explain") == []
