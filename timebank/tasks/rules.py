"""States and arithmetic of tasks. Pure.

Sources: DOMAIN.md (words; tolerance and automatic confirmation by policy); Civil Affairs letter 2012-340
(minutes are recorded).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from timebank.core.errors import BankError, Conflict, Refused


class TaskStatus(StrEnum):
    """Where a task stands as a whole."""

    OPEN = "open"
    ACCEPTED = "accepted"
    CHECKED_IN = "checked_in"
    CHECKED_OUT = "checked_out"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RECORDED = "recorded"
    REJECTED = "rejected"
    REVERSED = "reversed"


class AssignmentStatus(StrEnum):
    """Where one volunteer's part in a task stands."""

    ACCEPTED = "accepted"
    CHECKED_IN = "checked_in"
    CHECKED_OUT = "checked_out"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    RECORDED = "recorded"
    REJECTED = "rejected"
    REVERSED = "reversed"


class CancelReason(StrEnum):
    """Why a volunteer does not come after all, or help is not wanted any more."""

    ILL = "ill"
    BUSY = "busy"
    MISTAKE = "mistake"
    NOT_NEEDED = "not_needed"
    HELPED = "helped"
    OTHER = "other"


CANCEL_REASON_NAMES = {
    CancelReason.ILL: "身体不舒服",
    CancelReason.BUSY: "临时有事",
    CancelReason.MISTAKE: "点错了",
    CancelReason.NOT_NEEDED: "不需要了",
    CancelReason.HELPED: "已经有人帮忙了",
    CancelReason.OTHER: "其他原因",
}

STATUS_NAMES = {
    TaskStatus.OPEN: "待接单",
    TaskStatus.ACCEPTED: "已接单",
    TaskStatus.CHECKED_IN: "服务中",
    TaskStatus.CHECKED_OUT: "待确认",
    TaskStatus.CONFIRMED: "已确认",
    TaskStatus.DISPUTED: "申诉中",
    TaskStatus.CANCELLED: "已取消",
    TaskStatus.EXPIRED: "已过期",
    TaskStatus.RECORDED: "补录待审",
    TaskStatus.REJECTED: "补录未通过",
    TaskStatus.REVERSED: "已冲正",
}

PLANNED = frozenset({AssignmentStatus.ACCEPTED, AssignmentStatus.CHECKED_IN})
GONE = frozenset({AssignmentStatus.WITHDRAWN, AssignmentStatus.CANCELLED, AssignmentStatus.NO_SHOW})
FINISHED = frozenset(
    {TaskStatus.CONFIRMED, TaskStatus.CANCELLED, TaskStatus.EXPIRED, TaskStatus.REJECTED, TaskStatus.REVERSED}
)
NOT_SERVED = frozenset({AssignmentStatus.REJECTED, AssignmentStatus.REVERSED})
"""What counts as never served: turned down, or credited by mistake and reversed."""
NOT_BEGUN = GONE | {AssignmentStatus.ACCEPTED}

_STEPS: dict[str, tuple[frozenset[AssignmentStatus], AssignmentStatus]] = {
    "check_in": (frozenset({AssignmentStatus.ACCEPTED}), AssignmentStatus.CHECKED_IN),
    "check_out": (frozenset({AssignmentStatus.CHECKED_IN}), AssignmentStatus.CHECKED_OUT),
    "confirm": (frozenset({AssignmentStatus.CHECKED_OUT}), AssignmentStatus.CONFIRMED),
    "dispute": (frozenset({AssignmentStatus.CHECKED_IN, AssignmentStatus.CHECKED_OUT}), AssignmentStatus.DISPUTED),
    "rule": (frozenset({AssignmentStatus.DISPUTED}), AssignmentStatus.CONFIRMED),
    "withdraw": (frozenset({AssignmentStatus.ACCEPTED}), AssignmentStatus.WITHDRAWN),
    "cancel": (frozenset({AssignmentStatus.ACCEPTED}), AssignmentStatus.CANCELLED),
    "miss": (frozenset({AssignmentStatus.ACCEPTED}), AssignmentStatus.NO_SHOW),
    "approve_record": (frozenset({AssignmentStatus.RECORDED}), AssignmentStatus.CONFIRMED),
    "reject_record": (frozenset({AssignmentStatus.RECORDED}), AssignmentStatus.REJECTED),
    "reverse": (frozenset({AssignmentStatus.CONFIRMED}), AssignmentStatus.REVERSED),
}


