"""Why a voucher or a care booking stands as it does, in words, for every status."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from timebank.core.clock import LOCAL
from timebank.explaining.orders import (
    VOUCHER_WANTED,
    ScanSeen,
    Visit,
    VoucherLife,
    explain_visit,
    explain_voucher_life,
    rules_of_visit,
)
from timebank.policies.definitions import DEFINITIONS
from timebank.redemption.care.rules import OPEN, CareStatus
from timebank.redemption.rules import VoidReason, VoucherStatus

NOON = datetime(2026, 11, 22, 12, tzinfo=LOCAL)

ISSUED = VoucherLife(
    status=VoucherStatus.ISSUED,
    price_minutes=60,
    issued_at=NOON,
    issued_by_name="周小敏（代周桂芬）",
    expires_at=NOON + timedelta(days=180),
    good_at="周一至周五",
    home_only=None,
    policy_version=3,
    ended_at=None,
    canteen_name=None,
    void_reason=None,
    void_note=None,
    to_pool=False,
)

BOOKED = Visit(
    status=CareStatus.BOOKED,
    service_name="助浴",
    provider_name=None,
    starts_at=NOON,
    minutes=120,
    held_minutes=120,
    rate_percent=100,
    served_minutes=None,
    decided_minutes=None,
    captured_minutes=None,
    excess_minutes=0,
    booked_at=NOON - timedelta(days=2),
    booked_by_name="周桂芬",
    assigned_because=None,
    last_act_by=None,
    last_reason=None,
    policy_version=3,
    ended_at=None,
)


def ended(status: VoucherStatus, **more: object) -> VoucherLife:
    return replace(ISSUED, status=status, ended_at=NOON + timedelta(days=1), **more)  # type: ignore[arg-type]


def visit(status: CareStatus, captured: int | None, **more: object) -> Visit:
    ended_at = None if captured is None else NOON
    provider = None if status is CareStatus.BOOKED else "西坞居家养老服务中心"
    changed = {"provider_name": provider, "ended_at": ended_at, "captured_minutes": captured, **more}
    return replace(BOOKED, status=status, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", VoucherStatus)
def test_every_status_of_a_voucher_has_words(status: VoucherStatus) -> None:
    life = ended(status, canteen_name="大堰镇老年食堂") if status is not VoucherStatus.ISSUED else ISSUED
    said = explain_voucher_life(life, [])
    assert said.reason.endswith("。")
    assert "None" not in said.reason
    assert ("issued_by", "周小敏（代周桂芬）") in [(fact.name, fact.value) for fact in said.facts]


@pytest.mark.parametrize(
    ("life", "words"),
    [
        (ISSUED, "周一至周五可用，到2027年5月21日（周五）12:00为止。1小时存在券里，没有用掉。"),
        (replace(ISSUED, home_only="西坞街道"), "只限西坞街道"),
        (ended(VoucherStatus.REDEEMED, canteen_name="大堰镇老年食堂"), "在大堰镇老年食堂用掉了，用去1小时"),
        (ended(VoucherStatus.EXPIRED), "1小时自动退回您的账户"),
        (ended(VoucherStatus.EXPIRED, to_pool=True), "1小时转入公益时间池"),
        (ended(VoucherStatus.VOID, void_reason=VoidReason.LOST), "挂失作废，换了一张新券"),
        (ended(VoucherStatus.VOID, void_reason=VoidReason.GIVEN), "已送给亲属"),
        (
            ended(VoucherStatus.VOID, void_reason=VoidReason.CANCELLED, void_note="重复发放"),
            "作废了这张券：重复发放",
        ),
        (ended(VoucherStatus.REFUNDED), "退券，1小时退回原来的账户"),
    ],
)
def test_a_voucher_says_where_its_minutes_are(life: VoucherLife, words: str) -> None:
    assert words in explain_voucher_life(life, []).reason


def test_a_refused_scan_is_told_with_place_and_reason() -> None:
    scans = [ScanSeen("大堰镇老年食堂", NOON, "voucher_not_today"), ScanSeen("西坞食堂", NOON, "voucher_not_today")]
    said = explain_voucher_life(replace(ISSUED, refused=scans), []).reason
    assert "2026年11月22日（周日）12:00在大堰镇老年食堂没有扫成" in said
    assert "在此之前还有1次没有扫成" in said


def test_the_policies_behind_exist() -> None:
    for wanted in (*VOUCHER_WANTED, *(one for status in CareStatus for one in rules_of_visit(status, "bathing"))):
        assert wanted.key in DEFINITIONS


@pytest.mark.parametrize("status", CareStatus)
def test_every_status_of_a_booking_has_words(status: CareStatus) -> None:
    said = explain_visit(visit(status, None if status in OPEN else 0), [])
    assert said.title.startswith("助浴")
    assert said.reason.endswith("。")
    assert "None" not in said.reason


@pytest.mark.parametrize(
    ("one", "title", "words"),
    [
        (BOOKED, "助浴冻结了2小时", "正在安排机构。冻结的2小时还在您的账户里"),
        (
            visit(CareStatus.CONFIRMED, 90, served_minutes=90),
            "助浴用去1小时30分钟",
            "实际服务1小时30分钟，折算100%，在预约的时长以内扣1小时30分钟。其余30分钟已解冻。",
        ),
        (
            visit(CareStatus.CONFIRMED, 120, served_minutes=150, excess_minutes=30),
            "助浴用去2小时30分钟",
            "超出预约的30分钟经您同意另扣",
        ),
        (
            visit(CareStatus.CONFIRMED, 60, served_minutes=120, decided_minutes=60),
            "助浴用去1小时",
            "镇街裁定按1小时计",
        ),
        (visit(CareStatus.CANCELLED, 0), "助浴没有扣时长", "预约已取消，一分钟不扣。其余2小时已解冻。"),
        (
            visit(CareStatus.CANCELLED, 60),
            "助浴没有做成，扣了1小时",
            "临时取消，按办法扣1小时。其余1小时已解冻。",
        ),
        (
            visit(CareStatus.NOT_HOME, 60, last_reason="敲门无人应"),
            "助浴没有做成，扣了1小时",
            "机构上门，家里没有人，按办法扣1小时。其余1小时已解冻。理由：敲门无人应。",
        ),
        (visit(CareStatus.NO_SHOW, 0), "助浴没有扣时长", "西坞居家养老服务中心没有按时上门，一分钟不扣"),
    ],
)
def test_a_booking_says_what_was_taken_and_why(one: Visit, title: str, words: str) -> None:
    said = explain_visit(one, [])
    assert said.title == title
    assert words in said.reason
