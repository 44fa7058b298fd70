"""Why a service brought so many minutes, or none: "signed in and out, why no hours?" Pure.

Sources: 民政部令第67号 (the volunteer may ask for correction); the checks in DOMAIN.md (sign-in, sign-out, two audits).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

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
from timebank.tasks.rules import AssignmentStatus, served_minutes

Status = AssignmentStatus


@dataclass(frozen=True, slots=True)
class Service:
    """One volunteer's part in a task, as the bank knows it, with the policies that measure it."""

    service_name: str
    status: AssignmentStatus
    agreed_minutes: int
    starts_at: datetime
    ends_at: datetime
    back_filled: bool
    township_name: str
    accepted_at: datetime
    checked_in_at: datetime | None
    checked_out_at: datetime | None
    confirmed_at: datetime | None
    confirmed_by_name: str | None
    by_itself: bool
    payable_minutes: int | None
    surplus_minutes: int
    disputed_by_name: str | None
    dispute_reason: str | None
    ruling: str | None
    reversal_reason: str | None
    rate_percent: int
    tolerance_minutes: int
    patience: timedelta
    paid_by: tuple[str, ...] = ()

    @property
    def served(self) -> int | None:
        """Minutes between check-in and check-out; None before both are there."""
        if self.checked_in_at is None or self.checked_out_at is None:
            return None
        return served_minutes(self.checked_in_at, self.checked_out_at)


_TIMED_BY = {
    Status.ACCEPTED: ("no_show_after_minutes",),
    Status.NO_SHOW: ("no_show_after_minutes",),
    Status.CHECKED_IN: ("check_out_forgotten_after_minutes",),
    Status.CHECKED_OUT: ("auto_confirm_after_minutes",),
}


def rules_of_service(service_type: str, status: AssignmentStatus, *, capped: bool) -> list[Wanted]:
    """Which policies decide about a part that stands so."""
    if status not in (Status.CONFIRMED, Status.REVERSED):
        return [Wanted(key) for key in _TIMED_BY.get(status, ())]
    keys = [Wanted("service_rates_percent", service_type), Wanted("tolerance_minutes"), Wanted("payment_order")]
    return [*keys, Wanted("lifetime_cap_minutes"), Wanted("daily_cap_minutes")] if capped else keys


def explain_service(service: Service, rules: list[Rule], policy_version: int | None) -> Explanation:
    """Why this service brought what it brought."""
    title, reason, advice = _said(service)
    return Explanation(
        title=title,
        reason=reason,
        happened_at=service.confirmed_at or service.checked_out_at or service.checked_in_at or service.accepted_at,
        policy_version=policy_version,
        rules=rules,
        facts=_facts(service),
        advice=advice,
    )


_ASK_STEWARD = "如有疑问，可以申诉，或请镇街更正（民政部令第67号）。"


def _said(service: Service) -> tuple[str, str, str | None]:
    """Title, reason and advice for each state in which a part may stand."""
    name = service.service_name
    if service.status is Status.CONFIRMED:
        return _credited(service)
    if service.status is Status.CHECKED_OUT:
        assert service.checked_out_at is not None
        by_then = moment_text(service.checked_out_at + service.patience)
        reason = f"您已签到和签退，正在等老人确认。老人到{by_then}还没有答复的，系统自动确认，时长随后到账。"
        return f"{name}的时长还没有到账", reason, None
    if service.status is Status.DISPUTED:
        who = service.disputed_by_name or "系统"
        said = service.dispute_reason or "未写明"
        reason = f"{who}提出了异议：{said}。要等{service.township_name}裁定，裁定后时长到账。"
        return f"{name}的时长还没有到账", reason, "可以向镇街说明当时的情况。"
    if service.status is Status.REVERSED:
        reason = f"这次服务原已记入时长，后来经两位管理员冲正：{service.reversal_reason or '未写明'}。"
        return f"{name}的时长已冲正", reason, _ASK_STEWARD
    return _not_credited(service)


