"""How the phone says things: amounts, dates, states, and what to do after a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from clients.miniprogram.problem import Problem

BEIJING = ZoneInfo("Asia/Shanghai")
_WEEKDAYS = "一二三四五六日"

TASK_STATUSES = {
    "open": "等人接单",
    "accepted": "已有人接单",
    "checked_in": "服务中",
    "checked_out": "已签退，等确认",
    "confirmed": "已确认",
    "disputed": "申诉中",
    "cancelled": "已取消",
    "expired": "已过期",
    "recorded": "补录，待批准",
    "rejected": "补录未批准",
}

VOUCHER_STATUSES = {
    "issued": "可以使用",
    "redeemed": "已使用",
    "refunded": "已退回时长",
    "expired": "已过期",
    "void": "已作废",
}

ROLES = {"volunteer": "志愿者", "elder": "老人", "proxy": "代办人", "steward": "管理员"}

_NEXT_STEPS = {
    "insufficient_minutes": "可以少买几张，或者先做志愿服务积攒时长。",
    "task_not_open": "请看看别的任务：timebank phone tasks",
    "task_already_accepted": "请看看别的任务：timebank phone tasks",
    "wrong_state": "请先查看任务现在的状态：timebank phone tasks --mine",
    "volunteer_busy": "这段时间您已有安排，请选别的时间。",
    "self_service": "这项任务要由别的志愿者来做，请等别人接单。",
    "service_code_wrong": "请当面向老人再问一次六位服务码。",
    "voucher_not_refundable": "用过、退过或过期的用餐券不能再退。",
    "id_number_invalid": "请对照身份证，再输入一次 18 位号码。",
    "already_registered": "您已经登记过，不用再登记。",
    "name_mismatch": "请填身份证上的姓名；还不对，请到所在镇街更正。",
    "too_many_attempts": "请过几分钟再试。",
}
_NEXT_STEPS_BY_STATUS = {
    401: "请重新登录：timebank phone login 名字",
    403: "这件事要本人来办。还没有登记的，请先登记：timebank phone register",
    404: "请核对编号，或先看一遍清单再选。",
    429: "请过几分钟再试。",
}


def minutes_text(minutes: int) -> str:
    """``minutes`` in hours and minutes: 150 → 2 小时 30 分钟."""
    hours, rest = divmod(abs(minutes), 60)
    parts = [f"{hours} 小时"] if hours else []
    if rest or not hours:
        parts.append(f"{rest} 分钟")
    return ("负 " if minutes < 0 else "") + " ".join(parts)


def signed_minutes_text(minutes: int) -> str:
    """A movement of ``minutes`` with its sign: ＋1 小时, －30 分钟."""
    return ("－" if minutes < 0 else "＋") + minutes_text(abs(minutes))


def moment_text(moment: str) -> str:
    """An RFC 3339 moment on Beijing's clock: 2026-11-25 09:00."""
    return f"{_in_beijing(moment):%Y-%m-%d %H:%M}"


def day_and_time_text(moment: str) -> str:
    """An RFC 3339 moment as people say it: 11 月 25 日（星期三）09:00."""
    at = _in_beijing(moment)
    return f"{at.month} 月 {at.day} 日（星期{_WEEKDAYS[at.weekday()]}）{at:%H:%M}"


def last_day_text(end: str) -> str:
    """The last day before the RFC 3339 moment ``end``, which itself is too late: 2027 年 5 月 24 日."""
    at = _in_beijing(end) - timedelta(microseconds=1)
    return f"{at.year} 年 {at.month} 月 {at.day} 日"


def code_in_groups(code: str) -> str:
    """A voucher's code in groups of four, to be read aloud: ABCD-EFGH-JKL."""
    plain = code.replace("-", "")
    return "-".join(plain[i : i + 4] for i in range(0, len(plain), 4))


def refusal_sentences(problem: Problem) -> list[str]:
    """What was refused and why, in whole sentences."""
    said = [problem.title]
    if problem.detail and problem.detail != problem.title:
        said.append(problem.detail)
    facts = problem.facts
    if isinstance(facts.get("available_minutes"), int) and isinstance(facts.get("needed_minutes"), int):
        needed, available = minutes_text(facts["needed_minutes"]), minutes_text(facts["available_minutes"])
        said.append(f"需要 {needed}，您可用 {available}。")
    said.extend(text for text in _leaves(facts.get("errors")) if text not in said)
    return said


def next_step(problem: Problem) -> str:
    """What the person can do now."""
    by_code = _NEXT_STEPS.get(problem.code) or _NEXT_STEPS_BY_STATUS.get(problem.status)
    if by_code is None and problem.facts.get("errors"):
        return "请改好以后再办一次。"
    return by_code or "请稍后再试；还不行，请问镇街管理员。"


def is_known(problem: Problem) -> bool:
    """Whether there is something better to say than to call the office with the request's number."""
    return problem.status < 500 and (problem.code in _NEXT_STEPS or problem.status in _NEXT_STEPS_BY_STATUS)


def _in_beijing(moment: str) -> datetime:
    at = datetime.fromisoformat(moment)
    return at.astimezone(BEIJING) if at.tzinfo else at.replace(tzinfo=BEIJING)


def _leaves(errors: Any) -> Iterator[str]:
    """The sentences in a tree of field errors, whatever its shape."""
    if isinstance(errors, str):
        yield errors
    elif isinstance(errors, dict):
        for inner in errors.values():
            yield from _leaves(inner)
    elif isinstance(errors, list):
        for inner in errors:
            yield from _leaves(inner)
