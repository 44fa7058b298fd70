"""What a scan at a counter is answered. Pure; a batch is answered as its scans one after another would be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from timebank.core.errors import BankError, Conflict, Refused
from timebank.redemption.good_times import ALWAYS, GoodTimes


class VoucherStatus(StrEnum):
    """Where a voucher stands; every status but the first is final."""

    ISSUED = "issued"
    REDEEMED = "redeemed"
    REFUNDED = "refunded"
    EXPIRED = "expired"
    VOID = "void"


class VoidReason(StrEnum):
    """Why a voucher is void: its card was lost and made anew, it was given away, or a steward took it back."""

    LOST = "lost"
    GIVEN = "given"
    CANCELLED = "cancelled"


class OnExpiry(StrEnum):
    """Where the minutes of a voucher go that nobody used in time."""

    REFUND = "refund"
    POOL = "pool"


STATUS_NAMES = {
    VoucherStatus.ISSUED: "可使用",
    VoucherStatus.REDEEMED: "已使用",
    VoucherStatus.REFUNDED: "已退券",
    VoucherStatus.EXPIRED: "已过期",
    VoucherStatus.VOID: "已作废",
}

Reason = Literal[
    "ok",
    "voucher_unknown",
    "already_redeemed",
    "voucher_expired",
    "voucher_void",
    "voucher_other_township",
    "voucher_not_today",
    "voucher_not_this_meal",
    "holder_frozen",
    "voucher_set_aside",
    "canteen_not_open",
    "nonce_reused",
    "qr_unreadable",
    "qr_forged",
]

REASON_SENTENCES: dict[Reason, str] = {
    "ok": "可以用餐",
    "voucher_unknown": "没有这张券，请核对券码",
    "already_redeemed": "这张券已经用过",
    "voucher_expired": "这张券已过期",
    "voucher_void": "这张券已退或已作废",
    "voucher_other_township": "这张券只能在购券时所在的镇街使用",
    "voucher_not_today": "这张券今天不能用",
    "voucher_not_this_meal": "这张券现在不能用",
    "holder_frozen": "持券人的时长已冻结，请联系镇街",
    "voucher_set_aside": "这张券已用来订餐，请报取餐号；取消订餐后才能另用",
    "canteen_not_open": "这个助餐点没有营业，不能核销",
    "nonce_reused": "扫码编号重复使用，请重新扫码",
    "qr_unreadable": "二维码没有读全，请再扫一次，或输入下面的券码",
    "qr_forged": "二维码的签名不对，不是本行发出的券",
}

VOID_SENTENCES = {
    VoidReason.LOST: "这张券已挂失补办，请出示补办的新券",
    VoidReason.GIVEN: "这张券已转赠他人，请使用转赠后的新券",
    VoidReason.CANCELLED: "这张券已由镇街作废，时长已退回账户",
}

EXPIRED_SENTENCES = {
    OnExpiry.REFUND: "这张券已过期，时长会退回账户",
    OnExpiry.POOL: "这张券已过期，时长转入公益时间池",
}

_REFUSAL_OF: dict[VoucherStatus, Reason] = {
    VoucherStatus.REDEEMED: "already_redeemed",
    VoucherStatus.REFUNDED: "voucher_void",
    VoucherStatus.EXPIRED: "voucher_expired",
    VoucherStatus.VOID: "voucher_void",
}


@dataclass(frozen=True, slots=True)
class Scan:
    """One code under a scanner, plain or signed, as scanned; ``nonce`` is the scanner's own number for this scan.

    ``offline`` says that the counter had no line at ``scanned_at`` and answered by itself.
    """

    code: str
    nonce: str
    scanned_at: datetime | None = None
    offline: bool = False


@dataclass(frozen=True, slots=True)
class VoucherState:
    """What deciding about a voucher needs.

    ``holder_frozen`` says that the holder has left or is reported dead, ``set_aside`` that a meal ordered has it.
    """

    id: UUID
    status: str
    expires_at: datetime
    redeemed_at: datetime | None = None
    canteen_id: UUID | None = None
    only_township_code: str | None = None
    good_times: GoodTimes = ALWAYS
    ended_at: datetime | None = None
    holder_frozen: bool = False
    set_aside: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one scan; ``redeemed_at`` and ``canteen_id`` say when and where the voucher was used, if it was.

    ``loss_id`` is there where the voucher could not pay, but the guarantee fund does, for a meal eaten in good faith.
    """

    accepted: bool
    reason: Reason
    voucher_id: UUID | None
    redeemed_at: datetime | None
    canteen_id: UUID | None
    loss_id: UUID | None = None


