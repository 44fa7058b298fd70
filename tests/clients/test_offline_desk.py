"""A counter's queue and its way off the line and back: nothing is lost, and nothing happens by itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from clients.counter.bundle import NotTrusted
from clients.counter.counter import counter
from clients.counter.desk import Desk, DeskTrouble
from clients.counter.journal import Journal, JournalBroken, Kept
from clients.counter.line import LineDown
from tests.clients.conftest import ScriptedBank
from tests.clients.counter_pages import GOOD, KEY, NEXT, NOON, STRANGER, THIRD, kept, key_entry, page, signed_texts
from timebank.redemption.codes import new_code
from timebank.redemption.signing import signed_payload


def test_a_journal_remembers_scans_and_answers(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "scans.jsonl")
    for number in range(3):
        journal.keep(kept(number))
    journal.settle([("n0", {"result": "accepted"}), ("n2", {"result": "refused", "honoured": True})])
    again = Journal(tmp_path / "scans.jsonl")
    assert again.waiting == [kept(1)]
    assert again.let_through == {"CODE0", "CODE1", "CODE2"}
    assert again.differing == [(kept(2), {"result": "refused", "honoured": True})]
    assert (tmp_path / "scans.jsonl").stat().st_mode & 0o077 == 0


def test_a_line_torn_by_a_power_cut_is_left_out_and_everything_before_and_after_it_is_there(tmp_path: Path) -> None:
    file = tmp_path / "scans.jsonl"
    journal = Journal(file)
    journal.keep(kept(0))
    with file.open("a") as out:
        out.write('{"scan": {"nonce": "n1", "te')
    torn = Journal(file)
    assert torn.waiting == [kept(0)]
    torn.keep(kept(2))
    assert Journal(file).waiting == [kept(0), kept(2)]


@pytest.mark.parametrize("line", ["{}", "[1]", "x", '{"scan": {"nonce": "n"}}', '{"answer": {}}'])
def test_a_broken_line_stops_the_counter_instead_of_losing_a_scan(tmp_path: Path, line: str) -> None:
    file = tmp_path / "scans.jsonl"
    Journal(file).keep(kept(0))
    file.write_text(line + "\n" + file.read_text())
    with pytest.raises(JournalBroken, match="line 1"):
        Journal(file)


SCANNER = """
import sys
from pathlib import Path
from clients.counter.journal import Journal, Kept
journal = Journal(Path(sys.argv[1]))
for number in range(100_000):
    journal.keep(Kept(f"n{number}", "TB1.", "2026-03-10T12:00:00+08:00", f"CODE{number}"))
    print(number, flush=True)
"""


def test_what_the_clerk_was_told_survives_a_kill(tmp_path: Path) -> None:
    file = tmp_path / "scans.jsonl"
    with subprocess.Popen([sys.executable, "-c", SCANNER, str(file)], stdout=subprocess.PIPE, text=True) as scanner:
        assert scanner.stdout is not None
        told = [int(scanner.stdout.readline()) for _ in range(20)]
        os.kill(scanner.pid, signal.SIGKILL)
        told += [int(line) for line in scanner.stdout.read().splitlines() if line]
    there = {scan.nonce for scan in Journal(file).waiting}
    assert {f"n{number}" for number in told} <= there
    assert len(there) <= len(told) + 1


class Lines:
    """A bank's side of the line, answering what a test says."""

    token = "t"

    def __init__(self) -> None:
        self.down = False
        self.sent: list[list[Kept]] = []
        self.answer: Callable[[Kept], dict[str, Any]] = lambda _scan: {"result": "accepted", "reason": "ok"}
        self.break_after: int | None = None
        self.next_page = page()

    def bundle(self, _since: int) -> Mapping[str, Any]:
        self._must_be_up()
        return self.next_page

    def redeem(self, text: str, nonce: str, scanned_at: str) -> dict[str, Any]:
        self._must_be_up()
        return self.answer(Kept(nonce, text, scanned_at, ""))

    def send(self, scans: list[Kept]) -> list[dict[str, Any]]:
        self._must_be_up()
        if self.break_after is not None and len(self.sent) >= self.break_after:
            raise LineDown("cut")
        self.sent.append(list(scans))
        return [self.answer(scan) for scan in scans]

    def _must_be_up(self) -> None:
        if self.down:
            raise LineDown("down")


def opened(folder: Path, lines: Lines) -> Desk:
    desk = Desk(folder, "http://127.0.0.1:9", now=lambda: NOON)
    desk.line = lines  # type: ignore[assignment]
    return desk


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def desk(tmp_path: Path, lines: Lines) -> Desk:
    ready = opened(tmp_path, lines)
    ready.refresh()
    return ready


def test_a_line_that_falls_takes_the_counter_off_it_until_somebody_says_otherwise(
    desk: Desk, lines: Lines, tmp_path: Path
) -> None:
    [one, other] = signed_texts(2)
    lines.down = True
    came = desk.scan(one)
    assert came.own is not None
    assert (came.bank, came.own.good, came.line_fell) == (None, True, True)
    lines.down = False
    later = opened(tmp_path, lines)
    came = later.scan(other)
    assert (came.bank, came.line_fell, later.offline_since) == (None, False, NOON.isoformat())
    assert [scan.text for scan in later.journal.waiting] == [one, other]
    later.send()
    later.go_online()
    assert opened(tmp_path, lines).offline_since is None


