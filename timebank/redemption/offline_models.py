"""Tables of signing keys, of vouchers that ended early, and of what the guarantee fund pays."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.crypto import SealedText
from timebank.core.db import Base
from timebank.redemption.offline_rules import LossReason

_REASONS = ", ".join(f"'{reason}'" for reason in LossReason)
_KEY_DAYS = text("tstzrange(signs_from, signs_until)")


class SigningKey(Base):
    """签名密钥: signs the QRs of vouchers from one day to another; counters know it before its first day.

    What it has signed stays good for as long as the vouchers are, unless it is revoked.
    """

    __tablename__ = "redemption_signing_key"
    __table_args__ = (
        CheckConstraint("id BETWEEN 1 AND 65535", name="number_fits_the_qr"),
        CheckConstraint("length(public_key) = 32", name="public_key_length"),
        CheckConstraint("signs_until > signs_from", name="days_order"),
        CheckConstraint("num_nulls(revoked_at, revoked_by_name, revoke_reason) IN (0, 3)", name="revoked_whole"),
        CheckConstraint("revoke_reason <> ''", name="revoke_reasoned"),
        ExcludeConstraint(
            (_KEY_DAYS, "&&"),
            name="ex_redemption_signing_key_one_at_a_time",
            using="gist",
            where=text("revoked_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    public_key: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    private_key: Mapped[str] = mapped_column(SealedText)
    made_at: Mapped[datetime]
    signs_from: Mapped[datetime]
    signs_until: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None]
    revoked_by_name: Mapped[str | None]
    revoke_reason: Mapped[str | None]


class VoucherEnding(Base):
    """A voucher that ended before the day printed on it, for the list that counters download.

    A trigger writes it with the voucher. ``number`` comes later, from one numberer at a time, so that numbers become
    visible in their order and whoever has seen one has missed none below it.
    """

    __tablename__ = "voucher_ending"
    __table_args__ = (
        CheckConstraint("length(code_hash) = 8", name="hash_length"),
        CheckConstraint("number > 0", name="number_positive"),
        UniqueConstraint("number"),
        Index("ix_voucher_ending_printed", "printed_until", "number"),
        Index("ix_voucher_ending_unnumbered", "id", postgresql_where="number IS NULL"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    voucher_id: Mapped[UUID] = mapped_column(ForeignKey("voucher.id"))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    printed_until: Mapped[datetime]
    ended_at: Mapped[datetime]
    number: Mapped[int | None]


class GuaranteeLoss(Base):
    """保障金损失: a meal eaten in good faith at a counter without a line, which no voucher could pay any more.

    ``second_scan_id`` is that meal's scan; ``first_scan_id`` the one that used the voucher, where another did.
    ``loss_fen`` is worth the minutes at the reference price of the day; None where there was none.
    """

    __tablename__ = "guarantee_loss"
    __table_args__ = (
        CheckConstraint(f"reason IN ({_REASONS})", name="reason_known"),
        CheckConstraint("(reason = 'eaten_twice') = (first_scan_id IS NOT NULL)", name="two_scans"),
        CheckConstraint("first_scan_id <> second_scan_id", name="different_scans"),
        CheckConstraint("minutes > 0", name="minutes_positive"),
        CheckConstraint("loss_fen >= 0", name="fen_not_negative"),
        CheckConstraint("num_nulls(paid_at, paid_by_name, outside_reference) IN (0, 3)", name="paid_whole"),
        CheckConstraint("outside_reference <> ''", name="reference_given"),
        UniqueConstraint("second_scan_id"),
        UniqueConstraint("voucher_id", "canteen_id"),
        Index("ix_guarantee_loss_township", "township_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[str]
    voucher_id: Mapped[UUID] = mapped_column(ForeignKey("voucher.id"))
    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    minutes: Mapped[int]
    loss_fen: Mapped[int | None]
    first_scan_id: Mapped[UUID | None] = mapped_column(ForeignKey("voucher_scan.id"))
    second_scan_id: Mapped[UUID] = mapped_column(ForeignKey("voucher_scan.id"))
    eaten_at: Mapped[datetime]
    noted_at: Mapped[datetime]
    policy_version: Mapped[int]
    paid_at: Mapped[datetime | None]
    paid_by: Mapped[UUID | None]
    paid_by_name: Mapped[str | None]
    outside_reference: Mapped[str | None]
