"""How scans that were made without a line are judged when they arrive 断网核销. Pure.

Such a scan counts from the moment it was made, where that can be believed. What was eaten in good faith, but cannot be
paid with the voucher any more, is a loss of the guarantee fund: the elder has eaten, and nobody is punished silently.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from timebank.redemption.rules import Verdict, VoucherState, VoucherStatus, judge


class LossReason(StrEnum):
    """Why a meal that was eaten is paid by the guarantee fund."""

    EATEN_TWICE = "eaten_twice"
    ENDED_MEANWHILE = "ended_meanwhile"


LOSS_NAMES = {
    LossReason.EATEN_TWICE: "两处断网时重复使用",
    LossReason.ENDED_MEANWHILE: "断网用餐后券已退、作废或过期",
}


@dataclass(frozen=True, slots=True)
class Leeway:
    """How far a scan without a line is believed: how old it may be, and how wrong the counter's clock."""

    max_hours: int
    skew_minutes: int


def moment_that_counts(
    scanned_at: datetime | None, *, now: datetime, issued_at: datetime, leeway: Leeway
) -> datetime | None:
    """When a scan whose signature was checked without a line counts as made; None where it is judged on arrival.

    It may be neither too old, nor from the future, nor from before the voucher was issued.
    """
    skew = timedelta(minutes=leeway.skew_minutes)
    if scanned_at is None or not now - timedelta(hours=leeway.max_hours) <= scanned_at <= now + skew:
        return None
    if scanned_at < issued_at - skew:
        return None
    return min(scanned_at, now)


def judge_past(
    voucher: VoucherState,
    canteen_id: UUID,
    at: datetime,
    *,
    township_code: str | None,
    honoured_here: bool,
    serving: bool = True,
) -> tuple[Verdict, VoucherState, LossReason | None]:
    """The verdict on a scan made at ``at``, the voucher afterwards, and the loss where the fund pays the meal.

    ``honoured_here`` says whether the fund has paid a meal at this canteen for this voucher before: a counter knows
    what it scanned itself. A counter without a line cannot know of a death, so a frozen holder's voucher still pays.
    It does know whether it was open: no meal counts, or is a loss, of a moment at which it was not ``serving``.
    """
    alive = replace(voucher, holder_frozen=False)
    verdict, after = judge(alive, canteen_id, at, township_code=township_code, serving=serving)
    loss = None if verdict.accepted or honoured_here or not serving else _loss(voucher, canteen_id, at, township_code)
    return verdict, replace(after or voucher, holder_frozen=voucher.holder_frozen), loss


def _loss(voucher: VoucherState, canteen_id: UUID, at: datetime, township_code: str | None) -> LossReason | None:
    """Why the fund pays, where a refused voucher was good at ``at`` but for what became of it elsewhere or since."""
    if voucher.status == VoucherStatus.ISSUED:
        return None
    unspent = replace(voucher, status=VoucherStatus.ISSUED, holder_frozen=False)
    if not judge(unspent, canteen_id, at, township_code=township_code)[0].accepted:
        return None
    if voucher.status == VoucherStatus.REDEEMED:
        return LossReason.EATEN_TWICE if voucher.canteen_id != canteen_id else None
    return LossReason.ENDED_MEANWHILE if voucher.ended_at is not None and at < voucher.ended_at else None
