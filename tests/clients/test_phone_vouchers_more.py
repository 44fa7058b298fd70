"""Vouchers on the phone beyond buying: limits, reminders, why one is void, giving one away, a lost card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.answers import BOTH, ELDER_ID, ME, NOTICE, RELATIVE_ID, everything
from tests.clients.shown import BALANCE, Phone, listed

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

VOUCHER: dict[str, Any] = {
    "voucher_id": "01935f00-bbbb-7000-8000-000000000001",
    "code": "ABCDEFGHJKM",
    "status": "issued",
    "price_minutes": 60,
    "expires_at": "2026-11-25T16:00:00Z",
    "redeemed_at": None,
    "canteen_name": None,
    "only_township_code": None,
    "good_times": "周一至周五，午餐（10:00～13:30）",
    "on_expiry": "refund",
    "issued_by_name": "周桂芬",
    "void_reason": None,
    "void_note": None,
}
SECOND = VOUCHER | {"voucher_id": "01935f00-bbbc-7000-8000-000000000002", "code": "MKJHGFEDCBA"}


@pytest.fixture(autouse=True)
def _bank_with_vouchers(bank: ScriptedBank) -> None:
    everything(bank)
    listed(bank, "/vouchers", VOUCHER, SECOND)


@pytest.mark.parametrize(
    ("as_of", "said"),
    [
        ("2026-11-21T16:05:00Z", "还能用：3 天"),
        ("2026-11-25T15:59:00Z", "还能用：今天是最后一天"),
        ("2026-11-25T16:01:00Z", None),
    ],
)
def test_limits_are_shown_and_the_days_left_by_the_banks_clock(
    of_wang: Phone, bank: ScriptedBank, as_of: str, said: str | None
) -> None:
    bank.on("GET", "/me/balance", bank.reply(200, BALANCE | {"as_of": as_of}))
    output = of_wang("vouchers").output
    assert "可用：周一至周五，午餐（10:00～13:30）" in output
    assert "有效期：到 2026 年 11 月 25 日" in output
    assert (said or "有效期") in output
    assert ("还能用" in output) is (said is not None)
    assert "过期没用" not in output


def test_what_will_go_to_the_pool_is_said(of_wang: Phone, bank: ScriptedBank) -> None:
    listed(bank, "/vouchers", VOUCHER | {"on_expiry": "pool", "only_township_code": "330213004"})
    output = of_wang("vouchers").output
    assert "过期没用：时长转入公益时间池" in output
    assert "范围：只在本镇街使用" in output


@pytest.mark.parametrize(
    ("reason", "note", "said"),
    [
        ("lost", None, "原因：已挂失补办，请用补办的新券"),
        ("given", None, "原因：已转赠亲属"),
        ("cancelled", "发错了", "说明：发错了"),
    ],
)
def test_a_void_voucher_says_why(of_wang: Phone, bank: ScriptedBank, reason: str, note: str | None, said: str) -> None:
    listed(bank, "/vouchers", VOUCHER | {"status": "void", "void_reason": reason, "void_note": note})
    output = of_wang("vouchers").output
    assert "状态：已作废" in output
    assert said in output
    assert "可用：" not in output
    assert bank.asked("GET", "/me/balance") == []


def test_the_signed_text_is_shown_as_qr_where_the_bank_gives_one(of_wang: Phone, bank: ScriptedBank) -> None:
    plain = of_wang("vouchers", "--qr").output
    signed = "TB1." + "A" * 120
    listed(bank, "/vouchers", VOUCHER | {"qr_text": signed}, SECOND)
    assert len(of_wang("vouchers", "--qr").output) > len(plain)


def test_a_daughter_buys_and_sees_vouchers_for_her_mother(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/vouchers", bank.reply(201, {"items": [VOUCHER | {"issued_by_name": BOTH}]}))
    output = of_wang("buy", "1", "--for", "周桂芬").output
    assert bank.asked("POST", "/vouchers")[0].body == {"quantity": 1, "for_person_id": ELDER_ID}
    assert f"办理：{BOTH}" in output
    of_wang("vouchers", "--for", "周桂芬")
    assert bank.asked("GET", "/vouchers")[-1].query == {"for_person_id": ELDER_ID}
    listed(bank, "/vouchers")
    assert "timebank phone buy 1 --for 周桂芬" in of_wang("vouchers", "--for", "周桂芬").output


def test_a_voucher_is_given_to_a_relative(of_wang: Phone, bank: ScriptedBank) -> None:
    path = f"/vouchers/{SECOND['voucher_id']}/give"
    given = {"voucher_id": "v9", "to_person_id": RELATIVE_ID, "price_minutes": 60, "expires_at": VOUCHER["expires_at"]}
    bank.on("POST", path, bank.reply(201, given))
    of_wang("vouchers")
    output = of_wang("give-voucher", "2", "周桂芬").output
    assert [request.body for request in bank.asked("POST", path)] == [{"to_person_id": RELATIVE_ID}]
    for said in ("已送给周桂芬一张用餐券", "价值：1 小时", "有效期：到 2026 年 11 月 25 日", "旧券不能再用了"):
        assert said in output


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (("2", "1"), {"voucher_ids": [SECOND["voucher_id"], VOUCHER["voucher_id"]]}),
        (("--all",), {"for_person_id": ME["person_id"]}),
        (("--all", "--for", "周桂芬"), {"for_person_id": ELDER_ID}),
    ],
)
def test_a_lost_card_is_made_anew(
    of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...], body: dict[str, Any]
) -> None:
    bank.on("POST", "/vouchers/reissue", bank.reply(201, {"items": [VOUCHER | {"code": "NEWCODENEWC"}]}))
    of_wang("vouchers")
    output = of_wang("reissue", *words).output
    assert [request.body for request in bank.asked("POST", "/vouchers/reissue")] == [body]
    assert "已补办 1 张，旧券不能再用了" in output
    assert "NEWC-ODEN-EWC" in output


@pytest.mark.parametrize("words", [(), ("1", "--all"), ("1", "--for", "周桂芬")])
def test_which_vouchers_were_lost_has_to_be_clear(of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...]) -> None:
    of_wang("vouchers")
    result = of_wang("reissue", *words)
    assert result.exit_code == 1
    assert "请写明补办哪几张。" in result.output
    assert bank.asked("POST", "/vouchers/reissue") == []


def test_where_nothing_was_unused_nothing_is_made_anew(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/vouchers/reissue", bank.reply(201, {"items": []}))
    assert "没有要补办的券" in of_wang("reissue", "--all").output


@pytest.mark.parametrize(
    ("code", "said"),
    [("not_relatives", "timebank phone family propose 姓名"), ("voucher_not_issued", "timebank phone vouchers")],
)
def test_a_refusal_says_what_to_do_next(of_wang: Phone, bank: ScriptedBank, code: str, said: str) -> None:
    bank.on("POST", f"/vouchers/{VOUCHER['voucher_id']}/give", bank.problem(409, code, "不能转赠"))
    of_wang("vouchers")
    result = of_wang("give-voucher", "1", "周桂芬")
    assert result.exit_code == 1
    assert said in result.output


def test_reminders_are_among_the_notices(of_wang: Phone, bank: ScriptedBank) -> None:
    output = of_wang("notices").output
    assert NOTICE["title"] in output
    assert "11 月 25 日以后不能再用" in output
    assert "2026-11-21 11:00" in output
    listed(bank, "/notices", NOTICE | {"body": "满" * 27 + "。"})
    assert "┃  满。" in of_wang("notices").output
    listed(bank, "/notices")
    assert "还没有通知" in of_wang("notices").output
