"""When things go wrong on the phone: a plain sentence, what to do next, and nothing done twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner, Result

from clients.miniprogram.api import Api
from clients.miniprogram.phone import phone

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

Phone = Callable[..., Result]
VOUCHER = {
    "voucher_id": "v1",
    "code": "ABCDEFGHJKM",
    "status": "issued",
    "price_minutes": 60,
    "expires_at": "2027-05-20T16:00:00Z",
}


@pytest.fixture
def of_wang(bank: ScriptedBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Phone:
    monkeypatch.setattr("clients.miniprogram.api._WRITE_PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr("clients.miniprogram.api._READ_PAUSES_S", ())
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TIMEBANK_HOME", str(tmp_path))
    monkeypatch.setenv("TIMEBANK_PHONE_SERVER", bank.url)
    monkeypatch.setenv("TIMEBANK_PHONE", "wang")
    return lambda *words: CliRunner().invoke(phone, list(words))


def selling(bank: ScriptedBank, sold: dict[str, Any], *, lost: int) -> Callable[[Any], Any]:
    left = [lost]

    def sell(request: Any) -> Any:
        sold.setdefault(request.key, request.body)
        if left[0]:
            left[0] -= 1
            return bank.cut()
        return bank.reply(201, {"items": [VOUCHER] * request.body["quantity"]})

    return sell


def test_a_refusal_says_why_and_what_to_do_next(of_wang: Phone, bank: ScriptedBank) -> None:
    facts = {"available_minutes": 30, "needed_minutes": 120}
    bank.on("POST", "/vouchers", bank.problem(422, "insufficient_minutes", "时长不够", request_id="r-1", **facts))
    result = of_wang("buy", "2")
    assert result.exit_code == 1
    for sentence in ("时长不够", "需要 2 小时，可用 30 分钟。", "下一步：可以少用一些", "代码 insufficient_minutes"):
        assert sentence in result.output
    assert "r-1" not in result.output


def test_field_errors_are_listed_and_an_unknown_error_shows_its_request_id(of_wang: Phone, bank: ScriptedBank) -> None:
    errors = {"json": {"quantity": ["张数要在 1 到 50 之间"]}}
    bank.on("POST", "/vouchers", bank.problem(422, "validation_error", "填得不对", errors=errors, request_id="r-2"))
    output = of_wang("buy", "0").output
    for sentence in ("张数要在 1 到 50 之间", "请改好以后再办一次", "编号 r-2"):
        assert sentence in output


def test_a_fault_while_reading_shows_its_request_id(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("GET", "/me/balance", bank.problem(500, "internal", "系统出错", request_id="r-3"))
    result = of_wang("balance")
    assert result.exit_code == 1
    for sentence in ("系统出错", "镇街管理员", "编号 r-3"):
        assert sentence in result.output


def test_a_dead_line_is_said_plainly(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("GET", "/me/balance", bank.cut())
    result = of_wang("balance")
    assert result.exit_code == 1
    assert "网络不通，没有连上服务器。" in result.output


def test_a_lost_purchase_is_settled_at_the_next_start_and_bought_once(of_wang: Phone, bank: ScriptedBank) -> None:
    sold: dict[str, Any] = {}
    bank.on("POST", "/vouchers", selling(bank, sold, lost=3))
    lost = of_wang("buy", "2")
    assert lost.exit_code == 1
    assert "结果未知，联网后会自动核对" in lost.output

    bank.on("GET", "/vouchers", bank.reply(200, {"items": [], "next_cursor": None}))
    settled = of_wang("vouchers")
    assert settled.exit_code == 0
    assert "「换用餐券 2 张」已核对：办成了" in settled.output
    assert len(sold) == 1
    assert "已核对" not in of_wang("vouchers").output


def test_buying_again_what_was_unknown_buys_it_once(of_wang: Phone, bank: ScriptedBank) -> None:
    sold: dict[str, Any] = {}
    bank.on("POST", "/vouchers", selling(bank, sold, lost=3))
    of_wang("buy", "2")
    again = of_wang("buy", "2")
    assert again.exit_code == 0
    assert "没有重复办理" in again.output
    assert "换到用餐券 2 张" in again.output
    assert len(sold) == 1
    of_wang("buy", "2")
    assert len(sold) == 2


def test_a_purchase_that_was_refused_after_all_is_told(of_wang: Phone, bank: ScriptedBank) -> None:
    refusal = bank.problem(422, "insufficient_minutes", "时长不够")
    bank.on("POST", "/vouchers", *[bank.cut()] * 3, refusal)
    of_wang("buy", "2")
    bank.on("GET", "/vouchers", bank.reply(200, {"items": [], "next_cursor": None}))
    output = of_wang("vouchers").output
    assert "「换用餐券 2 张」已核对：没有办成" in output
    assert "时长不够" in output


def test_what_is_still_unknown_is_shown_at_every_start(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/vouchers", bank.cut())
    of_wang("buy", "2")
    bank.on("GET", "/vouchers", bank.reply(200, {"items": [], "next_cursor": None}))
    assert "「换用餐券 2 张」还没有结果" in of_wang("vouchers").output


def test_a_person_who_stops_it_halfway_finds_it_settled_later(
    of_wang: Phone, bank: ScriptedBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold: dict[str, Any] = {}
    bank.on("POST", "/vouchers", selling(bank, sold, lost=1))

    def stop(_pause_s: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as impatient:
        impatient.setattr("clients.miniprogram.terminal.handset.Api", lambda wx, url: Api(wx, url, sleep=stop))
        stopped = of_wang("buy", "1")
    assert stopped.exit_code == 1
    assert "正在办的事，下次打开会自动核对。" in stopped.output
    assert "没有重复办理" in of_wang("buy", "1").output
    assert len(sold) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("confirm", "1"), "还缺少：--rating"),
        (("confirm", "1", "--rating", "9"), "这一项填得不对：--rating"),
        (("buy", "两张"), "这一项填得不对：张数"),
        (("balance", "--bogus"), "没有这个选项：--bogus"),
        (("--bogus",), "没有这个选项：--bogus"),
        (("dance",), "手机里没有「dance」这一项"),
        (("me", "too", "many"), "多写或少写了内容"),
    ],
)
def test_a_mistyped_command_is_answered_in_chinese(
    of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...], sentence: str
) -> None:
    result = of_wang(*words)
    assert result.exit_code == 1
    assert sentence in result.output
    assert bank.requests == []


def test_a_damaged_phone_says_so_and_sends_nothing(of_wang: Phone, bank: ScriptedBank, tmp_path: Path) -> None:
    folder = tmp_path / "phones" / "wang"
    folder.mkdir(parents=True)
    (folder / "storage.json").write_text("{")
    result = of_wang("buy", "1")
    assert result.exit_code == 1
    assert "手机存储出了问题" in result.output
    assert bank.requests == []


def test_two_commands_of_one_phone_run_one_after_the_other(of_wang: Phone, bank: ScriptedBank, tmp_path: Path) -> None:
    sold: dict[str, Any] = {}
    bank.on("POST", "/vouchers", selling(bank, sold, lost=1))
    environment = os.environ | {"TIMEBANK_HOME": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-c", "from clients.miniprogram.phone import phone; phone()", "buy", "1"]
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert all("换到用餐券 1 张" in output for output in outputs)
    assert len(sold) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(("phone", "--as", "li", "dance"), "手机里没有「dance」这一项"), (("phone", "--as", "li", "me"), "李**")],
)
def test_the_phone_works_inside_another_command(
    of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...], sentence: str
) -> None:
    del of_wang
    person = {"person_id": "p", "name": "李**", "township_code": "330213007", "roles": ["volunteer"]}
    bank.on("GET", "/me", bank.reply(200, person))
    bank.on("GET", "/townships", bank.reply(200, {"items": [], "next_cursor": None}))
    whole = click.Group("timebank", commands=[phone], context_settings={"obj": object()})
    assert sentence in CliRunner().invoke(whole, words).output


def test_without_a_command_the_phone_lists_what_it_can_do(of_wang: Phone) -> None:
    result = of_wang()
    assert result.exit_code == 0
    assert "看服务任务" in result.output
