"""The story of the bank over real HTTP: help given in 西坞 by a volunteer of 尚田 is eaten as a meal in 大堰.

A real ``timebank serve`` with its own database, the people on ``timebank phone``, the staff over HTTP.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.factories.people import DAYAN, SHANGTIAN, XIWU, valid_id_number
from tests.story.running_bank import RunningBank, reachable_home, timebank, words_of

VOLUNTEER, ELDER = "王秀英", "钱奶奶"
WORKBOOK = Path(__file__).parents[1] / "data" / "pilot_workbook.xlsx"
EXPECTED = Path(__file__).parents[1] / "data" / "pilot_workbook.expected.json"


def test_an_hour_earned_in_one_township_is_eaten_in_another_over_real_http() -> None:
    with reachable_home() as home:
        bank = RunningBank(home)
        try:
            bank.wait_until("/readyz")
            _enrol_both(bank)
            task_id = _ask_and_accept(bank)
            _serve_and_confirm(bank, task_id)
            code = _buy(bank)
            _eat(bank, code)
            _look_at_the_books(bank)
            _import_a_workbook(bank)
            assert bank.stop() == 0, bank.said()
        finally:
            bank.close()


def _enrol_both(bank: RunningBank) -> None:
    """The volunteer is on the steward's list first and is bound to it; the elder registers by phone alone."""
    number = valid_id_number(date(1960, 5, 6))
    listed = {"name": VOLUNTEER, "id_number": number, "township_code": SHANGTIAN, "roles": ["volunteer"]}
    enrolled = bank.call("POST", "/people", listed, token=bank.staff("shangtian"))
    assert enrolled.status == 201
    assert "还没有登记" in bank.phone(VOLUNTEER, "login", VOLUNTEER)
    form = ["--name", VOLUNTEER, "--id-number", number, "--phone", "13812345678", "--township", "尚田"]
    assert "登记成功" in bank.phone(VOLUNTEER, "register", *form)
    me = bank.get("/me", bank.person(VOLUNTEER))
    assert (me["person_id"], me["township_code"]) == (enrolled["person_id"], SHANGTIAN)
    bank.phone(ELDER, "login", ELDER)
    form = ["--name", ELDER, "--id-number", valid_id_number(date(1941, 2, 3)), "--phone", "13912345678"]
    bank.phone(ELDER, "register", *form, "--township", XIWU)
    assert "西坞街道" in bank.phone(ELDER, "me")


def _ask_and_accept(bank: RunningBank) -> str:
    starts_at = (datetime.now(UTC) + timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)
    wish = ["--type", "陪伴", "--starts-at", starts_at.isoformat(), "--minutes", "60"]
    assert "已发布，等志愿者接单" in bank.phone(ELDER, "request", *wish)
    assert "服务码" not in bank.phone(VOLUNTEER, "tasks")
    assert "接单成功" in bank.phone(VOLUNTEER, "accept", "1")
    [task] = bank.get("/tasks", bank.person(VOLUNTEER), mine="true")["items"]
    assert (task["status"], task["township_code"]) == ("accepted", XIWU)
    assert "service_code" not in task
    return str(task["task_id"])


def _serve_and_confirm(bank: RunningBank, task_id: str) -> None:
    task = bank.get(f"/tasks/{task_id}", bank.person(ELDER))
    starts_at = datetime.fromisoformat(task["starts_at"])
    bank.set_clock(starts_at.isoformat())
    wrong = f"{(int(task['service_code']) + 1) % 1_000_000:06}"
    assert "代码 service_code_wrong" in bank.phone(VOLUNTEER, "check-in", "1", "--code", wrong, good=False)
    assert "签到成功" in bank.phone(VOLUNTEER, "check-in", "1", "--code", task["service_code"])
    bank.set_clock((starts_at + timedelta(minutes=60)).isoformat())
    assert "签退成功" in bank.phone(VOLUNTEER, "check-out", "1")
    bank.phone(ELDER, "tasks", "--mine")
    assert "记入时长：1 小时" in bank.phone(ELDER, "confirm", "1", "--rating", "5")
    assert "可用时长：1 小时" in words_of(bank.phone(VOLUNTEER, "balance"))
    balance = bank.get("/me/balance", bank.person(VOLUNTEER))
    assert (balance["savings_minutes"], balance["available_minutes"]) == (60, 60)


