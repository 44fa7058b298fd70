"""What a scan at a counter is answered. Pure; a batch is answered as its scans one after another would be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID


class VoucherStatus(StrEnum):
    """Where a voucher stands; every status but the first is final."""

    ISSUED = "issued"
    REDEEMED = "redeemed"
    REFUNDED = "refunded"
    EXPIRED = "expired"
    VOID = "void"


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
    "nonce_reused",
]

REASON_SENTENCES: dict[Reason, str] = {
    "ok": "可以用餐",
    "voucher_unknown": "没有这张券，请核对券码",
    "already_redeemed": "这张券已经用过",
    "voucher_expired": "这张券已过期，时长会退回账户",
    "voucher_void": "这张券已退或已作废",
    "voucher_other_township": "这张券只能在购券时所在的镇街使用",
    "nonce_reused": "扫码编号重复使用，请重新扫码",
}

_REFUSAL_OF: dict[VoucherStatus, Reason] = {
    VoucherStatus.REDEEMED: "already_redeemed",
    VoucherStatus.REFUNDED: "voucher_void",
    VoucherStatus.EXPIRED: "voucher_expired",
    VoucherStatus.VOID: "voucher_void",
}


@dataclass(frozen=True, slots=True)
class Scan:
    """One code under a scanner. ``code`` is as scanned; ``nonce`` is the scanner's own number for this scan."""

    code: str
    nonce: str
    scanned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VoucherState:
    """What deciding about a voucher needs."""

    id: UUID
    status: str
    expires_at: datetime
    redeemed_at: datetime | None = None
    canteen_id: UUID | None = None
    only_township_code: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one scan; ``redeemed_at`` and ``canteen_id`` say when and where the voucher was used, if it was."""

    accepted: bool
    reason: Reason
    voucher_id: UUID | None
    redeemed_at: datetime | None
    canteen_id: UUID | None


def judge(
    voucher: VoucherState | None, canteen_id: UUID, now: datetime, *, township_code: str | None = None
) -> tuple[Verdict, VoucherState | None]:
    """The verdict on one voucher at one canteen of a township, and the voucher afterwards."""
    if voucher is None:
        return Verdict(False, "voucher_unknown", None, None, None), None
    if voucher.status == VoucherStatus.ISSUED and voucher.expires_at <= now:
        return Verdict(False, "voucher_expired", voucher.id, None, None), voucher
    if voucher.status != VoucherStatus.ISSUED:
        reason = _REFUSAL_OF[VoucherStatus(voucher.status)]
        return Verdict(False, reason, voucher.id, voucher.redeemed_at, voucher.canteen_id), voucher
    if voucher.only_township_code not in (None, township_code):
        return Verdict(False, "voucher_other_township", voucher.id, None, None), voucher
    used = replace(voucher, status=VoucherStatus.REDEEMED, redeemed_at=now, canteen_id=canteen_id)
    return Verdict(True, "ok", voucher.id, now, canteen_id), used
