"""The story of two counters off the line, over real HTTP: three scans, one of them doubled, and the queue sent twice.

A real ``timebank serve``, and the counters as ``timebank counter`` in processes of their own.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from tests.factories.people import DAYAN, SHANGTIAN, XIWU, valid_id_number
from tests.story.running_bank import RunningBank, reachable_home, timebank, words_of

ELDER = "钱奶奶"
WESTERN, EASTERN = "canteen-xiwu", "canteen-dayan"


def test_two_counters_off_the_line_and_three_scans_of_which_one_is_doubled() -> None:
    with reachable_home() as home:
        bank = RunningBank(home)
        try:
            bank.wait_until("/readyz")
            vouchers = _buy_three(bank)
            _go_off_the_line(bank)
            _eat(bank, vouchers)
            copy = _copy_of(bank, EASTERN)
            _come_back(bank)
            _send_the_same_queue_again(bank, copy)
            _look_at_the_books(bank)
            assert bank.stop() == 0, bank.said()
        finally:
            bank.close()


def _counter(bank: RunningBank, who: str, *words: str, good: bool = True, columns: int = 80, line: bool = True) -> str:
    """What the counter of one canteen shows; without a line it talks to a port where nobody is."""
    server = bank.url if line else "http://127.0.0.1:9"
    more = {"TIMEBANK_COUNTER_SERVER": server, "TIMEBANK_COUNTER": who, "COLUMNS": str(columns)}
    done = timebank(bank.home.parent / "counters", "counter", *words, **more)
    assert (done.returncode == 0) is good, f"{words}: {done.stdout}{done.stderr}"
    return words_of(done.stdout)


def _buy_three(bank: RunningBank) -> list[str]:
    """An elder with three vouchers; answers the texts in their QRs, as a camera would read them."""
    number = valid_id_number(date(1941, 2, 3))
    form = ["--name", ELDER, "--id-number", number, "--phone", "13912345678", "--township", "尚田"]
    bank.phone(ELDER, "login", ELDER)
    bank.phone(ELDER, "register", *form)
    elder = bank.get("/me", bank.person(ELDER))
    record = {
        "service_type": "companionship",
        "volunteer_id": elder["person_id"],
        "started_at": "2026-01-05T09:00:00+08:00",
        "ended_at": "2026-01-05T12:00:00+08:00",
        "evidence": "签到表第3页",
    }
    other = {
        "name": "周奶奶",
        "id_number": valid_id_number(date(1939, 4, 5)),
        "township_code": XIWU,
        "roles": ["elder"],
    }
    record["elder_id"] = bank.call("POST", "/people", other, token=bank.staff("xiwu"))["person_id"]
    task = bank.call("POST", "/tasks/records", record, token=bank.staff("xiwu"))
    assert task.status == 201, task
    approved = bank.call("POST", f"/tasks/{task['task_id']}/approve-record", token=bank.staff("district"))
    assert approved["payable_minutes"] == 180
    bank.phone(ELDER, "buy", "3")
    bank.wait_for(lambda: all(_texts(bank)), "the first signing key")
    return [text for text in _texts(bank) if text is not None]


def _texts(bank: RunningBank) -> list[str | None]:
    return [text if text.startswith("TB1.") else None for text in _listed(bank, "qr_text")]


def _listed(bank: RunningBank, name: str) -> list[str]:
    return [one[name] for one in bank.get("/vouchers", bank.person(ELDER))["items"]]


def _go_off_the_line(bank: RunningBank) -> None:
    """Both counters have logged in and downloaded; then the line falls: one notices, the other is told."""
    for who in (WESTERN, EASTERN):
        assert "登录成功" in _counter(bank, who, "login", "--password", "timebank-demo")
    assert "现在由本机核销" in _counter(bank, EASTERN, "offline")


def _eat(bank: RunningBank, texts: list[str]) -> None:
    """The first voucher in the west, the second in the east, and the first again in the east."""
    first, second, third = texts
    shown = _counter(bank, WESTERN, "scan", first, line=False)
    assert "线路断了，已转为断网核销" in shown
    assert "可以用餐（断网，先记下）" in shown
    assert "已经扫过" in _counter(bank, WESTERN, "scan", first, line=False)
    for text in (second, first):
        assert "可以用餐" in _counter(bank, EASTERN, "scan", text, line=False)
    # With one letter turned it is nobody's voucher.
    place = 30
    forged = third[:place] + ("A" if third[place] != "A" else "B") + third[place + 1 :]
    assert "签名不对" in _counter(bank, EASTERN, "scan", forged, line=False)
    for columns in (60, 80, 120):
        shown = _counter(bank, EASTERN, "status", columns=columns, line=False)
        assert "【断网】" in shown
        assert "等待补传：2 张" in shown
        assert "等待补传：2 张" in _counter(bank, EASTERN, "queue", columns=columns, line=False)
    assert "没有连上服务器" in _counter(bank, EASTERN, "send", good=False, line=False)
    assert "等待补传：2 张" in _counter(bank, EASTERN, "status", line=False)


def _folder(bank: RunningBank, who: str) -> Path:
    return bank.home.parent / "counters" / "counters" / who


def _copy_of(bank: RunningBank, who: str) -> str:
    """What the counter's disk held before it sent anything."""
    return (_folder(bank, who) / "scans.jsonl").read_text()


