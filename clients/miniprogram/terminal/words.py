"""How the phone says things: amounts, dates, states, and what to do after a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from clients.miniprogram.problem import Problem
from clients.miniprogram.terminal.next_steps import BY_CODE, BY_STATUS

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

ROLES = {"volunteer": "志愿者", "elder": "老人", "diner": "用餐对象", "proxy": "代办人", "steward": "管理员"}

VOID_REASONS = {"lost": "已挂失补办，请用补办的新券", "given": "已转赠亲属", "cancelled": "镇街已作废，时长已退回"}

RELATIONS = {
    "spouse": "配偶",
    "parent": "父母",
    "child": "子女",
    "grandparent": "祖父母、外祖父母",
    "grandchild": "孙子女、外孙子女",
    "sibling": "兄弟姐妹",
    "parent_in_law": "公婆、岳父母",
    "child_in_law": "儿媳、女婿",
    "other": "其他亲属",
}
_CALLED = {
    "spouse": "丈夫 妻子 老伴 爱人",
    "parent": "父亲 母亲 爸爸 妈妈",
    "child": "儿子 女儿",
    "grandparent": "祖父 祖母 爷爷 奶奶 外公 外婆 外祖父 外祖母",
    "grandchild": "孙子 孙女 外孙 外孙女",
    "sibling": "哥哥 姐姐 弟弟 妹妹 兄弟 姐妹",
    "parent_in_law": "公公 婆婆 岳父 岳母 丈人 丈母娘",
    "child_in_law": "媳妇",
    "other": "其他",
}
"""What people say at home."""

SCOPES = {"meals": "用餐", "help": "求助", "care": "居家养老预约", "aids": "康复辅具", "gifts": "赠与"}


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


def yuan_text(fen: int) -> str:
    """``fen`` in yuan: 800 → 8 元, 850 → 8.50 元."""
    yuan, rest = divmod(abs(fen), 100)
    return ("负 " if fen < 0 else "") + (f"{yuan}.{rest:02} 元" if rest else f"{yuan} 元")


def signed_yuan_text(fen: int) -> str:
    """A movement of ``fen`` with its sign: ＋8 元, －2.50 元."""
    return ("－" if fen < 0 else "＋") + yuan_text(abs(fen))


def moment_text(moment: str) -> str:
    """An RFC 3339 moment on Beijing's clock: 2026-11-25 09:00."""
    return f"{_in_beijing(moment):%Y-%m-%d %H:%M}"


def day_and_time_text(moment: str) -> str:
    """An RFC 3339 moment as people say it: 11 月 25 日（星期三）09:00."""
    at = _in_beijing(moment)
    return f"{at.month} 月 {at.day} 日（星期{_WEEKDAYS[at.weekday()]}）{at:%H:%M}"


def clock_text(moment: str) -> str:
    """The time of day of an RFC 3339 moment on Beijing's clock: 10:30."""
    return f"{_in_beijing(moment):%H:%M}"


def day_of(moment: str) -> date:
    """The day of an RFC 3339 moment on Beijing's calendar."""
    return _in_beijing(moment).date()


def last_day_text(end: str) -> str:
    """The last day before the RFC 3339 moment ``end``, which itself is too late: 2027 年 5 月 24 日."""
    at = _in_beijing(end) - timedelta(microseconds=1)
    return f"{at.year} 年 {at.month} 月 {at.day} 日"


def code_in_groups(code: str) -> str:
    """A voucher's code in groups of four, to be read aloud: ABCD-EFGH-JKL."""
    plain = code.replace("-", "")
    return "-".join(plain[i : i + 4] for i in range(0, len(plain), 4))


def digits_in_groups(code: str) -> str:
    """A code of digits, wide apart and in groups of three, to be read out: 0 1 2   3 4 5."""
    return "   ".join(" ".join(code[i : i + 3]) for i in range(0, len(code), 3))


def day_text(day: str) -> str:
    """A calendar day: 2026-11-25 → 11 月 25 日（星期三）."""
    at = date.fromisoformat(day)
    return f"{at.month} 月 {at.day} 日（星期{_WEEKDAYS[at.weekday()]}）"


def month_text(month: str) -> str:
    """A month: 2026-11 → 2026 年 11 月."""
    year, number = month.split("-")
    return f"{year} 年 {int(number)} 月"


def days_left(end: str, now: str) -> int:
    """How many days after today something may still be used that is too late at the moment ``end``."""
    last_day = (_in_beijing(end) - timedelta(microseconds=1)).date()
    return (last_day - _in_beijing(now).date()).days


def relation_code(typed: str) -> str | None:
    """The bank's word for what people call a relative, or None: 女儿 → child."""
    for code, name in RELATIONS.items():
        if typed in (code, name, *name.split("、"), *_CALLED[code].split()):
            return code
    return None


def acted_lines(by_name: str | None, act: str = "办理") -> list[str]:
    """Who did the ``act``, where it was a proxy; the bank then writes both names."""
    return [f"{act}：{by_name}"] if by_name and "（代" in by_name else []


def refusal_sentences(problem: Problem) -> list[str]:
    """What was refused and why, in whole sentences."""
    said = [problem.title]
    if problem.detail and problem.detail != problem.title:
        said.append(problem.detail)
    facts = problem.facts
    if isinstance(facts.get("available_minutes"), int) and isinstance(facts.get("needed_minutes"), int):
        needed, available = minutes_text(facts["needed_minutes"]), minutes_text(facts["available_minutes"])
        said.append(f"需要 {needed}，可用 {available}。")
    if isinstance(facts.get("available_fen"), int) and isinstance(facts.get("needed_fen"), int):
        said.append(f"需要 {yuan_text(facts['needed_fen'])}，可用 {yuan_text(facts['available_fen'])}。")
    said.extend(text for text in _leaves(facts.get("errors")) if text not in said)
    return said


def next_step(problem: Problem) -> str:
    """What the person can do now."""
    by_code = BY_CODE.get(problem.code) or BY_STATUS.get(problem.status)
    if by_code is None and problem.facts.get("errors"):
        return "请改好以后再办一次。"
    return by_code or "请稍后再试；还不行，请问镇街管理员。"


def is_known(problem: Problem) -> bool:
    """Whether there is something better to say than to call the office with the request's number."""
    return problem.status < 500 and (problem.code in BY_CODE or problem.status in BY_STATUS)


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
