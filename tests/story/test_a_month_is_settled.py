"""A month over real HTTP: the window closes by itself, is reviewed, settled, paid, and its statement handed out.

A real ``timebank serve`` with its jobs; stewards over HTTP, the office's papers by ``timebank clearing``.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from openpyxl import load_workbook

from tests.factories.people import DAYAN, SHANGTIAN, XIWU
from tests.story.running_bank import RunningBank, reachable_home, timebank
from timebank.clearing.rules import window_due
from timebank.core.clock import LOCAL

VOLUNTEER, ELDER = "林阿姨", "周奶奶"


def test_a_window_closes_when_its_month_is_over_and_is_reviewed_settled_and_paid() -> None:
    with reachable_home() as home:
        bank = RunningBank(home)
        try:
            bank.wait_until("/readyz")
            _help_and_eat(bank)
            window = _let_the_month_end(bank)
            _review(bank, window)
            _settle_and_pay(bank, window)
            _hand_out_the_statement(bank, window)
            assert bank.stop() == 0, bank.said()
        finally:
            bank.close()


def _help_and_eat(bank: RunningBank) -> None:
    """An hour given in 西坞 by a volunteer of 尚田 becomes a meal in 大堰."""
    elder, volunteer = bank.person(ELDER), bank.person(VOLUNTEER)
    starts_at = _begin_within_one_month(bank) + timedelta(minutes=30)
    wish = {"service_type": "companionship", "starts_at": starts_at.isoformat(), "minutes": 60}
    task = bank.call("POST", "/tasks", wish, token=elder)
    task_id = task["task_id"]
    assert bank.call("POST", f"/tasks/{task_id}/accept", token=volunteer).status == 200
    bank.set_clock(starts_at.isoformat())
    code = {"service_code": task["service_code"]}
    assert bank.call("POST", f"/tasks/{task_id}/check-in", code, token=volunteer).status == 200
    bank.set_clock((starts_at + timedelta(minutes=60)).isoformat())
    assert bank.call("POST", f"/tasks/{task_id}/check-out", token=volunteer).status == 200
    assert bank.call("POST", f"/tasks/{task_id}/confirm", {"rating": 5}, token=elder)["payable_minutes"] == 60
    [voucher] = bank.call("POST", "/vouchers", {"quantity": 1}, token=volunteer)["items"]
    scan = {"code": voucher["code"], "nonce": "a"}
    assert bank.call("POST", "/vouchers/redeem", scan, token=bank.staff("canteen-dayan"))["result"] == "accepted"


def _begin_within_one_month(bank: RunningBank) -> datetime:
    """Now, or the next month's first hour where this month ends before the story does."""
    now = datetime.now(LOCAL)
    month_ends = window_due(now, 1)
    if month_ends - now > timedelta(hours=3):
        return now
    bank.set_clock((month_ends + timedelta(minutes=1)).isoformat())
    assert timebank(bank.home, "run-job", "close_window").returncode == 0
    return month_ends + timedelta(minutes=2)


def _let_the_month_end(bank: RunningBank) -> str:
    district = bank.staff("district")
    window = bank.get("/clearing/windows", district)["items"][0]
    name, opened_at = str(window["window"]), datetime.fromisoformat(window["opened_at"])
    assert (window["status"], datetime.fromisoformat(window["due_at"])) == ("open", window_due(opened_at, 1))
    bank.set_clock((window_due(opened_at, 1) + timedelta(minutes=2)).isoformat())

    def closed() -> bool:
        return bank.get(f"/clearing/windows/{name}", district)["status"] == "closed"

    # The job may have looked a moment before the clock was moved; the office does not wait for it.
    assert timebank(bank.home, "run-job", "close_window").returncode == 0
    bank.wait_for(closed, "the window's closing")
    again = bank.call("POST", f"/clearing/windows/{name}/close", token=district)
    assert (again.status, again["code"]) == (409, "window_already_closed")
    assert [item["status"] for item in bank.get("/clearing/windows", district)["items"]][:2] == ["open", "closed"]
    positions = bank.get("/clearing/positions", district, window=name)
    found = {item["township_code"]: item["position_minutes"] for item in positions["items"]}
    assert {code: minutes for code, minutes in found.items() if minutes} == {XIWU: -60, DAYAN: 60}
    return name


