"""Tables of vouchers and of every scan of one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.db import Base
from timebank.redemption.rules import VoucherStatus

_STATUSES = ", ".join(f"'{s}'" for s in VoucherStatus)


class Voucher(Base):
    """用餐券: minutes set apart for one meal, good at any canteen of any township until it expires.

    One that was bought while the holder's township was at its hard limit may be good at home only
    (``only_township_code``): it can make no debt to other townships.

    Its minutes lie in the holder's voucher account (``account_id``) until it is redeemed, refunded or expires;
    ``source_account_id`` is the first account that paid, the ledger knows all of them.
    """

    __tablename__ = "voucher"
    __table_args__ = (
        CheckConstraint(f"status IN ({_STATUSES})", name="status_known"),
        CheckConstraint("price_minutes > 0", name="price_positive"),
        CheckConstraint("(status = 'issued') = (ended_at IS NULL)", name="ended_whole"),
        CheckConstraint("(status = 'redeemed') = (canteen_id IS NOT NULL)", name="redeemed_somewhere"),
        Index("ix_voucher_holder", "holder_id", "id"),
        Index("ix_voucher_expiring", "expires_at", postgresql_where="status = 'issued'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    holder_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"))
    source_account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"))
    price_minutes: Mapped[int]
    policy_version: Mapped[int]
    status: Mapped[str]
    issued_at: Mapped[datetime]
    issued_by: Mapped[UUID]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    canteen_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    only_township_code: Mapped[str | None] = mapped_column(ForeignKey("township.code"))


class VoucherScan(Base):
    """One scan at a counter, whatever came of it; the same nonce at the same canteen is the same scan."""

    __tablename__ = "voucher_scan"
    __table_args__ = (
        UniqueConstraint("canteen_id", "nonce"),
        CheckConstraint("accepted = (reason = 'ok')", name="reason_fits"),
        Index("ix_voucher_scan_voucher", "voucher_id", postgresql_where="voucher_id IS NOT NULL"),
        Index("uq_voucher_scan_accepted", "voucher_id", unique=True, postgresql_where="accepted"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    nonce: Mapped[str]
    code: Mapped[str]
    scanned_at: Mapped[datetime]
    received_at: Mapped[datetime]
    clerk_login_id: Mapped[UUID]
    accepted: Mapped[bool]
    reason: Mapped[str]
    voucher_id: Mapped[UUID | None] = mapped_column(ForeignKey("voucher.id"))
    redeemed_at: Mapped[datetime | None]
    redeemed_canteen_id: Mapped[UUID | None]
