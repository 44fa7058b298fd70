"""Home care on the phone: what goes to the bank, and what is said before anything costs minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.answers import ACT, BOOKING, BOTH, ELDER_ID, PROVIDER, everything, policy
from tests.clients.shown import Phone, listed

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

ONE = f"/care-bookings/{BOOKING['booking_id']}"
SENT = {"status": "assigned", "status_name": "已派单", "provider_name": "西坞居家养老服务中心"}
SERVED = SENT | {
    "status": "checked_out",
    "status_name": "待确认",
    "served_minutes": 85,
    "unpaid_excess_minutes": 25,
}
CONFIRMED = SERVED | {"status": "confirmed", "status_name": "已确认", "unpaid_excess_minutes": 0}


@pytest.fixture(autouse=True)
def _bank_with_care(bank: ScriptedBank) -> None:
    everything(bank)


def stands(bank: ScriptedBank, **changed: Any) -> None:
    bank.on("GET", ONE, bank.reply(200, BOOKING | changed))


def test_services_are_shown_with_what_an_hour_costs(of_wang: Phone) -> None:
    output = of_wang("care", "services").output
    assert "2．助浴：服务 1 小时扣 1 小时 30 分钟" in output
    assert "停办的项目" not in output


def test_providers_of_ones_own_township_are_shown(of_wang: Phone, bank: ScriptedBank) -> None:
    output = of_wang("care", "providers").output
    assert bank.asked("GET", "/care-providers")[-1].query == {"township_code": "330213004"}
    for said in ("1．西坞居家养老服务中心", "等级：5A 级", "项目：生活照料、助浴", "服务镇街：西坞街道、尚田街道"):
        assert said in output
    assert "约好没有来：2 次" in output
    of_wang("care", "providers", "--township", "尚田", "--service", "助浴")
    asked = bank.asked("GET", "/care-providers")[-1].query
    assert asked == {"township_code": "330213007", "service": "bathing"}


def test_a_visit_is_booked_by_numbers_of_the_lists_shown(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/care-bookings", bank.reply(201, BOOKING))
    of_wang("care", "services")
    of_wang("care", "providers")
    where = ("--address", "蒋家池头村 12 号", "--note", "请敲门")
    chosen = ("--service", "2", "--provider", "1", "--at", "2026-11-25 09:00", "--minutes", "1小时30分")
    output = of_wang("care", "book", *chosen, *where).output
    assert bank.asked("POST", "/care-bookings")[0].body == {
        "starts_at": "2026-11-25T09:00:00+08:00",
        "minutes": 90,
        "service": "bathing",
        "provider_id": PROVIDER["provider_id"],
        "address": "蒋家池头村 12 号",
        "note": "请敲门",
    }
    for said in (
        "已预约生活照料",
        "冻结：1 小时（用多少扣多少）",
        "时间：11 月 25 日（星期三）09:00",
        "机构：等镇街派单",
    ):
        assert said in output
    assert "办理：" not in output


def test_what_was_not_written_is_asked(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/care-bookings", bank.reply(201, BOOKING))
    of_wang("care", "book", answers="2026-11-25 09:00\n60\n")
    assert bank.asked("POST", "/care-bookings")[0].body == {"starts_at": "2026-11-25T09:00:00+08:00", "minutes": 60}
    assert of_wang("care", "book", "--at", "2026-11-25 09:00").exit_code == 1
    assert len(bank.asked("POST", "/care-bookings")) == 1


@pytest.mark.parametrize("typed", ["1", "周桂芬", "周桂"])
def test_a_daughter_books_for_her_mother_and_both_names_are_shown(
    of_wang: Phone, bank: ScriptedBank, typed: str
) -> None:
    bank.on("POST", "/care-bookings", bank.reply(201, BOOKING | {"acts": [ACT | {"by_name": BOTH}]}))
    of_wang("proxies")
    output = of_wang("care", "book", "--at", "2026-11-25 09:00", "--minutes", "60", "--for", typed).output
    assert bank.asked("POST", "/care-bookings")[0].body["for_person_id"] == ELDER_ID
    assert f"预约：{BOTH}" in output


def test_a_list_can_be_narrowed_to_an_elder(of_wang: Phone, bank: ScriptedBank) -> None:
    output = of_wang("care", "list", "--for", "周桂芬").output
    assert bank.asked("GET", "/care-bookings")[-1].query == {"for_person_id": ELDER_ID}
    assert "1．生活照料" in output
    assert "状态：待派单" in output
    listed(bank, "/care-bookings")
    assert "timebank phone care book" in of_wang("care", "list").output


def test_the_service_code_is_large_while_it_is_needed(of_wang: Phone, bank: ScriptedBank) -> None:
    of_wang("care", "list")
    stands(bank, **SENT)
    output = of_wang("care", "show", "1").output
    assert "服务码：0 1 2   3 4 5" in output
    assert "预约，周桂芬" in output
    assert "timebank phone care cancel 序号" in output
    stands(bank, **SERVED)
    output = of_wang("care", "show", "1").output
    assert "服务码" not in output
    assert "timebank phone care confirm 序号" in output


@pytest.mark.parametrize(
    ("words", "answers", "body"),
    [
        (
            ("--rating", "5", "--comment", "很好"),
            "同意\n",
            {"accept_excess_minutes": 25, "rating": 5, "comment": "很好"},
        ),
        ((), "想一想\n否\n", {}),
        (("--accept-excess",), None, {"accept_excess_minutes": 25}),
    ],
)
def test_the_excess_is_shown_and_charged_only_with_consent(
    of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...], answers: str | None, body: dict[str, Any]
) -> None:
    stands(bank, **SERVED)
    done = BOOKING | CONFIRMED | {"captured_minutes": 60, "payable_minutes": 60 + body.get("accept_excess_minutes", 0)}
    bank.on("POST", f"{ONE}/confirm", bank.reply(200, done))
    of_wang("care", "list")
    output = of_wang("care", "confirm", "1", *words, answers=answers).output
    assert bank.asked("POST", f"{ONE}/confirm")[0].body == body
    assert output.index("还多出：25 分钟") < output.index("已确认，谢谢您")
    assert ("同意吗" in output) is (answers is not None)
    assert f"扣：1 小时{' 25 分钟' if body else ''}" in output


def test_without_an_answer_nothing_is_confirmed(of_wang: Phone, bank: ScriptedBank) -> None:
    stands(bank, **SERVED)
    of_wang("care", "list")
    result = of_wang("care", "confirm", "1", answers="")
    assert result.exit_code == 1
    assert "没有填完，没有办理。" in result.output
    assert bank.asked("POST", f"{ONE}/confirm") == []


def test_a_visit_within_the_hold_is_confirmed_without_a_question(of_wang: Phone, bank: ScriptedBank) -> None:
    short = BOOKING | SERVED | {"served_minutes": 45, "unpaid_excess_minutes": 0}
    bank.on("GET", ONE, bank.reply(200, short))
    done = short | {"status_name": "已确认", "captured_minutes": 45, "payable_minutes": 45}
    bank.on("POST", f"{ONE}/confirm", bank.reply(200, done))
    of_wang("care", "list")
    output = of_wang("care", "confirm", "1").output
    assert "扣：45 分钟" in output
    assert "退回：15 分钟" in output
    assert "同意吗" not in output


def test_what_a_late_cancellation_costs_is_said_before_it_is_asked(of_wang: Phone, bank: ScriptedBank) -> None:
    stands(bank, **SENT)
    done = BOOKING | SENT | {"status_name": "已取消", "captured_minutes": 30, "payable_minutes": 30}
    bank.on("POST", f"{ONE}/cancel", bank.reply(200, done))
    of_wang("care", "list")
    output = of_wang("care", "cancel", "1", answers="否\n").output
    for said in ("11 月 25 日（星期三）05:00 以前取消：一分钟也不扣。", "要扣 30", "没有取消，预约照旧"):
        assert said in output
    assert bank.asked("POST", f"{ONE}/cancel") == []
    output = of_wang("care", "cancel", "1", "--reason", "儿子回来了", answers="是\n").output
    assert bank.asked("POST", f"{ONE}/cancel")[0].body == {"reason": "儿子回来了"}
    assert "扣：30 分钟" in output
    assert "退回：30 分钟" in output


def test_the_townships_own_rule_counts_for_cancelling(of_wang: Phone, bank: ScriptedBank) -> None:
    stands(bank, **SENT)
    own = policy("care_late_cancel_percent", 50, **{"330213004": 100})
    listed(bank, "/policies", policy("care_cancel_free_minutes", 60), own)
    of_wang("care", "list")
    output = of_wang("care", "cancel", "1", answers="否\n").output
    assert "08:00 以前取消" in output
    assert "要扣 1 小时" in output


@pytest.mark.parametrize("changed", [{"status": "booked"}, SENT])
def test_cancelling_that_costs_nothing_is_not_asked_about(
    of_wang: Phone, bank: ScriptedBank, changed: dict[str, Any]
) -> None:
    stands(bank, **changed)
    if changed is SENT:
        listed(bank, "/policies")
    bank.on("POST", f"{ONE}/cancel", bank.reply(200, BOOKING | {"status_name": "已取消", "payable_minutes": 0}))
    of_wang("care", "list")
    output = of_wang("care", "cancel", "1").output
    assert bank.asked("POST", f"{ONE}/cancel")[0].body == {}
    assert "退回：1 小时" in output


def test_a_dispute_goes_to_the_township_with_its_reason(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", f"{ONE}/dispute", bank.reply(200, BOOKING | SERVED | {"status_name": "申诉中"}))
    of_wang("care", "list")
    output = of_wang("care", "dispute", "1", "只待了二十分钟").output
    assert bank.asked("POST", f"{ONE}/dispute")[0].body == {"reason": "只待了二十分钟"}
    assert "镇街裁定以前，不会扣时长。" in output


def test_an_objection_to_what_was_taken_says_that_it_can_come_back(of_wang: Phone, bank: ScriptedBank) -> None:
    gone = {"status": "not_home", "status_name": "上门无人", "captured_minutes": 30, "payable_minutes": 30}
    stands(bank, **gone)
    of_wang("care", "list")
    assert "家里有人的：timebank phone care dispute" in of_wang("care", "show", "1").output
    bank.on("POST", f"{ONE}/dispute", bank.reply(200, BOOKING | gone | {"objection": ACT}))
    output = of_wang("care", "dispute", "1", "我一直在家").output
    assert "属实的，扣的时长会退回，并通知您。" in output
    assert "镇街裁定以前" not in output


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("care_time_taken", "请换一个时间"),
        ("proxy_scope_missing", "timebank phone proxies"),
        ("care_provider_not_serving", "请换一家机构"),
    ],
)
def test_a_refused_booking_says_what_to_do_next(of_wang: Phone, bank: ScriptedBank, code: str, said: str) -> None:
    bank.on("POST", "/care-bookings", bank.problem(409, code, "不能这样预约"))
    result = of_wang("care", "book", "--at", "2026-11-25 09:00", "--minutes", "60")
    assert result.exit_code == 1
    assert "不能这样预约" in result.output
    assert said in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("care", "dance"), "手机里没有「dance」这一项"),
        (("care", "confirm"), "还缺少：序号"),
        (("care", "confirm", "1", "--rating", "9"), "这一项填得不对：--rating"),
        (("care", "book", "--minutes"), "这个选项后面还缺少内容：--minutes"),
        (("care", "list", "--bogus"), "没有这个选项：--bogus"),
        (("care", "--bogus"), "没有这个选项：--bogus"),
    ],
)
def test_a_mistyped_command_of_a_group_is_answered_in_chinese(
    of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...], said: str
) -> None:
    before = len(bank.requests)
    result = of_wang(*words)
    assert result.exit_code == 1
    assert said in result.output
    helped = "timebank phone care" + (f" {words[1]}" if words[1] in ("confirm", "book", "list") else "")
    assert f"{helped} --help" in result.output
    assert len(bank.requests) == before


@pytest.mark.parametrize(
    "words", [("care", "--as", "li", "list"), ("care", "list", "--as", "li"), ("--as", "li", "care", "list")]
)
def test_another_phone_is_used_wherever_it_is_named(of_wang: Phone, bank: ScriptedBank, words: tuple[str, ...]) -> None:
    bank.on("GET", "/care-bookings", bank.problem(401, "token_invalid", "请重新登录"))
    of_wang(*words)
    assert bank.asked("POST", "/auth/wechat-login")[-1].body == {"code": "demo:li"}


def test_an_unknown_booking_is_settled_later_and_made_once(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/care-bookings", bank.cut(), bank.cut(), bank.cut(), bank.reply(201, BOOKING))
    lost = of_wang("care", "book", "--at", "2026-11-25 09:00", "--minutes", "60")
    assert "结果未知，联网后会自动核对" in lost.output
    assert "「预约上门服务」已核对：办成了" in of_wang("care", "list").output
    assert len({request.key for request in bank.asked("POST", "/care-bookings")}) == 1