def _review(bank: RunningBank, window: str) -> None:
    xiwu, district = bank.staff("xiwu"), bank.staff("district")
    [line] = bank.get("/clearing/lines", xiwu, window=window)["items"]
    assert (line["minutes"], line["kind"]) == (-60, "service_credit")
    wrong = {"transfer_id": line["transfer_id"], "reason": "请核对签到表"}
    dispute = bank.call("POST", f"/clearing/windows/{window}/disputes", wrong, token=xiwu)
    early = bank.call("POST", f"/clearing/windows/{window}/confirm", {}, token=xiwu)
    assert (early.status, early["code"]) == (409, "disputes_unruled")
    ruling = {"ruling": "stays", "reason": "签到签退齐全"}
    ruled = bank.call("POST", f"/clearing/disputes/{dispute['dispute_id']}/rule", ruling, token=district)
    assert ruled["ruling"] == "stays"
    for username in ("xiwu", "dayan", "shangtian"):
        unsettled = bank.call("POST", f"/clearing/windows/{window}/settle", token=district)
        assert (unsettled.status, unsettled["code"]) == (409, "window_not_reviewed")
        confirmed = bank.call("POST", f"/clearing/windows/{window}/confirm", {}, token=bank.staff(username))
        assert confirmed["status"] == "under_review"


def _settle_and_pay(bank: RunningBank, window: str) -> None:
    district = bank.staff("district")
    settled = bank.call("POST", f"/clearing/windows/{window}/settle", token=district)
    payments = {payment["township_code"]: payment for payment in settled["payments"]}
    assert {code: (p["direction"], p["amount_fen"]) for code, p in payments.items()} == {
        XIWU: ("pay", 3000),
        DAYAN: ("receive", 3000),
    }
    for number, payment in enumerate(payments.values()):
        reference = {"outside_reference": f"国库-{number}"}
        paid = bank.call("POST", f"/clearing/payments/{payment['payment_id']}/paid", reference, token=district)
        assert paid["state"] == "paid"
    whole = bank.get(f"/clearing/windows/{window}", bank.staff("auditor"))
    assert (whole["status"], whole["settlements"][0]["settlement_status"]) == ("settled", "completed")
    owed: dict[str, Any] = {p["township_code"]: p for p in bank.get("/clearing/positions", district)["items"]}
    assert {code: item["owed_minutes"] for code, item in owed.items() if item["owed_minutes"]} == {}


def _hand_out_the_statement(bank: RunningBank, window: str) -> None:
    folder = bank.home.parent / "statements"
    folder.mkdir()
    words = ["clearing", "export", window, "--all", "--format", "xlsx", "-o", str(folder)]
    done = timebank(bank.home, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    books = sorted(folder.glob("*.xlsx"))
    assert len(books) == 12
    seal = bank.get(f"/clearing/windows/{window}", bank.staff("district"))["seal"]
    for book in books:
        cells = [str(cell) for sheet in load_workbook(book) for row in sheet.values for cell in row if cell]
        assert any(seal in cell.replace(" ", "") for cell in cells), book.name
    said = bank.get(f"/clearing/windows/{window}/statement", bank.staff("shangtian"))
    assert (said["township_code"], said["seal"]) == (SHANGTIAN, seal)
    assert window in timebank(bank.home, "clearing", "status").stdout
    verified = timebank(bank.home, "verify", "--json")
    assert (verified.returncode, json.loads(verified.stdout)["ok"]) == (0, True)