def _come_back(bank: RunningBank) -> None:
    shown = _counter(bank, WESTERN, "online")
    assert "补传 1 张：核销 1 张，与当时答复不同 0 张" in shown
    # Off the line is left by hand only, even now that the line is back.
    assert "【断网】" in _counter(bank, EASTERN, "status")
    shown = _counter(bank, EASTERN, "online", columns=120)
    assert "补传 2 张：核销 1 张，与当时答复不同 1 张" in shown
    assert "在西坞街道中心食堂用过" in shown
    assert "保障金支付" in shown
    assert "已恢复联网" in shown


def _send_the_same_queue_again(bank: RunningBank, copy: str) -> None:
    """A counter whose disk forgot the answers sends the same scans under the same numbers, and is told the same."""
    journal = _folder(bank, EASTERN) / "scans.jsonl"
    answered = journal.read_text()
    journal.write_text(copy)
    assert "补传 2 张：核销 1 张，与当时答复不同 1 张" in _counter(bank, EASTERN, "send")
    told = [json.loads(line) for line in answered.splitlines()]
    told_again = [json.loads(line) for line in journal.read_text().splitlines()]
    assert told_again == told


def _look_at_the_books(bank: RunningBank) -> None:
    assert sorted(_listed(bank, "status")) == ["issued", "redeemed", "redeemed"]
    [loss] = bank.get("/offline/losses", bank.staff("auditor"))["items"]
    assert (loss["reason"], loss["minutes"], loss["loss_fen"]) == ("eaten_twice", 60, 3000)
    assert (loss["first_scan"]["canteen_name"], loss["second_scan"]["canteen_name"]) == (
        "西坞街道中心食堂",
        "大堰镇老年食堂",
    )
    listed = timebank(bank.home, "guarantee", "losses", "--by", "auditor", "--unpaid", "--json")
    assert json.loads(listed.stdout) == {"items": [loss], "more": False}, listed.stderr
    paid = {"outside_reference": "保-2026-1"}
    answer = bank.call("POST", f"/offline/losses/{loss['loss_id']}/pay", paid, token=bank.staff("district"))
    assert answer["outside_reference"] == "保-2026-1"
    shown = timebank(bank.home, "guarantee", "losses", "--by", "auditor", COLUMNS="80").stdout
    assert "两处断网时重复使用" in shown
    assert "已付 保-2026-1" in shown
    unpaid = timebank(bank.home, "guarantee", "losses", "--by", "auditor", "--unpaid", "--json")
    assert json.loads(unpaid.stdout)["items"] == []
    told = bank.get("/notices", bank.person(ELDER))["items"]
    assert any("不扣您的时长" in one["body"] for one in told)
    positions = bank.get("/clearing/positions", bank.staff("district"), window="all")
    owed = {item["township_code"]: item["position_minutes"] for item in positions["items"]}
    # 西坞 owes 尚田 the hours, 尚田 owes each meal to where its voucher was used; nobody owes anybody the loss.
    assert (owed[XIWU], owed[SHANGTIAN], owed[DAYAN]) == (-180 + 60, 180 - 120, 60)
    verified = timebank(bank.home, "verify", "--json")
    assert (verified.returncode, json.loads(verified.stdout)["ok"]) == (0, True), verified.stdout
