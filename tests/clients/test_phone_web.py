"""Coming into the web view from the terminal's phone, where a visit goes, and why one cancels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients.shown import Phone, listed
from tests.clients.test_phone import TASK, TASK_IDS

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

ISSUED = {"ticket": "t" * 43, "address": f"/m/ticket#{'t' * 43}", "expires_at": "2026-11-21T16:05:00Z"}


@pytest.mark.parametrize(("typed", "body"), [((), {}), (("/m/orders",), {"next": "/m/orders"})])
def test_the_address_of_the_pages_stands_whole_on_a_line(
    of_wang: Phone, bank: ScriptedBank, typed: tuple[str, ...], body: dict[str, str]
) -> None:
    bank.on("POST", "/web-tickets", bank.reply(201, ISSUED))
    output = of_wang("web", *typed).output
    assert [line.endswith(ISSUED["address"]) for line in output.splitlines() if "#" in line] == [True]
    assert output.splitlines()[-1].startswith("http")
    assert "只能用一次" in output
    assert bank.asked("POST", "/web-tickets")[-1].body == body


def test_where_a_visit_goes_is_shown_with_whom_to_call(of_wang: Phone, bank: ScriptedBank) -> None:
    listed(bank, "/tasks", TASK)
    of_wang("tasks")
    where = {"village": "白杜村", "address": "13 号", "contact_name": "周小敏", "contact_is_proxy": True}
    bank.on("GET", f"/tasks/{TASK_IDS[0]}/where", bank.reply(200, {**where, "phone": "13911112222"}))
    output = of_wang("where", "1").output
    said = ("白杜村，13 号", "周小敏 13911112222", "这是代办人的电话", "不要告诉别人")
    assert [words for words in said if words not in output] == []
    bank.on("GET", f"/tasks/{TASK_IDS[0]}/where", bank.reply(200, {**where, "phone": None}))
    assert "没有登记电话" in of_wang("where", "1").output


@pytest.mark.parametrize(("typed", "body"), [((), {}), (("--reason", "孙子住院"), {"words": "孙子住院"})])
def test_a_reason_goes_along_when_a_task_is_cancelled(
    of_wang: Phone, bank: ScriptedBank, typed: tuple[str, ...], body: dict[str, str]
) -> None:
    listed(bank, "/tasks", TASK)
    of_wang("tasks")
    bank.on("POST", f"/tasks/{TASK_IDS[0]}/cancel", bank.reply(200, TASK | {"status": "cancelled"}))
    assert "已取消" in of_wang("cancel", "1", *typed).output
    assert bank.asked("POST", f"/tasks/{TASK_IDS[0]}/cancel")[-1].body == body