def _not_credited(service: Service) -> tuple[str, str, str | None]:
    """The states in which nothing is to be credited, or not yet."""
    reasons = {
        Status.ACCEPTED: (
            "您还没有签到。到了老人家里，请老人报出六位服务码，用它签到；服务完再签退，老人确认后时长到账。",
            None,
        ),
        Status.CHECKED_IN: ("您已签到，还没有签退。签退以后才知道服务了多久，老人才能确认。", "请现在签退。"),
        Status.WITHDRAWN: ("您已退出这项任务，没有服务，所以没有时长。", None),
        Status.CANCELLED: ("这项任务已取消，没有服务，所以没有时长。", None),
        Status.NO_SHOW: (
            "任务结束后一直没有签到，系统按没有到场处理。没有签到和签退，就没有办法知道服务了多久。",
            "如果您确实去了，请带上证明到镇街补录。",
        ),
        Status.RECORDED: ("这次服务由管理员补录，还要另一位管理员批准，批准后时长到账。", None),
        Status.REJECTED: (f"管理员没有批准这次时长：{service.ruling or '未写明理由'}。", _ASK_STEWARD),
    }
    reason, advice = reasons[service.status]
    return f"{service.service_name}没有时长", reason, advice


def _credited(service: Service) -> tuple[str, str, str | None]:
    minutes, served = service.payable_minutes or 0, service.served or 0
    who = "到时限没有人答复，系统自动确认" if service.by_itself else f"{service.confirmed_by_name}确认"
    parts = [f"您服务了{hours_text(served)}，{who}。"]
    if service.ruling:
        parts.append(f"裁定：{service.ruling}，按{hours_text(minutes)}记。")
    else:
        parts += _measured(service, served, minutes)
    if service.surplus_minutes:
        own = minutes - service.surplus_minutes
        went = hours_text(service.surplus_minutes)
        parts.append(f"其中{went}超过了上限，转入公益时间池，荣誉照记；{hours_text(own)}记入您的账户。")
    if service.paid_by:
        parts.append(f"由{'、'.join(service.paid_by)}支付。")
    title = f"{service.service_name}记入{hours_text(minutes)}" if minutes else f"{service.service_name}没有记入时长"
    return title, "".join(parts), None if minutes == served else _ASK_STEWARD


def _measured(service: Service, served: int, minutes: int) -> list[str]:
    """How served minutes became the minutes to be credited."""
    if served == 0:
        return ["签到和签退相隔不到半分钟，按整分钟计，没有时长。"]
    if minutes == served:
        return [f"按{service.rate_percent}%折算，计{hours_text(minutes)}。"]
    said = []
    most = service.agreed_minutes + service.tolerance_minutes
    if not service.back_filled and served > most:
        agreed, tolerated = hours_text(service.agreed_minutes), hours_text(service.tolerance_minutes)
        said.append(f"约定{agreed}，最多可超过{tolerated}，所以只计{hours_text(most)}。")
    if service.rate_percent != _WHOLE_PERCENT:
        said.append(f"这类服务按{service.rate_percent}%折算，计{hours_text(minutes)}。")
    return said


_WHOLE_PERCENT = 100


def _facts(service: Service) -> list[Fact]:
    facts = [
        *words_fact("service", "服务", service.service_name),
        *words_fact("township", "所在镇街", service.township_name),
        minutes_fact("agreed_minutes", "约定时长", service.agreed_minutes),
        *moment_fact("checked_in_at", "签到", service.checked_in_at),
        *moment_fact("checked_out_at", "签退", service.checked_out_at),
    ]
    if service.served is not None:
        facts.append(minutes_fact("served_minutes", "实际服务", service.served))
    facts += moment_fact("confirmed_at", "确认时间", service.confirmed_at)
    facts += words_fact("confirmed_by", "确认人", service.confirmed_by_name)
    if service.payable_minutes is not None:
        facts.append(minutes_fact("payable_minutes", "应记时长", service.payable_minutes))
    if service.surplus_minutes:
        facts.append(minutes_fact("surplus_minutes", "转入公益时间池", service.surplus_minutes))
    facts += words_fact("dispute_reason", "异议", service.dispute_reason)
    facts += words_fact("ruling", "裁定", service.ruling)
    return facts
