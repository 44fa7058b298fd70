"""What may be given to whom, and what becomes of a request for hardship help. Pure.

Source: DOMAIN.md, practice elsewhere in China (gifts to relatives of 60 and over in Nanjing, donation to a public pool
or to elders in hardship in Shanghai); the figures are policies.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from timebank.core.amounts import hours_text, is_amount
from timebank.core.clock import day_start, local_date
from timebank.core.errors import BankError, Conflict, NotAllowed, Refused

GIFT, DONATION, HARDSHIP_HELP = "gift", "donation", "hardship_help"
"""Kinds of transfer, and of what causes them."""

VOUCHER_GIFT = "voucher_gift"
"""The kind of transfer that giving a voucher away is; its minutes count as given."""


class HardshipStatus(StrEnum):
    """Where a request for help from the pool stands; the second and third are final."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"


HARDSHIP_STATUS_NAMES = {
    HardshipStatus.WAITING: "待批准",
    HardshipStatus.APPROVED: "已拨付",
    HardshipStatus.DECLINED: "未批准",
}


def must_be_amount(minutes: int) -> None:
    """Raises Refused ``amount_invalid``."""
    if not is_amount(minutes):
        raise Refused("amount_invalid", "数量须为正整数", field="minutes")


def must_be_allowed_relation(relation: str, allowed: Collection[str], name: str) -> None:
    """Whether policy lets minutes be given to such a relative. Raises Refused ``gift_relation_not_allowed``."""
    if relation not in allowed:
        raise Refused("gift_relation_not_allowed", f"按规定不能赠与{name}", relation=relation, allowed=sorted(allowed))


@dataclass(frozen=True, slots=True)
class MonthlyCap:
    """What one may give away in a month, and has given in it, in minutes; a cap of 0 is none."""

    cap_minutes: int
    given_minutes: int

    def must_allow(self, minutes: int) -> None:
        """Raises Refused ``gift_cap_reached`` with what is left."""
        left = max(0, self.cap_minutes - self.given_minutes)
        if self.cap_minutes and minutes > left:
            title = f"每月最多赠出{hours_text(self.cap_minutes)}，本月还可赠出{hours_text(left)}"
            raise Refused(
                "gift_cap_reached",
                title,
                cap_minutes=self.cap_minutes,
                given_minutes=self.given_minutes,
                left_minutes=left,
            )


def month_start(moment: datetime) -> datetime:
    """The first moment, in Fenghua, of the month in which ``moment`` falls."""
    return day_start(local_date(moment).replace(day=1))


def hardship_of(circumstances: Sequence[str], counting: Collection[str]) -> list[str]:
    """Those of an elder's circumstances that count as hardship. Raises Refused ``not_in_hardship`` where none does."""
    found = [one for one in circumstances if one in counting]
    if not found:
        title = "一人一档中没有可申请帮扶的困难情况，请先核实并登记"
        raise Refused("not_in_hardship", title, circumstances=sorted(circumstances), counting=sorted(counting))
    return found


def must_be_within_help(minutes: int, most: int) -> None:
    """Raises Refused ``hardship_help_too_much``."""
    if minutes > most:
        raise Refused("hardship_help_too_much", f"一次帮扶最多{hours_text(most)}", field="minutes", max_minutes=most)


def must_be_waiting(status: str) -> None:
    """Raises Conflict ``hardship_decided``."""
    if status != HardshipStatus.WAITING:
        name = HARDSHIP_STATUS_NAMES[HardshipStatus(status)]
        raise Conflict("hardship_decided", f"这份帮扶申请{name}，不能再办理", status=status)


def second_person_needed() -> NotAllowed:
    """The refusal of approving what one has asked for."""
    return NotAllowed("second_person_needed", "须由另一位管理员批准")


def pool_short(*, available: int, needed: int) -> BankError:
    """The refusal of taking more out of a pool than is in it."""
    title = f"公益时间池只有{hours_text(available)}，不够拨付{hours_text(needed)}；申请继续等待"
    return Refused("pool_short", title, available_minutes=available, needed_minutes=needed)
