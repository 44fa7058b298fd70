"""Why a service brought hours or none, in words, for every state in which it may stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from timebank.core.clock import LOCAL
from timebank.explaining.rules import Explanation
from timebank.explaining.services import Service, explain_service, rules_of_service
from timebank.policies.definitions import DEFINITIONS
from timebank.tasks.rules import AssignmentStatus

NINE = datetime(2026, 11, 22, 9, tzinfo=LOCAL)

ACCEPTED = Service(
    service_name="陪伴",
    status=AssignmentStatus.ACCEPTED,
    agreed_minutes=60,
    starts_at=NINE,
    ends_at=NINE + timedelta(hours=1),
    back_filled=False,
    township_name="西坞街道",
    accepted_at=NINE - timedelta(days=1),
    checked_in_at=None,
    checked_out_at=None,
    confirmed_at=None,
    confirmed_by_name=None,
    by_itself=False,
    payable_minutes=None,
    surplus_minutes=0,
    disputed_by_name=None,
    dispute_reason=None,
    ruling=None,
    reversal_reason=None,
    rate_percent=100,
    tolerance_minutes=15,
    patience=timedelta(hours=72),
)


def served(minutes: float, **more: object) -> Service:
    out = NINE + timedelta(minutes=minutes)
    done = replace(ACCEPTED, status=AssignmentStatus.CHECKED_OUT, checked_in_at=NINE, checked_out_at=out)
    return replace(done, **more)  # type: ignore[arg-type]


def confirmed(minutes: float, payable: int, **more: object) -> Service:
    return served(
        minutes,
        status=AssignmentStatus.CONFIRMED,
        payable_minutes=payable,
        confirmed_at=NINE + timedelta(hours=5),
        **{"confirmed_by_name": "周桂芬", **more},
    )


def why(service: Service) -> Explanation:
    return explain_service(service, [], 7)


@pytest.mark.parametrize("status", AssignmentStatus)
def test_every_state_has_a_reason_in_words_and_policies_that_exist(status: AssignmentStatus) -> None:
    service = replace(confirmed(60, 60), status=status)
    said = why(service)
    assert said.title.startswith("陪伴")
    assert len(said.reason) > 15
    assert said.reason.endswith("。")
    assert "None" not in said.reason
    for wanted in rules_of_service("companionship", status, capped=True):
        assert wanted.key in DEFINITIONS


def test_whoever_forgot_to_sign_out_is_told_so() -> None:
    said = why(replace(ACCEPTED, status=AssignmentStatus.CHECKED_IN, checked_in_at=NINE))
    assert "还没有签退" in said.reason
    assert said.advice == "请现在签退。"


def test_whoever_waits_for_the_elder_is_told_until_when() -> None:
    said = why(served(60))
    assert said.title == "陪伴的时长还没有到账"
    assert "2026年11月25日（周三）10:00" in said.reason


def test_a_service_paid_in_full_says_how_long_and_who_confirmed() -> None:
    said = why(confirmed(60, 60, paid_by=("老人的储蓄时长",)))
    assert said.title == "陪伴记入1小时"
    assert said.reason == "您服务了1小时，周桂芬确认。按100%折算，计1小时。由老人的储蓄时长支付。"
    assert said.advice is None


def test_a_service_longer_than_agreed_says_why_it_is_cut() -> None:
    said = why(confirmed(100, 75))
    assert "约定1小时，最多可超过15分钟，所以只计1小时15分钟" in said.reason
    assert said.advice is not None


def test_a_rate_is_named() -> None:
    said = why(confirmed(60, 30, rate_percent=50))
    assert "按50%折算，计30分钟" in said.reason


def test_signed_in_and_out_at_once_brings_nothing_and_says_why() -> None:
    said = why(confirmed(0.2, 0))
    assert said.title == "陪伴没有记入时长"
    assert "不到半分钟" in said.reason


def test_what_was_confirmed_by_nobody_was_confirmed_by_the_clock() -> None:
    assert "到时限没有人答复，系统自动确认" in why(confirmed(60, 60, by_itself=True, confirmed_by_name="系统")).reason


def test_a_ruling_comes_before_the_arithmetic() -> None:
    said = why(confirmed(100, 40, ruling="按签到表计40分钟"))
    assert "裁定：按签到表计40分钟" in said.reason
    assert "约定" not in said.reason


def test_what_went_to_the_pool_is_told_apart() -> None:
    said = why(confirmed(60, 60, surplus_minutes=40))
    assert "其中40分钟超过了上限，转入公益时间池" in said.reason
    assert "20分钟记入您的账户" in said.reason
    assert {fact.name: fact.value for fact in said.facts}["surplus_minutes"] == 40


def test_a_dispute_and_a_refused_record_say_whose_words_they_are() -> None:
    disputed = served(60, status=AssignmentStatus.DISPUTED, disputed_by_name="周桂芬", dispute_reason="只来了一会儿")
    assert "周桂芬提出了异议：只来了一会儿" in why(disputed).reason
    rejected = replace(ACCEPTED, status=AssignmentStatus.REJECTED, ruling="签到表上没有名字")
    assert "管理员没有批准这次时长：签到表上没有名字" in why(rejected).reason
