"""States and arithmetic of home-care bookings. Pure.

Sources: DOMAIN.md (home-care visits; 政府购买服务时长 first, then savings); the numbers are policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from timebank.core.clock import LOCAL
from timebank.core.errors import BankError, Conflict, Refused
from timebank.policies.rules import PolicyBook
from timebank.tasks.rules import at_rate

USUAL_SERVICE = "daily_care"
"""What is booked where no service is named: 生活照料."""

CAUSE, CARE_USE = "care_booking", "care_use"
"""How the ledger names the cause of holds and transfers of a booking, and the kind of its transfers."""


class CareStatus(StrEnum):
    """Where a booking stands; the last five are final."""

    BOOKED = "booked"
    ASSIGNED = "assigned"
    CHECKED_IN = "checked_in"
    CHECKED_OUT = "checked_out"
    DISPUTED = "disputed"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    NOT_HOME = "not_home"
    NO_SHOW = "no_show"
    LAPSED = "lapsed"


STATUS_NAMES = {
    CareStatus.BOOKED: "待派单",
    CareStatus.ASSIGNED: "已派单",
    CareStatus.CHECKED_IN: "服务中",
    CareStatus.CHECKED_OUT: "待确认",
    CareStatus.DISPUTED: "申诉中",
    CareStatus.CONFIRMED: "已确认",
    CareStatus.CANCELLED: "已取消",
    CareStatus.NOT_HOME: "上门无人",
    CareStatus.NO_SHOW: "机构未到",
    CareStatus.LAPSED: "已失效",
}

STEP_NAMES = {
    "book": "预约",
    "assign": "派单",
    "decline": "谢绝派单",
    "check_in": "签到",
    "check_out": "签退",
    "confirm": "确认",
    "dispute": "申诉",
    "decide": "裁定",
    "cancel": "取消",
    "not_home": "上门无人",
    "no_show": "机构未到",
    "lapse": "失效",
}

PLANNED = (CareStatus.BOOKED, CareStatus.ASSIGNED, CareStatus.CHECKED_IN)
OPEN = (*PLANNED, CareStatus.CHECKED_OUT, CareStatus.DISPUTED)
WORKED = (
    *(CareStatus.ASSIGNED, CareStatus.CHECKED_IN, CareStatus.CHECKED_OUT, CareStatus.DISPUTED),
    *(CareStatus.CONFIRMED, CareStatus.NOT_HOME),
)
"""What takes up a provider's capacity of the day."""
CHARGED_UNSERVED = (CareStatus.NOT_HOME, CareStatus.CANCELLED)
"""What may have cost something though nobody was served, so that the elder may object afterwards."""
VISITED = (CareStatus.CHECKED_IN, CareStatus.CHECKED_OUT, CareStatus.DISPUTED)

_STEPS: Mapping[str, tuple[frozenset[CareStatus], CareStatus]] = {
    "assign": (frozenset({CareStatus.BOOKED}), CareStatus.ASSIGNED),
    "decline": (frozenset({CareStatus.BOOKED, CareStatus.ASSIGNED}), CareStatus.BOOKED),
    "check_in": (frozenset({CareStatus.ASSIGNED}), CareStatus.CHECKED_IN),
    "check_out": (frozenset({CareStatus.CHECKED_IN}), CareStatus.CHECKED_OUT),
    "confirm": (frozenset({CareStatus.CHECKED_OUT}), CareStatus.CONFIRMED),
    "dispute": (frozenset({CareStatus.CHECKED_IN, CareStatus.CHECKED_OUT}), CareStatus.DISPUTED),
    "decide": (frozenset({CareStatus.DISPUTED}), CareStatus.CONFIRMED),
    "cancel": (frozenset({CareStatus.BOOKED, CareStatus.ASSIGNED}), CareStatus.CANCELLED),
    "not_home": (frozenset({CareStatus.ASSIGNED}), CareStatus.NOT_HOME),
    "no_show": (frozenset({CareStatus.ASSIGNED}), CareStatus.NO_SHOW),
    "lapse": (frozenset(OPEN), CareStatus.LAPSED),
}


