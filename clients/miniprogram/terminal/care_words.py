"""How the phone tells of a visit at home: what was agreed, what was served, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from clients.miniprogram.terminal import words

BEFORE_OR_DURING = {"booked", "assigned", "checked_in"}
"""Afterwards nobody needs the service code any more."""

_NEXT = {
    "booked": ["不去了：timebank phone care cancel 序号"],
    "assigned": ["不去了：timebank phone care cancel 序号"],
    "checked_out": [
        "服务做好了：timebank phone care confirm 序号",
        "有问题：timebank phone care dispute 序号 原因",
    ],
    "not_home": ["家里有人的：timebank phone care dispute 序号 原因"],
}


def provider_lines(provider: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """What there is to know of a provider; ``names`` are of townships and services by code."""
    grade = f"{provider['grade']}A 级" if provider["grade"] else "还没有评级"
    lines = [
        f"等级：{grade}",
        f"项目：{'、'.join(names.get(code, code) for code in provider['services'])}",
        f"服务镇街：{'、'.join(names.get(code, code) for code in provider['townships'])}",
    ]
    if provider["no_shows"]:
        lines.append(f"约好没有来：{provider['no_shows']} 次")
    return lines


def booking_lines(booking: Mapping[str, Any]) -> list[str]:
    """What a person wants to know of a booking."""
    lines = [
        f"状态：{booking['status_name']}",
        f"老人：{booking['elder_name']}",
        f"时间：{words.day_and_time_text(booking['starts_at'])}",
        f"时长：{words.minutes_text(booking['minutes'])}",
        f"机构：{_provider(booking)}",
    ]
    if booking["address"]:
        lines.append(f"地址：{booking['address']}")
    if booking["note"]:
        lines.append(f"说明：{booking['note']}")
    by_proxy = [line for act in booking["acts"] for line in words.acted_lines(act["by_name"], act["step_name"])]
    return [*lines, *_minutes(booking), *by_proxy]


def excess_lines(booking: Mapping[str, Any]) -> list[str]:
    """What was agreed, what was served, and what goes beyond, before somebody agrees to it."""
    return [
        f"预约：{words.minutes_text(booking['minutes'])}",
        f"实际：{words.minutes_text(booking['served_minutes'])}",
        f"冻结的时长照扣，最多 {words.minutes_text(booking['held_minutes'])}",
        f"还多出：{words.minutes_text(booking['unpaid_excess_minutes'])}",
        "不同意也可以确认，多出的就不扣。",
    ]


def late_cancel_lines(booking: Mapping[str, Any], policies: Iterable[Mapping[str, Any]]) -> list[str]:
    """Until when cancelling is free and what it costs afterwards; empty where it costs nothing, or nobody says."""
    known = {one["key"]: one["township_values"].get(booking["township_code"], one["value"]) for one in policies}
    free, percent = known.get("care_cancel_free_minutes"), known.get("care_late_cancel_percent")
    if booking["status"] != "assigned" or free is None or not percent:
        return []
    until = (datetime.fromisoformat(booking["starts_at"]) - timedelta(minutes=free)).isoformat()
    kept = words.minutes_text((booking["held_minutes"] * percent + 50) // 100)
    free_until = f"{words.day_and_time_text(until)} 以前取消：一分钟也不扣。"
    return [free_until, f"过了这个时间取消：机构已经安排了人，要扣 {kept}。"]


def act_text(act: Mapping[str, Any]) -> str:
    """One act on a booking: what, by whom, and why."""
    said = f"{act['step_name']}，{act['by_name']}"
    return f"{said}：{act['reason']}" if act["reason"] else said


def next_hints(status: str) -> list[str]:
    """What can be done with a booking that stands here."""
    return _NEXT.get(status, [])


def _provider(booking: Mapping[str, Any]) -> str:
    if booking["provider_name"]:
        return str(booking["provider_name"])
    chosen = booking["chosen_provider_name"]
    return f"您选的{chosen}，等派单" if chosen else "等镇街派单"


def _minutes(booking: Mapping[str, Any]) -> Iterator[str]:
    if booking["served_minutes"] is not None:
        yield f"实际服务：{words.minutes_text(booking['served_minutes'])}"
    if booking["decided_minutes"] is not None:
        yield f"镇街裁定：{words.minutes_text(booking['decided_minutes'])}"
    if booking["payable_minutes"] is None:
        yield f"冻结：{words.minutes_text(booking['held_minutes'])}（用多少扣多少）"
        return
    yield f"扣：{words.minutes_text(booking['payable_minutes'])}"
    back = booking["held_minutes"] - (booking["captured_minutes"] or 0)
    if back > 0:
        yield f"退回：{words.minutes_text(back)}"
