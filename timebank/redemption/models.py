"""Tables of vouchers and of every scan of one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, false
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.db import Base
from timebank.redemption.good_times import GoodTimes
from timebank.redemption.rules import OnExpiry, VoidReason, VoucherStatus

_STATUSES = ", ".join(f"'{s}'" for s in VoucherStatus)
_VOID_REASONS = ", ".join(f"'{s}'" for s in VoidReason)
_ON_EXPIRY = ", ".join(f"'{s}'" for s in OnExpiry)


class Voucher(Base):
    """用餐券: minutes set apart for one meal, good at any canteen of any township until it expires.

    One that was bought while the holder's township was at its hard limit may be good at home only
    (``only_township_code``): it can make no debt to other townships.

    Its minutes lie in the holder's voucher account (``account_id``) until it is redeemed, refunded or expires;
    ``source_account_id`` is the first account that paid, the ledger knows all of them.

    What was promised when it was bought stays: price, days and meals (None: no limit), and where its minutes go when
    it expires. A lost or given voucher becomes void, and another one, with a code of its own, ``replaces`` it;
    ``origin_id`` is the voucher under whose id the minutes came into the account: itself, or the one that was lost.

    One that is to pay for a meal ordered ahead is set aside (``set_aside_for``, the order): until that is served or
    ended, nothing else becomes of it.
    """

    __tablename__ = "voucher"
    __table_args__ = (
        CheckConstraint(f"status IN ({_STATUSES})", name="status_known"),
        CheckConstraint("price_minutes > 0", name="price_positive"),
        CheckConstraint("(status = 'issued') = (ended_at IS NULL)", name="ended_whole"),
        CheckConstraint("(status = 'redeemed') = (canteen_id IS NOT NULL)", name="redeemed_somewhere"),
        CheckConstraint(f"void_reason IN ({_VOID_REASONS})", name="void_reason_known"),
        CheckConstraint("(status = 'void') = (void_reason IS NOT NULL)", name="void_reasoned"),
        CheckConstraint(
            "(coalesce(void_reason, '') IN ('lost', 'given')) = (replaced_by_id IS NOT NULL)", name="replaced_whole"
        ),
        CheckConstraint("void_reason <> 'cancelled' OR coalesce(void_note, '') <> ''", name="cancelled_for_a_reason"),
        CheckConstraint(f"on_expiry IN ({_ON_EXPIRY})", name="on_expiry_known"),
        CheckConstraint(
            "weekdays <@ ARRAY[1, 2, 3, 4, 5, 6, 7]::smallint[] AND cardinality(weekdays) > 0", name="weekdays_known"
        ),
        CheckConstraint("issued_by_name <> ''", name="issuer_named"),
        CheckConstraint("(set_aside_for IS NULL) = (set_aside_at IS NULL)", name="set_aside_whole"),
        CheckConstraint("set_aside_for IS NULL OR status IN ('issued', 'redeemed')", name="set_aside_is_used"),
        Index("uq_voucher_set_aside", "set_aside_for", unique=True, postgresql_where="set_aside_for IS NOT NULL"),
        Index("uq_voucher_replaces", "replaces_id", unique=True, postgresql_where="replaces_id IS NOT NULL"),
        Index("uq_voucher_replaced_by", "replaced_by_id", unique=True, postgresql_where="replaced_by_id IS NOT NULL"),
        Index("ix_voucher_origin", "origin_id"),
        Index("ix_voucher_holder", "holder_id", "id"),
        Index("ix_voucher_bought", "holder_id", "issued_at", postgresql_where="replaces_id IS NULL"),
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
    issued_by_name: Mapped[str]
    issue_evidence: Mapped[str | None]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    canteen_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    only_township_code: Mapped[str | None] = mapped_column(ForeignKey("township.code"))
    weekdays: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    meals: Mapped[dict[str, list[str]] | None] = mapped_column(JSONB(none_as_null=True))
    on_expiry: Mapped[str]
    origin_id: Mapped[UUID] = mapped_column(ForeignKey("voucher.id"))
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("voucher.id"))
    replaced_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("voucher.id"))
    void_reason: Mapped[str | None]
    void_note: Mapped[str | None]
    reminded_at: Mapped[datetime | None]
    set_aside_for: Mapped[UUID | None]
    set_aside_at: Mapped[datetime | None]

    @property
    def good_times(self) -> GoodTimes:
        """On which days and at which meals it is good."""
        return GoodTimes(tuple(self.weekdays) if self.weekdays is not None else None, self.meals)


class VoucherScan(Base):
    """One scan at a counter, whatever came of it; the same nonce at the same canteen is the same scan.

    ``offline``: made without a line and sent later; ``signed_text`` is what the QR said, where its signature was good.
    """

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
    offline: Mapped[bool] = mapped_column(server_default=false())
    signed_text: Mapped[str | None]
