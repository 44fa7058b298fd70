"""How an aid is borrowed: states, days, what is due, and refusals. Pure.

A loan's days are calendar days in Fenghua, counted from 1; a day begun counts. "Overdue" is no state of its own: it is
being lent after the last day that was paid for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from timebank.core.errors import BankError, Conflict, Refused


class Condition(StrEnum):
    """What an aid is like; only the first two can be borrowed, and the last is final."""

    GOOD = "good"
    WORN = "worn"
    IN_REPAIR = "in_repair"
    RETIRED = "retired"


CONDITION_NAMES = {
    Condition.GOOD: "完好",
    Condition.WORN: "磨损",
    Condition.IN_REPAIR: "维修中",
    Condition.RETIRED: "报废",
}

USABLE = (Condition.GOOD, Condition.WORN)


EVENT_NAMES = {
    "entered": "登记",
    "lent": "借出",
    "returned": "归还",
    "to_repair": "送修",
    "repaired": "修复",
    "retired": "报废",
    "lost": "遗失",
}
"""What may happen to an aid, as its history names it."""


class LoanStatus(StrEnum):
    """Where a loan stands; all but the first two are final."""

    RESERVED = "reserved"
    LENT = "lent"
    RETURNED = "returned"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"
    LOST = "lost"


LOAN_STATUS_NAMES = {
    LoanStatus.RESERVED: "已预约",
    LoanStatus.LENT: "借用中",
    LoanStatus.RETURNED: "已归还",
    LoanStatus.LAPSED: "预约已过期",
    LoanStatus.CANCELLED: "已取消",
    LoanStatus.LOST: "已遗失",
}

ACTIVE = (LoanStatus.RESERVED, LoanStatus.LENT)
"""While a loan stands here, nobody else can have the item."""

_STEPS = {
    ("lend", LoanStatus.RESERVED): LoanStatus.LENT,
    ("cancel", LoanStatus.RESERVED): LoanStatus.CANCELLED,
    ("lapse", LoanStatus.RESERVED): LoanStatus.LAPSED,
    ("extend", LoanStatus.LENT): LoanStatus.LENT,
    ("return", LoanStatus.LENT): LoanStatus.RETURNED,
    ("lose", LoanStatus.LENT): LoanStatus.LOST,
}


class PaidFrom(StrEnum):
    """What a day of use was paid from: minutes held for it, minutes available on the day, or nothing yet."""

    HELD = "held"
    AVAILABLE = "available"
    OWED = "owed"


def after(step: str, status: str) -> LoanStatus:
    """The status after a step. Raises Conflict ``wrong_state``."""
    try:
        return _STEPS[step, LoanStatus(status)]
    except KeyError:
        name = LOAN_STATUS_NAMES[LoanStatus(status)]
        raise Conflict("wrong_state", f"这次借用{name}，不能这样办理", status=status) from None


def must_be_usable(condition: str) -> None:
    """Raises Conflict ``aid_not_usable`` for an aid in repair or retired."""
    if condition not in USABLE:
        name = CONDITION_NAMES[Condition(condition)]
        raise Conflict("aid_not_usable", f"这件辅具{name}，不能借用", condition=str(condition))


def must_not_be_retired(condition: str) -> None:
    """Raises Conflict ``aid_retired``."""
    if condition == Condition.RETIRED:
        raise Conflict("aid_retired", "这件辅具已报废")


def price_per_day(prices: Mapping[str, int], kind: str) -> int:
    """Minutes for a day of an aid of this kind: the kind's own price, or what every kind costs."""
    return prices.get(kind, prices["default"])


def day_number(lent_on: date, day: date) -> int:
    """Which day of use ``day`` is: 1 on the day of lending, 0 or less before it."""
    return (day - lent_on).days + 1


def day_of(lent_on: date, number: int) -> date:
    """The calendar day of the ``number``-th day of use."""
    return lent_on + timedelta(days=number - 1)


def uncharged_days(lent_on: date, last_number: int, today: date) -> list[date]:
    """Days that have begun and are not charged yet, in order; ``last_number`` is the last one charged, 0 for none."""
    return [day_of(lent_on, number) for number in range(last_number + 1, day_number(lent_on, today) + 1)]


def overdue_days(status: str, due_on: date | None, today: date) -> int:
    """Days begun after the last one paid for; 0 where the loan is not overdue."""
    if status != LoanStatus.LENT or due_on is None:
        return 0
    return max(0, (today - due_on).days)


def due_back_on(due_on: date | None, reserved_until: date, days: int) -> date:
    """When a taken item is to be free again: its last paid day, or, while only reserved, the latest that can become."""
    return due_on if due_on is not None else day_of(reserved_until, days)


def reminders_due(
    offsets: Iterable[int], *, lent_on: date, due_on: date, today: date, sent: Iterable[int]
) -> list[int]:
    """Offsets in days from ``due_on`` whose day has come since the lending and of which nobody was told yet."""
    told = set(sent)
    return sorted(o for o in set(offsets) - told if lent_on <= due_on + timedelta(days=o) <= today)


def reminder_text(name: str, due_on: date, today: date) -> str:
    """What a borrower is told, in words that are right on the day they are read."""
    left = (due_on - today).days
    day = f"{due_on.month}月{due_on.day}日"
    if left > 0:
        return f"您借用的{name}应在{day}当天归还，还有{left}天。要继续用，请提前续借。"
    if left == 0:
        return f"您借用的{name}今天到期，请今天归还。要继续用，请今天续借。"
    return f"您借用的{name}应在{day}归还，已逾期{-left}天。请尽快归还到任一镇街。"


def must_be_within_days(days: int, most: int) -> None:
    """Raises Refused ``amount_invalid``, ``aid_days_too_many``."""
    if days < 1:
        raise Refused("amount_invalid", "天数须为正整数", field="days")
    if days > most:
        raise Refused("aid_days_too_many", f"一次最多借用{most}天", field="days", max_days=most)


def must_have_room(borrowed: int, most: int) -> None:
    """Raises Refused ``aids_too_many``."""
    if borrowed >= most:
        raise Refused("aids_too_many", f"一人最多同时借用{most}件", max_items=most, items=borrowed)


def taken(back_on: date, **facts: Any) -> BankError:
    """The refusal for an aid that somebody else has, with when it is due back."""
    day = f"{back_on.month}月{back_on.day}日"
    title = f"这件辅具已被预约或借出，预计{day}归还"
    return Conflict("aid_taken", title, due_back_on=back_on.isoformat(), **facts)


def nearest_first(candidates: Sequence[tuple[str, Any]], home: str) -> list[Any]:
    """Items ``(township where it is, item)`` in the order of being offered: own township first, then by code."""
    return [item for _, item in sorted(candidates, key=lambda one: (one[0] != home, one[0]))]