def _buy(bank: RunningBank) -> str:
    assert "换到用餐券 1 张，用去 1 小时" in bank.phone(VOLUNTEER, "buy", "1")
    assert "代码 insufficient_minutes" in bank.phone(VOLUNTEER, "buy", "1", good=False)
    for columns in (60, 100):
        assert "状态：可以使用" in bank.phone(VOLUNTEER, "vouchers", "--qr", columns=columns)
        assert "－1 小时" in bank.phone(VOLUNTEER, "statement", columns=columns)
    [voucher] = bank.get("/vouchers", bank.person(VOLUNTEER))["items"]
    lines = bank.get("/me/statement", bank.person(VOLUNTEER))["items"]
    assert [(line["minutes"], line["balance_minutes"]) for line in lines] == [(-60, 0), (60, 60)]
    assert [line["counterpart_township_code"] for line in lines] == [SHANGTIAN, XIWU]
    return str(voucher["code"])


def _eat(bank: RunningBank, code: str) -> None:
    clerk = bank.staff("canteen-dayan")
    first, again, second = (
        bank.call("POST", "/vouchers/redeem", {"code": code, "nonce": nonce}, token=clerk)
        for nonce in ("first scan", "first scan", "second scan")
    )
    assert (first["result"], first["holder_name"]) == ("accepted", VOLUNTEER)
    assert again == first
    assert (second["result"], second["reason"]) == ("refused", "already_redeemed")
    assert (second["redeemed_at"], second["canteen_id"]) == (first["redeemed_at"], first["canteen_id"])
    assert "在大堰镇老年食堂用过" in second["message"]
    assert "状态：已使用" in bank.phone(VOLUNTEER, "vouchers")


def _look_at_the_books(bank: RunningBank) -> None:
    district = bank.staff("district")
    # Of all time, since a month may end while the story is told.
    positions = bank.get("/clearing/positions", district, window="all")
    found = {item["township_code"]: item["position_minutes"] for item in positions["items"]}
    assert {code: minutes for code, minutes in found.items() if minutes} == {XIWU: -60, DAYAN: 60}
    assert (found[SHANGTIAN], positions["sum_minutes"]) == (0, 0)
    lines = bank.get("/clearing/matrix", district, window="all")["items"]
    owed = {(one["debtor_township_code"], one["creditor_township_code"]): one["minutes"] for one in lines}
    assert owed == {(XIWU, SHANGTIAN): 60, (SHANGTIAN, DAYAN): 60}
    trial = bank.get("/ledger/trial-balance", bank.staff("auditor"))
    assert trial["total_debit"] == trial["total_credit"] > 0
    verified = timebank(bank.home, "verify", "--json")
    assert (verified.returncode, json.loads(verified.stdout)["ok"]) == (0, True)


def _import_a_workbook(bank: RunningBank) -> None:
    """The office's workbook goes in while the bank serves, and the people in it are there over HTTP."""
    expected = json.loads(EXPECTED.read_text())
    words = ["import", str(WORKBOOK), "--approved-by", "区民政局王科长", "--json"]
    done = timebank(bank.home, *words)
    assert done.returncode in (0, 1), done.stderr
    said = json.loads(done.stdout)
    for name in ("volunteers", "elders", "records", "minutes"):
        assert said[name] == expected[name]
    verified = timebank(bank.home, "verify", "--json")
    assert json.loads(verified.stdout)["ok"] is True
    assert bank.status_of("/readyz") == 200