def test_a_counter_that_knows_nothing_says_no_and_what_to_do(tmp_path: Path, lines: Lines) -> None:
    lines.down = True
    with pytest.raises(DeskTrouble, match="还没有下载名单"):
        opened(tmp_path, lines).scan(signed_texts(1)[0])
    assert opened(tmp_path, lines).offline_since is None


def test_a_counter_off_the_line_comes_back_after_every_key_it_knew_was_revoked(desk: Desk, lines: Lines) -> None:
    desk.go_offline()
    revoked = [key_entry(KEY, NOON.isoformat()), key_entry(NEXT, NOON.isoformat()), key_entry(THIRD)]
    lines.next_page = page(THIRD, keys=revoked)
    with pytest.raises(NotTrusted):
        desk.go_online()
    assert desk.offline_since is not None
    desk.go_online(afresh=True)
    assert desk.offline_since is None
    lines.down = True
    own = desk.scan(signed_texts(1)[0]).own
    assert own is not None
    assert (own.good, own.reason) == (False, "qr_key_revoked")


def test_a_refused_scan_is_not_queued_and_the_same_code_is_let_through_once(desk: Desk) -> None:
    desk.go_offline()
    [text] = signed_texts(1)
    for said in (text, text, GOOD.code, "TB1.x"):
        desk.scan(said)
    assert [scan.text for scan in desk.journal.waiting] == [text]


def test_what_the_bank_accepted_on_the_line_is_known_when_the_line_falls(desk: Desk, lines: Lines) -> None:
    [text] = signed_texts(1)
    assert desk.scan(text).bank is not None
    lines.down = True
    came = desk.scan(text)
    assert came.own is not None
    assert came.own.reason == "already_scanned_here"
    assert desk.journal.waiting == []


def test_a_queue_is_sent_by_the_thousand_and_goes_on_where_the_line_broke(
    desk: Desk, lines: Lines, tmp_path: Path
) -> None:
    for number in range(2100):
        desk.journal.scans[f"n{number}"] = kept(number)
    desk._folder.joinpath("scans.jsonl").write_text(
        "".join(json.dumps({"scan": scan.__dict__}) + "\n" for scan in desk.journal.scans.values())
    )
    lines.break_after = 1
    with pytest.raises(LineDown):
        desk.send()
    again = opened(tmp_path, lines)
    assert len(again.journal.waiting) == 1100
    lines.break_after = None
    assert len(again.send()) == 1100
    assert [len(sent) for sent in lines.sent] == [1000, 1000, 100]
    assert len({scan.nonce for sent in lines.sent for scan in sent}) == 2100
    assert opened(tmp_path, lines).journal.waiting == []


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_every_screen_fits_the_terminal(
    columns: int, bank: ScriptedBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TIMEBANK_HOME", str(tmp_path))
    bank.on("POST", "/auth/staff-login", bank.reply(200, {"access_token": "t"}))
    bank.on("GET", "/offline/bundle", bank.reply(200, page()))
    good = {"result": "accepted", "reason": "ok", "message": "可以用餐", "holder_name": "周桂芬", "honoured": False}
    twice = {
        "result": "refused",
        "reason": "already_redeemed",
        "message": "这张券已于03月10日12:00在大堰镇老年食堂用过；断网时已经用餐，这一餐由保障金支付",
        "holder_name": "周桂芬",
        "honoured": True,
    }
    bank.on("POST", "/vouchers/redeem", bank.reply(200, good), bank.cut())
    bank.on("POST", "/vouchers/redeem-batch", bank.reply(200, {"results": [twice, good]}))

    def run(*words: str, good: bool = True) -> str:
        result = CliRunner().invoke(counter, ["--server", bank.url, "--as", "canteen-xiwu", *words])
        assert result.exit_code == (0 if good else 1), result.output
        assert all(cell_len(line) <= columns for line in result.output.splitlines())
        return result.output

    far = replace(GOOD, expires_at=datetime(2100, 1, 1, tzinfo=UTC))
    first, *others = [signed_payload(replace(far, code=new_code()), KEY) for _ in range(3)]
    assert "西坞食堂，登录成功" in run("login", "--password", "x")
    assert "周桂芬：可以用餐" in run("scan", first)
    assert "线路断了，已转为断网核销" in run("scan", others[0])
    assert "等待补传：2 张" in run("scan", others[1])
    assert "断网时只能扫二维码" in run("scan", GOOD.code)
    assert "等待补传：2 张" in run("queue")
    assert "【断网】自" in run("status")
    assert "与当时答复不同 1 张" in run("send")
    assert "已恢复联网" in run("online")
    bank.on("GET", "/offline/bundle", bank.reply(200, page(STRANGER, keys=[key_entry(STRANGER)])))
    assert "名单的签名不对" in run("bundle", good=False)
    assert "【断网】现在由本机核销" in run("offline")
    assert "加 --afresh 再下载" in run("online", good=False)
    assert "【断网】自" in run("status")
    assert "已恢复联网" in run("online", "--afresh")
    assert "【断网】" not in run("status")
    sent = bank.asked("POST", "/vouchers/redeem-batch")[0].body["scans"]
    assert [(one["code"], one["offline"]) for one in sent] == [(text, True) for text in others]
