"""The phone in the terminal at 60 columns: what an elder reads, and what goes to the bank."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import segno
from click.testing import CliRunner

from clients.miniprogram.phone import phone
from tests.clients.shown import Phone, listed

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

TASK_IDS = ["01935f00-aaaa-7000-8000-000000000001", "01935f00-aaab-7000-8000-000000000002"]
TASK: dict[str, Any] = {
    "task_id": TASK_IDS[0],
    "status": "open",
    "service_type": "clean",
    "service_type_name": "打扫卫生",
    "township_code": "330213004",
    "township_name": "西坞街道",
    "starts_at": "2026-11-25T01:00:00Z",
    "minutes": 90,
    "places": 1,
    "places_left": 1,
    "note": "家里的窗户高，要擦一擦，请带梯子来；厨房的油烟机也请帮着看一看，谢谢。",
    "beneficiary_name": "王**",
    "payable_minutes": None,
}
VOUCHER: dict[str, Any] = {
    "voucher_id": "01935f00-bbbb-7000-8000-000000000001",
    "code": "ABCDEFGHJKM",
    "status": "issued",
    "price_minutes": 60,
    "expires_at": "2027-05-20T16:00:00Z",
    "issued_at": "2026-11-21T12:00:00Z",
    "redeemed_at": None,
    "canteen_name": None,
}


def test_logging_in_takes_up_the_phone_of_that_name(dial: Phone, bank: ScriptedBank, tmp_path: Path) -> None:
    bank.on("POST", "/auth/wechat-login", bank.logged_in(registered=False))
    result = dial("login", "王秀英")
    assert result.exit_code == 0
    assert "王秀英，登录成功，还没有登记" in result.output
    assert "timebank phone register" in result.output
    assert bank.requests[0].body == {"code": "demo:王秀英"}
    assert (tmp_path / "phones" / "王秀英" / "storage.json").is_file()


@pytest.mark.parametrize("name", ["../wang", "a/b", "", ".last"])
def test_a_name_that_is_no_name_is_refused(dial: Phone, bank: ScriptedBank, name: str, tmp_path: Path) -> None:
    result = dial("login", name)
    assert result.exit_code == 1
    assert "请换一个名字" in result.output
    assert bank.requests == []
    assert not (tmp_path / "phones").exists()


def test_without_a_login_the_phone_asks_for_one(dial: Phone, bank: ScriptedBank) -> None:
    result = dial("balance")
    assert result.exit_code == 1
    assert "请先登录：timebank phone login 名字" in result.output
    assert bank.requests == []


@pytest.mark.parametrize("words", [("--as", "li", "me"), ("me", "--as", "li")])
def test_another_phone_can_be_used_by_name(of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...]) -> None:
    def me(request: Any) -> Any:
        if request.header.get("authorization") != "Bearer of-li":
            return bank.problem(401, "token_invalid", "请重新登录")
        return bank.reply(200, {"person_id": "p", "name": "李**", "township_code": "330213007", "roles": ["elder"]})

    bank.on("GET", "/me", me)
    bank.on("POST", "/auth/wechat-login", bank.logged_in("of-li"))
    output = of_wang(*words).output
    assert bank.asked("POST", "/auth/wechat-login")[-1].body == {"code": "demo:li"}
    for sentence in ("李**", "镇街：尚田街道", "身份：老人"):
        assert sentence in output


def test_registering_asks_for_what_is_missing(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/auth/register", bank.reply(201, {"person_id": "p", "access_token": "t2", "expires_in": 7200}))
    result = of_wang("register", "--name", "王秀英", answers="330224194001011234\n13800000000\n西坞\n")
    assert result.exit_code == 0
    assert "王秀英，登记成功" in result.output
    assert bank.asked("POST", "/auth/register")[0].body == {
        "name": "王秀英",
        "id_number": "330224194001011234",
        "phone": "13800000000",
        "township_code": "330213004",
    }


def test_registering_that_is_broken_off_says_so(of_wang: Phone, bank: ScriptedBank) -> None:
    result = of_wang("register", answers="王秀英\n")
    assert result.exit_code == 1
    assert "没有填完，没有办理" in result.output
    assert bank.asked("POST", "/auth/register") == []


def test_the_balance_is_in_hours_and_minutes(of_wang: Phone, bank: ScriptedBank) -> None:
    found = {"savings_minutes": 150, "granted_minutes": 0, "held_minutes": 60, "available_minutes": 90}
    bank.on("GET", "/me/balance", bank.reply(200, found | {"as_of": "2026-11-21T16:00:00Z"}))
    output = of_wang("balance").output
    said = ["可用时长：1 小时 30 分钟", "自己存的：2 小时 30 分钟", "冻结中的：1 小时", "截至 2026-11-22 00:00"]
    assert [sentence for sentence in said if sentence not in output] == []
    assert "政府给的" not in output


@pytest.mark.parametrize("columns", ["60", "100"])
def test_the_statement_is_a_table_with_signs(
    of_wang: Phone, bank: ScriptedBank, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"transfer_id": TASK_IDS[0], "posted_at": "2026-11-21T16:05:00Z", "kind": "earn"}
    entry |= {"kind_name": "志愿服务", "note": "打扫卫生"}
    first = entry | {"minutes": 60, "balance_minutes": 7290}
    second = entry | {"kind_name": "换用餐券", "minutes": -90, "balance_minutes": 7230, "note": None}
    third = entry | {"minutes": 30, "balance_minutes": 7320}
    pages = [{"items": [first, second], "next_cursor": "b"}, {"items": [third], "next_cursor": None}]
    bank.on("GET", "/me/statement", *(bank.reply(200, page) for page in (pages[0], *pages)))
    monkeypatch.setenv("COLUMNS", columns)
    output = (CliRunner().invoke(phone, ["statement"]) if columns == "100" else of_wang("statement")).output
    said = ["2026-11-22 00:05", "志愿服务：打扫卫生", "＋1 小时", "－1 小时 30 分钟", "121 小时 30 分钟", "换用餐券"]
    assert [sentence for sentence in said if sentence not in output] == []
    assert "＋30 分钟" not in output
    assert "＋30 分钟" in CliRunner().invoke(phone, ["statement", "--pages", "2"]).output


def test_tasks_are_read_without_a_word_of_code(of_wang: Phone, bank: ScriptedBank) -> None:
    mine = TASK | {"task_id": TASK_IDS[1], "status": "confirmed", "places": 10, "places_left": 3, "note": None}
    done = mine | {"payable_minutes": 75, "service_code": "701356"}
    listed(bank, "/tasks", TASK | {"service_code": "482913"}, done)
    output = of_wang("tasks", "--township", "西坞街道", "--status", "open", "--mine").output
    said = ["1．打扫卫生", "11 月 25 日（星期三）09:00", "1 小时 30 分钟", "地点：西坞街道", "老人：王**"]
    said += [
        "状态：等人接单",
        "2．打扫卫生",
        "名额：10 人，还缺 3 人",
        "状态：已确认",
        "记入时长：1 小时 15 分钟",
        "服务码：482913",
    ]
    assert [sentence for sentence in said if sentence not in output] == []
    assert "confirmed" not in output
    assert "701356" not in output, "nobody needs the service code of what is over"
    assert bank.asked("GET", "/tasks")[0].query == {"township_code": "330213004", "status": "open", "mine": "true"}


@pytest.mark.parametrize("typed", ["2", "01935f00-aaab", TASK_IDS[1], TASK_IDS[1].upper()])
def test_a_task_is_named_by_its_number_the_start_of_its_id_or_all_of_it(
    of_wang: Phone, bank: ScriptedBank, typed: str
) -> None:
    listed(bank, "/tasks", TASK, TASK | {"task_id": TASK_IDS[1]})
    of_wang("tasks")
    bank.on("POST", f"/tasks/{TASK_IDS[1]}/accept", bank.reply(200, TASK | {"status": "accepted"}))
    result = of_wang("accept", typed)
    assert result.exit_code == 0
    assert "接单成功" in result.output
    assert "状态：已有人接单" in result.output


def test_the_start_of_an_id_is_looked_up_when_no_list_was_shown(of_wang: Phone, bank: ScriptedBank) -> None:
    listed(bank, "/tasks", TASK, TASK | {"task_id": TASK_IDS[1]})
    bank.on("POST", f"/tasks/{TASK_IDS[0]}/cancel", bank.reply(200, TASK | {"status": "cancelled"}))
    assert "状态：已取消" in of_wang("cancel", "01935f00-aaaa").output
    vague, unknown = of_wang("cancel", "0193"), of_wang("cancel", "ffff")
    assert "有 2 个编号以「0193」开头" in vague.output
    assert "没有找到「ffff」" in unknown.output
    assert (vague.exit_code, unknown.exit_code) == (1, 1)


@pytest.mark.parametrize("typed", ["0", "3", "第一个", "-1x"])
def test_a_number_that_is_not_in_the_list_is_refused(of_wang: Phone, bank: ScriptedBank, typed: str) -> None:
    listed(bank, "/tasks", TASK, TASK | {"task_id": TASK_IDS[1]})
    of_wang("tasks")
    result = of_wang("accept", "--", typed)
    assert result.exit_code == 1
    assert "没有找到" in result.output


def test_the_whole_visit_goes_to_the_bank_as_it_should(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/tasks", bank.reply(201, TASK))
    for verb, status in (("check-in", "checked_in"), ("check-out", "checked_out"), ("confirm", "confirmed")):
        task = TASK | {"status": status, "payable_minutes": 90}
        bank.on("POST", f"/tasks/{TASK_IDS[0]}/{verb}", bank.reply(200, task))
    of_wang("request", "--type", "打扫", "--starts-at", "2026-11-25 09:00", "--minutes", "90", "--note", "擦窗")
    of_wang("check-in", "1", "--code", "012345")
    of_wang("check-out", "1")
    assert "记入时长：1 小时 30 分钟" in of_wang("confirm", "1", "--rating", "5", "--comment", "好").output
    writes = [request for request in bank.requests if request.method == "POST" and "auth" not in request.path]
    starts = "2026-11-25T09:00:00+08:00"
    assert [request.body for request in writes] == [
        {"service_type": "clean", "starts_at": starts, "minutes": 90, "note": "擦窗"},
        {"service_code": "012345"},
        {},
        {"rating": 5, "comment": "好"},
    ]
    assert len({request.key for request in writes}) == 4


@pytest.mark.parametrize(
    ("kind", "starts_at", "sentence"),
    [
        ("陪伴", "2026-11-25 09:00", "没有认出服务种类「陪伴」"),
        ("clean", "下星期三", "没有看懂时间「下星期三」"),
    ],
)
def test_what_the_phone_cannot_make_out_is_not_sent(
    of_wang: Phone, bank: ScriptedBank, kind: str, starts_at: str, sentence: str
) -> None:
    result = of_wang("request", "--type", kind, "--starts-at", starts_at, "--minutes", "60")
    assert result.exit_code == 1
    assert sentence in result.output
    assert bank.asked("POST", "/tasks") == []


def test_bought_vouchers_are_shown_with_their_codes(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/vouchers", bank.reply(201, {"items": [VOUCHER, VOUCHER]}))
    output = of_wang("buy", "2").output
    said = ["换到用餐券 2 张，用去 2 小时", "ABCD-EFGH-JKM", "有效期：到 2027 年 5 月 20 日", "状态：可以使用"]
    assert [sentence for sentence in said if sentence not in output] == []
    assert bank.asked("POST", "/vouchers")[0].body == {"quantity": 2}


def test_the_qr_on_the_screen_is_the_vouchers_code(of_wang: Phone, bank: ScriptedBank) -> None:
    used = {"status": "redeemed", "redeemed_at": "2026-11-21T04:10:00Z", "canteen_name": "大堰镇中心食堂"}
    listed(bank, "/vouchers", VOUCHER, VOUCHER | used)
    output = of_wang("vouchers", "--qr").output
    assert "使用：2026-11-21 12:10，大堰镇中心食堂" in output
    lines = output.split("┛")[1].split("┏")[0].strip("\n").split("\n")
    halves = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    shown = [[halves[cell][half] for cell in line[2:]] for line in lines for half in (0, 1)]
    wanted = [list(row) for row in segno.make_qr("ABCDEFGHJKM", error="m").matrix_iter(border=4)]
    assert shown[: len(wanted)] == wanted
    assert "█" not in of_wang("vouchers").output


def test_a_refunded_voucher_gives_the_time_back(of_wang: Phone, bank: ScriptedBank) -> None:
    listed(bank, "/vouchers", VOUCHER)
    bank.on("POST", f"/vouchers/{VOUCHER['voucher_id']}/refund", bank.reply(200, VOUCHER | {"status": "refunded"}))
    of_wang("vouchers")
    output = of_wang("refund", "1").output
    assert "用餐券已退，时长已回到账户" in output
    assert "退回 1 小时" in output


def test_a_phone_keeps_its_own_things_to_itself(of_wang: Phone, tmp_path: Path) -> None:
    of_wang("login", "li")
    assert stat.S_IMODE((tmp_path / "phones").stat().st_mode) == 0o700
    stored = json.loads((tmp_path / "phones" / "wang" / "storage.json").read_text())
    assert set(stored) == {"access_token"}