def judge(
    voucher: VoucherState | None,
    canteen_id: UUID,
    now: datetime,
    *,
    township_code: str | None = None,
    serving: bool = True,
) -> tuple[Verdict, VoucherState | None]:
    """The verdict on one voucher at one canteen of a township at one moment, and the voucher afterwards.

    ``serving`` says whether the canteen was open at that moment.
    """
    if voucher is None:
        return Verdict(False, "voucher_unknown", None, None, None), None
    if voucher.status == VoucherStatus.ISSUED and voucher.expires_at <= now:
        return Verdict(False, "voucher_expired", voucher.id, None, None), voucher
    if voucher.status != VoucherStatus.ISSUED:
        reason = _REFUSAL_OF[VoucherStatus(voucher.status)]
        return Verdict(False, reason, voucher.id, voucher.redeemed_at, voucher.canteen_id), voucher
    if not serving:
        return Verdict(False, "canteen_not_open", voucher.id, None, None), voucher
    if voucher.holder_frozen:
        return Verdict(False, "holder_frozen", voucher.id, None, None), voucher
    if voucher.set_aside:
        return Verdict(False, "voucher_set_aside", voucher.id, None, None), voucher
    if voucher.only_township_code not in (None, township_code):
        return Verdict(False, "voucher_other_township", voucher.id, None, None), voucher
    if not voucher.good_times.on_day(now):
        return Verdict(False, "voucher_not_today", voucher.id, None, None), voucher
    if not voucher.good_times.at_meal(now):
        return Verdict(False, "voucher_not_this_meal", voucher.id, None, None), voucher
    used = replace(voucher, status=VoucherStatus.REDEEMED, redeemed_at=now, canteen_id=canteen_id)
    return Verdict(True, "ok", voucher.id, now, canteen_id), used


def standing(status: str, expires_at: datetime, now: datetime) -> VoucherStatus:
    """Where a voucher stands at ``now``: expired from its last moment on, also before its minutes have gone back."""
    if status == VoucherStatus.ISSUED and expires_at <= now:
        return VoucherStatus.EXPIRED
    return VoucherStatus(status)


def not_issued(voucher_id: UUID, status: VoucherStatus) -> BankError:
    """The refusal for what only an unused voucher can be: shown on a card, made anew, given, made void."""
    title = f"这张券{STATUS_NAMES[status]}，不能再办理"
    return Conflict("voucher_not_issued", title, voucher_id=voucher_id, status=str(status))


def must_not_be_set_aside(set_aside_for: UUID | None) -> None:
    """A voucher that a meal was ordered with is that meal's. Raises Conflict ``voucher_set_aside``."""
    if set_aside_for is not None:
        title = "这张券已用来订餐，请先取消订餐"
        raise Conflict("voucher_set_aside", title, order_id=set_aside_for)


def shares(paid: Sequence[tuple[int, int]], price_minutes: int) -> list[list[tuple[int, int]]]:
    """``paid`` by accounts ``(account_id, minutes)``, told apart by vouchers of one price, first come first spent."""
    told: list[list[tuple[int, int]]] = []
    missing = 0
    for account_id, minutes in paid:
        while minutes:
            if not missing:
                told.append([])
                missing = price_minutes
            part = min(minutes, missing)
            told[-1].append((account_id, part))
            minutes, missing = minutes - part, missing - part
    return told


def within_month(bought: int, quantity: int, most: int) -> None:
    """Whether ``quantity`` more fit into this month; 0 limits nothing. Raises Refused ``monthly_limit_reached``."""
    if most and bought + quantity > most:
        title = f"每人每月最多购买{most}张，本月已购{bought}张"
        raise Refused("monthly_limit_reached", title, max_per_month=most, bought_this_month=bought)


def refusal_sentence(reason: Reason, *, good_times: GoodTimes, void_reason: str | None, on_expiry: str) -> str:
    """Why a scan of this voucher was refused, in words for the clerk; for a limit, when the voucher is good."""
    if reason in ("voucher_not_today", "voucher_not_this_meal"):
        return f"{REASON_SENTENCES[reason]}，{good_times.text()}可用"
    if reason == "voucher_void" and void_reason is not None:
        return VOID_SENTENCES[VoidReason(void_reason)]
    if reason == "voucher_expired":
        return EXPIRED_SENTENCES[OnExpiry(on_expiry)]
    return REASON_SENTENCES[reason]
