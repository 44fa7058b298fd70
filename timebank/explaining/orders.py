"""Why a voucher or a care booking stands as it does, and where its minutes are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from timebank.core.amounts import hours_text
from timebank.explaining.rules import (
    Explanation,
    Fact,
    Rule,
    Wanted,
    minutes_fact,
    moment_fact,
    moment_text,
    words_fact,
)
from timebank.redemption.care.rules import CareStatus
from timebank.redemption.rules import REASON_SENTENCES, VoidReason, VoucherStatus


@dataclass(frozen=True, slots=True)
class ScanSeen:
    """One scan of a voucher that was refused: where, when and the code of the reason."""

    canteen_name: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class VoucherLife:
    """What became of one voucher; ``lost_minutes`` are those whose lot was over when it ended, or will be."""

    status: VoucherStatus
    price_minutes: int
    issued_at: datetime
    issued_by_name: str
    expires_at: datetime
    good_at: str
    home_only: str | None
    policy_version: int
    ended_at: datetime | None
    canteen_name: str | None
    void_reason: VoidReason | None
    void_note: str | None
    to_pool: bool
    lost_minutes: int = 0
    refused: Sequence[ScanSeen] = ()


VOUCHER_WANTED = (
    Wanted("voucher_price_minutes"),
    Wanted("voucher_valid_days"),
    Wanted("voucher_weekdays"),
    Wanted("voucher_meals"),
    Wanted("voucher_on_expiry"),
)


def explain_voucher_life(life: VoucherLife, rules: list[Rule]) -> Explanation:
    """Why a voucher can or cannot be used, and where its minutes went."""
    title, reason, advice = _voucher_said(life)
    return Explanation(
        title=title,
        reason=reason + _refused_said(life.refused),
        happened_at=life.ended_at or life.issued_at,
        policy_version=life.policy_version,
        rules=rules,
        facts=[
            minutes_fact("price_minutes", "价格", life.price_minutes),
            *moment_fact("issued_at", "购券", life.issued_at),
            *words_fact("issued_by", "购券人", life.issued_by_name),
            *moment_fact("expires_at", "有效期到", life.expires_at),
            *words_fact("good_at", "可用时间", life.good_at),
            *words_fact("home_only", "只限", life.home_only),
            *moment_fact("ended_at", "结束", life.ended_at),
            *words_fact("canteen", "用餐地点", life.canteen_name),
            *words_fact("void_note", "作废理由", life.void_note),
        ],
        advice=advice,
    )


_VOID = {
    VoidReason.LOST: "这张券挂失作废，换了一张新券，新券的时长就是这一张的，没有多扣。",
    VoidReason.GIVEN: "这张券已送给亲属，对方拿到了一张新券，这一张随之作废。",
}


def _voucher_said(life: VoucherLife) -> tuple[str, str, str | None]:
    minutes = hours_text(life.price_minutes)
    if life.status is VoucherStatus.ISSUED:
        where = f"，只限{life.home_only}" if life.home_only else ""
        until = moment_text(life.expires_at)
        return (
            "这张用餐券可以使用",
            f"{life.good_at}可用{where}，到{until}为止。{minutes}存在券里，没有用掉。",
            _use_it(life),
        )
    assert life.ended_at is not None
    when = moment_text(life.ended_at)
    if life.status is VoucherStatus.REDEEMED:
        reason = f"{when}在{life.canteen_name}用掉了，用去{minutes}。"
        return "这张用餐券已经用过", reason, "如果不是您用的，请告诉镇街，由两位管理员核实冲正。"
    if life.status is VoucherStatus.EXPIRED:
        gone = f"{minutes}转入公益时间池" if life.to_pool else _given_back(life, "自动退回您的账户")
        return "这张用餐券已过期", f"{when}有效期满，还没有使用，{gone}。", "可以重新购券。"
    if life.status is VoucherStatus.VOID:
        other = f"管理员作废了这张券：{life.void_note or '未写明'}。{_given_back(life, '退回您的账户')}。"
        return "这张用餐券已作废", _VOID.get(life.void_reason, other) if life.void_reason else other, None
    return "这张用餐券已退", f"{when}退券，{_given_back(life, '退回原来的账户')}。", None


def _use_it(life: VoucherLife) -> str | None:
    if life.to_pool or not life.lost_minutes:
        return None
    lost = hours_text(life.lost_minutes)
    return f"其中{lost}是政府购买服务时长，券到期以后转入公益时间池，请在到期以前使用。"


def _given_back(life: VoucherLife, where: str) -> str:
    """What came back, and what did not because the allotment that paid was over."""
    if not life.lost_minutes:
        return f"{hours_text(life.price_minutes)}{where}"
    lost = f"{hours_text(life.lost_minutes)}是政府购买服务时长，已过有效期，转入公益时间池"
    back = life.price_minutes - life.lost_minutes
    return f"{lost}，其余{hours_text(back)}{where}" if back else lost


def _refused_said(refused: Sequence[ScanSeen]) -> str:
    """What happened at the counter, the newest refusal first; older ones are counted."""
    if not refused:
        return ""
    newest = refused[0]
    why = REASON_SENTENCES.get(newest.reason, newest.reason)  # type: ignore[call-overload]
    more = f"在此之前还有{len(refused) - 1}次没有扫成。" if len(refused) > 1 else ""
    return f"{moment_text(newest.at)}在{newest.canteen_name}没有扫成：{why}。{more}"


@dataclass(frozen=True, slots=True)
class Visit:
    """One care booking and what was taken for it; the last act is never the objection, which stands by itself."""

    status: CareStatus
    service_name: str
    provider_name: str | None
    starts_at: datetime
    minutes: int
    held_minutes: int
    rate_percent: int
    served_minutes: int | None
    decided_minutes: int | None
    captured_minutes: int | None
    excess_minutes: int
    booked_at: datetime
    booked_by_name: str
    assigned_because: str | None
    last_act_by: str | None
    last_reason: str | None
    policy_version: int
    ended_at: datetime | None
    objected_at: datetime | None = None
    objection: str | None = None


_CARE_RULES = {
    CareStatus.BOOKED: ("care_assign_after_minutes",),
    CareStatus.ASSIGNED: ("care_no_show_after_minutes", "care_cancel_free_minutes", "care_late_cancel_percent"),
    CareStatus.CHECKED_OUT: ("care_auto_confirm_after_minutes", "care_tolerance_minutes"),
    CareStatus.CONFIRMED: ("care_rates_percent", "care_tolerance_minutes"),
    CareStatus.CANCELLED: ("care_cancel_free_minutes", "care_late_cancel_percent", "care_objection_days"),
    CareStatus.NOT_HOME: ("care_not_home_percent", "care_objection_days"),
    CareStatus.NO_SHOW: ("care_no_show_after_minutes",),
}


def rules_of_visit(status: CareStatus, service: str) -> list[Wanted]:
    """Which policies decide about a booking that stands so."""
    return [Wanted(key, service if key == "care_rates_percent" else None) for key in _CARE_RULES.get(status, ())]


def explain_visit(visit: Visit, rules: list[Rule]) -> Explanation:
    """Why a care booking took so many minutes, or none, or where they are held."""
    title, reason, advice = _visit_said(visit)
    return Explanation(
        title=title,
        reason=reason,
        happened_at=visit.ended_at or visit.booked_at,
        policy_version=visit.policy_version,
        rules=rules,
        facts=_visit_facts(visit),
        advice=advice,
    )


def _visit_said(visit: Visit) -> tuple[str, str, str | None]:
    name, held = visit.service_name, hours_text(visit.held_minutes)
    if visit.captured_minutes is None:
        return f"{name}冻结了{held}", f"{_waiting(visit)}冻结的{held}还在您的账户里，不能作别的用。", None
    taken = visit.captured_minutes + visit.excess_minutes
    back = visit.held_minutes - visit.captured_minutes
    rest = f"其余{hours_text(back)}已解冻。" if back else ""
    if visit.status is CareStatus.CONFIRMED:
        reason = f"{_served(visit)}扣{hours_text(visit.captured_minutes)}。{rest}"
        if visit.excess_minutes:
            reason += f"超出预约的{hours_text(visit.excess_minutes)}经您同意另扣。"
        return f"{name}用去{hours_text(taken)}", reason, "如与事实不符，请向镇街申诉，由两位管理员冲正。"
    if taken:
        why = "开始前临时取消" if visit.status is CareStatus.CANCELLED else "机构上门，家里没有人"
        said = f"{why}，按办法扣{hours_text(taken)}。{rest}{_because(visit)}"
        advice = "不同意的，请在申诉的天数以内申诉，由镇街核实。"
        if visit.objected_at is not None:
            said += f"{moment_text(visit.objected_at)}已申诉：{visit.objection or '未写明'}。"
            advice = "申诉已交镇街核实；属实的，由两位管理员冲正，退回后通知您。"
        return f"{name}没有做成，扣了{hours_text(taken)}", said, advice
    return f"{name}没有扣时长", f"{_nothing_taken(visit)}{rest}{_because(visit)}", None


def _waiting(visit: Visit) -> str:
    """What a booking that has not ended waits for."""
    return {
        CareStatus.BOOKED: "预约已收到，正在安排机构。",
        CareStatus.ASSIGNED: f"{visit.provider_name}会上门，服务后按实际时长扣。",
        CareStatus.CHECKED_IN: f"{visit.provider_name}正在服务。",
        CareStatus.CHECKED_OUT: "服务已做完，等您确认；到时限没有答复，按预约时长以内的实际时长自动确认。",
        CareStatus.DISPUTED: "这次服务有异议，等镇街裁定，裁定以前不扣。",
    }[visit.status]


def _served(visit: Visit) -> str:
    if visit.decided_minutes is not None:
        return f"镇街裁定按{hours_text(visit.decided_minutes)}计，折算{visit.rate_percent}%，"
    return f"实际服务{hours_text(visit.served_minutes or 0)}，折算{visit.rate_percent}%，在预约的时长以内"


def _nothing_taken(visit: Visit) -> str:
    return {
        CareStatus.NO_SHOW: f"{visit.provider_name}没有按时上门，一分钟不扣，已记在机构名下。",
        CareStatus.LAPSED: "到时间没有安排上机构，一分钟不扣。",
        CareStatus.CANCELLED: "预约已取消，一分钟不扣。",
        CareStatus.NOT_HOME: "上门无人，按办法不扣。",
    }[visit.status]


def _because(visit: Visit) -> str:
    return f"理由：{visit.last_reason}。" if visit.last_reason else ""


def _visit_facts(visit: Visit) -> list[Fact]:
    facts = [
        *words_fact("service", "服务", visit.service_name),
        *words_fact("provider", "机构", visit.provider_name),
        *words_fact("assigned_because", "为什么是这家", visit.assigned_because),
        *moment_fact("starts_at", "预约时间", visit.starts_at),
        minutes_fact("minutes", "预约时长", visit.minutes),
        minutes_fact("held_minutes", "冻结", visit.held_minutes),
        *words_fact("booked_by", "预约人", visit.booked_by_name),
    ]
    for name, label, minutes in (
        ("served_minutes", "实际服务", visit.served_minutes),
        ("decided_minutes", "裁定", visit.decided_minutes),
        ("captured_minutes", "扣除", visit.captured_minutes),
    ):
        if minutes is not None:
            facts.append(minutes_fact(name, label, minutes))
    if visit.excess_minutes:
        facts.append(minutes_fact("excess_minutes", "同意另扣", visit.excess_minutes))
    return [*facts, *words_fact("last_act_by", "最后经办", visit.last_act_by)]
