"""Giving on the phone: to relatives and the pool, in the giver's or an elder's name, and what was given so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients.answers import BOTH, DONATION, ELDER_ID, GIFT, ME, RELATIVE, RELATIVE_ID, everything
from tests.clients.shown import Phone, listed

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank


@pytest.fixture(autouse=True)
def _bank_with_gifts(bank: ScriptedBank) -> None:
    everything(bank)
    bank.on("POST", "/gifts", bank.reply(201, GIFT))


@pytest.mark.parametrize(("typed", "minutes"), [("1", "90"), ("周桂芬", "1小时30分钟"), ("周", "1 小时 30 分")])
def test_minutes_are_given_to_a_relative_by_number_or_name(
    of_wang: Phone, bank: ScriptedBank, typed: str, minutes: str
) -> None:
    of_wang("family")
    output = of_wang("gift", typed, minutes, "--note", "妈妈生日快乐").output
    sent = {"to_person_id": RELATIVE_ID, "minutes": 90, "note": "妈妈生日快乐"}
    assert bank.asked("POST", "/gifts")[0].body == sent
    assert "已送给周桂芬 1 小时 30 分钟" in output
    assert "留言：妈妈生日快乐" in output
    assert "办理：" not in output


def test_a_proxy_gives_the_elders_minutes_and_may_be_the_receiver(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/gifts", bank.reply(201, GIFT | {"given_by_name": BOTH, "note": ""}))
    output = of_wang("gift", "我", "30", "--for", "周桂芬").output
    body = {"to_person_id": ME["person_id"], "minutes": 30, "for_person_id": ELDER_ID}
    assert bank.asked("POST", "/gifts")[0].body == body
    assert f"办理：{BOTH}" in output
    assert "留言" not in output
    assert "没有找到「我」" in of_wang("gift", "我", "30").output


@pytest.mark.parametrize(
    ("typed", "minutes", "said"),
    [
        ("周桂芬", "很多", "没有看懂时长「很多」"),
        ("周桂芬", "", "没有看懂时长「」"),
        ("李四", "30", "没有找到「李四」"),
        ("7", "30", "timebank phone family"),
    ],
)
def test_what_the_phone_cannot_make_out_is_not_given(
    of_wang: Phone, bank: ScriptedBank, typed: str, minutes: str, said: str
) -> None:
    result = of_wang("gift", typed, minutes)
    assert result.exit_code == 1
    assert said in result.output
    assert bank.asked("POST", "/gifts") == []


def test_two_relatives_of_one_name_are_told_apart_by_number(of_wang: Phone, bank: ScriptedBank) -> None:
    other = RELATIVE | {"relation_id": "01935f00-0500-7000-8000-000000000002", "person_id": "p2"}
    listed(bank, "/family", RELATIVE, other)
    result = of_wang("gift", "周桂芬", "30")
    assert "有 2 个都像「周桂芬」" in result.output
    of_wang("family")
    of_wang("gift", "2", "30")
    assert [request.body["to_person_id"] for request in bank.asked("POST", "/gifts")] == ["p2"]


def test_a_number_of_a_relative_who_is_none_any_more_is_refused(of_wang: Phone, bank: ScriptedBank) -> None:
    of_wang("family")
    listed(bank, "/family")
    assert "没有找到「1」" in of_wang("gift", "1", "30").output
    assert bank.asked("POST", "/gifts") == []


def test_minutes_are_donated_in_the_name_of_a_team(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/donations", bank.reply(201, DONATION))
    output = of_wang("donate", "30", "--team", "蒋家池头志愿队", "--note", "略尽心意").output
    body = {"minutes": 30, "note": "略尽心意", "from_group": "蒋家池头志愿队"}
    assert bank.asked("POST", "/donations")[0].body == body
    for said in ("已捐 30 分钟，谢谢您", "捐入：西坞街道公益时间池", "团队：蒋家池头志愿队"):
        assert said in output
    of_wang("donate", "30")
    assert bank.asked("POST", "/donations")[-1].body == {"minutes": 30}


@pytest.mark.parametrize("columns", ["60", "80", "100"])
def test_what_was_given_received_and_donated_is_shown(
    of_wang: Phone, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    output = of_wang("gifts").output
    for said in ("送给周桂芬（父母）", "－1 小时 30 分钟", "周桂芬（父母）送的", "＋1 小时 30 分钟", BOTH, "已冲正"):
        assert said in output
    assert "捐入西坞街道公益时间池" in output


def test_an_elders_gifts_are_seen_without_ones_own_donations(of_wang: Phone, bank: ScriptedBank) -> None:
    of_wang("gifts", "--for", "周桂芬")
    assert bank.asked("GET", "/gifts")[0].query == {"for_person_id": ELDER_ID}
    assert bank.asked("GET", "/donations") == []
    listed(bank, "/gifts")
    listed(bank, "/donations")
    assert "还没有送过" in of_wang("gifts").output


def test_the_pool_shows_what_is_in_it_and_line_by_line(of_wang: Phone, bank: ScriptedBank) -> None:
    output = of_wang("pool").output
    for said in ("西坞街道公益时间池", "现有：8 小时 20 分钟", "大家捐的：10 小时 20 分钟", "帮了困难老人：2 小时"):
        assert said in output
    assert bank.asked("GET", "/pools/statement") == []
    output = of_wang("pool", "--lines").output
    assert "收到捐赠，周**" in output
    assert "＋30 分钟" in output
    listed(bank, "/pools/statement")
    assert "公益时间池还没有明细" in of_wang("pool", "--lines").output


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("not_relatives", "timebank phone family propose 姓名"),
        ("receiver_too_young", "或捐给公益时间池"),
        ("gift_cap_reached", "请下个月再送"),
        ("person_left", "请核对是不是选错了人"),
    ],
)
def test_a_refused_gift_says_what_to_do_next(of_wang: Phone, bank: ScriptedBank, code: str, said: str) -> None:
    bank.on("POST", "/gifts", bank.problem(422, code, "不能赠与"))
    result = of_wang("gift", "周桂芬", "30")
    assert result.exit_code == 1
    assert said in result.output