def reason_text(reason: str | None, words: str) -> str:
    """Why something was cancelled, as the other side reads it; empty where nothing was said.

    Raises Refused ``cancel_words_needed`` for another reason without words.
    """
    said = words.strip()
    if reason is None:
        return said
    if reason == CancelReason.OTHER:
        if not said:
            raise Refused("cancel_words_needed", "选了其他原因，请写一句", field="words")
        return said
    name = CANCEL_REASON_NAMES[CancelReason(reason)]
    return f"{name}：{said}" if said else name


def wrong_state(status: str) -> BankError:
    """The refusal of a step that does not follow from where the task stands."""
    return Conflict(
        "wrong_state", f"任务现在是“{STATUS_NAMES.get(TaskStatus(status), status)}”，不能这样办理", status=status
    )


def may(step: str, status: str) -> bool:
    """Whether ``step`` follows from ``status``."""
    return status in _STEPS[step][0]


def after(step: str, status: str) -> AssignmentStatus:
    """The status after ``step``. Raises Conflict ``wrong_state``."""
    allowed, then = _STEPS[step]
    if status not in allowed:
        raise Conflict("wrong_state", "现在的状态不能这样办理", status=status)
    return then


def task_status(places: int, parts: Iterable[str], *, over: bool) -> TaskStatus:
    """The status of a task that is neither cancelled nor expired, from the parts of its volunteers.

    Open means that volunteers are still wanted: a shift stays so while places are left and it is not ``over``
    (its agreed end has not passed), even though some of its volunteers serve already or have served.
    """
    active = [AssignmentStatus(p) for p in parts if p not in GONE]
    for status in (AssignmentStatus.DISPUTED, AssignmentStatus.RECORDED, AssignmentStatus.REJECTED):
        if status in active:
            return TaskStatus(status)
    if not active or (len(active) < places and not over):
        return TaskStatus.OPEN
    if all(p is AssignmentStatus.REVERSED for p in active):
        return TaskStatus.REVERSED
    ended = (AssignmentStatus.CONFIRMED, AssignmentStatus.REVERSED)
    if all(p in ended for p in active):
        return TaskStatus.CONFIRMED
    if all(p in (AssignmentStatus.CHECKED_OUT, *ended) for p in active):
        return TaskStatus.CHECKED_OUT
    if any(p is not AssignmentStatus.ACCEPTED for p in active):
        return TaskStatus.CHECKED_IN
    return TaskStatus.ACCEPTED


def places_left(places: int, parts: Collection[str]) -> int:
    """How many volunteers are still wanted."""
    return max(0, places - sum(1 for p in parts if p not in GONE))


def served_minutes(started_at: datetime, ended_at: datetime) -> int:
    """Minutes served, rounded to the nearest whole minute, half a minute up."""
    return int((ended_at - started_at + timedelta(seconds=30)) // timedelta(minutes=1))


def payable_minutes(served: int, *, agreed: int, tolerance: int, rate_percent: int) -> int:
    """Minutes to be credited: what was served up to what was agreed plus the tolerance, at the rate of the service.

    Rounded to the nearest whole minute, half a minute up; at the default rate of 100 % nothing is rounded.
    """
    return at_rate(min(served, agreed + tolerance), rate_percent)


def at_rate(minutes: int, rate_percent: int) -> int:
    """Minutes at a rate in percent, rounded to the nearest whole minute."""
    return (minutes * rate_percent + 50) // 100


def check_span(started_at: datetime, ended_at: datetime, now: datetime) -> None:
    """A back-filled span lies in the past, ends after it starts and fits in a day.

    Raises Refused ``times_invalid``, ``date_in_future``.
    """
    if not timedelta(minutes=1) <= ended_at - started_at <= timedelta(hours=24):
        raise Refused("times_invalid", "服务起止时间有误")
    if ended_at > now:
        raise Refused("date_in_future", "服务时间晚于现在")


def split_payment(minutes: int, sources: Iterable[tuple[int, int | None]]) -> list[tuple[int, int]]:
    """Spread ``minutes`` over sources ``(account_id, available)`` in order; None available means without limit.

    Answers ``(account_id, minutes)``. Raises ValueError where the sources do not suffice.
    """
    parts = []
    for account_id, available in sources:
        part = minutes if available is None else min(minutes, available)
        if part > 0:
            parts.append((account_id, part))
            minutes -= part
        if minutes == 0:
            return parts
    raise ValueError("the sources do not suffice")