def after(step: str, status: str) -> CareStatus:
    """The status after ``step``. Raises Conflict ``wrong_state``."""
    allowed, then = _STEPS[step]
    if status not in allowed:
        raise wrong_state(status)
    return then


def wrong_state(status: str) -> BankError:
    """The refusal of a step that does not follow from where the booking stands."""
    name = STATUS_NAMES[CareStatus(status)]
    return Conflict("wrong_state", f"这次预约现在是“{name}”，不能这样办理", status=status)


def rate_percent(policies: PolicyBook, service: str, township_code: str | None = None) -> int:
    """Minutes that 100 minutes of this service cost in this township, or by the district's rule."""
    return int(policies.value("care_rates_percent", township_code)[service])


def price_minutes(minutes: int, rate: int) -> int:
    """What so many minutes of a visit cost at ``rate`` percent, in minutes of the account; never nothing."""
    return max(1, at_rate(minutes, rate))


@dataclass(frozen=True, slots=True)
class Charge:
    """What a visit costs in minutes: ``held`` out of what was set aside, ``excess`` beyond it, only with consent."""

    held: int
    excess: int


def charge_for(served: int, *, booked: int, held: int, rate: int, tolerance: int, most: int) -> Charge:
    """What a visit of ``served`` minutes costs, of ``booked`` minutes for which ``held`` were set aside.

    Nothing beyond ``most`` minutes of a visit counts; staying up to ``tolerance`` minutes longer is no excess.
    """
    price = at_rate(min(served, most), rate)
    excess = max(0, price - held) if served > booked + tolerance else 0
    return Charge(min(price, held), excess)


def is_late(now: datetime, starts_at: datetime, free_minutes: int) -> bool:
    """Whether cancelling at ``now`` comes too late to be free of charge."""
    return now > starts_at - timedelta(minutes=free_minutes)


def fen_for(minutes: int, fen_per_hour: int) -> int:
    """What a provider gets for ``minutes``, in fen, half a fen up."""
    return (minutes * fen_per_hour + 30) // 60


def fen_per_hour(policies: PolicyBook, grade: int | None, township_code: str) -> int:
    """What a provider of this grade (None: not graded) in this township gets for an hour, in fen."""
    return int(policies.value("care_fen_per_hour_by_grade", township_code)[str(grade or 0)])


def month_of(moment: datetime) -> str:
    """``2026-11`` for any moment of that month in Fenghua."""
    return f"{moment.astimezone(LOCAL):%Y-%m}"


def month_before(month: str) -> str:
    """``2025-12`` for ``2026-01``."""
    return month_of(month_start(month) - timedelta(days=1))


def month_start(month: str) -> datetime:
    """The first moment of a month in Fenghua. Raises Refused ``month_invalid``."""
    try:
        if len(month) != 7 or not month.isascii():
            raise ValueError(month)
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise Refused("month_invalid", "月份须写成 2026-11 这样", field="month") from None
    if not 2000 <= first.year < 2100:
        raise Refused("month_invalid", "月份超出范围", field="month")
    return datetime(first.year, first.month, 1, tzinfo=LOCAL)


def month_end(month: str) -> datetime:
    """The first moment after a month. Raises Refused ``month_invalid``."""
    first = month_start(month)
    return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)


def deadline_of(
    status: str,
    *,
    starts_at: datetime,
    ends_at: datetime,
    checked_out_at: datetime | None,
    hold_until: datetime,
    township_code: str,
    policies: PolicyBook,
) -> datetime:
    """When time alone moves a booking on: nobody sent, none come, check-out forgotten, none confirmed, hold over."""

    def wait(key: str) -> timedelta:
        return timedelta(minutes=policies.whole(key, township_code))

    if status == CareStatus.BOOKED:
        due = starts_at
    elif status == CareStatus.ASSIGNED:
        due = starts_at + wait("care_no_show_after_minutes")
    elif status == CareStatus.CHECKED_IN:
        due = ends_at + wait("care_check_out_forgotten_after_minutes")
    elif status == CareStatus.CHECKED_OUT and checked_out_at is not None:
        due = checked_out_at + wait("care_auto_confirm_after_minutes")
    else:
        due = hold_until
    return min(due, hold_until)
