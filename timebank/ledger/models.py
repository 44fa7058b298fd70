"""Tables of the ledger. What they promise beyond columns stands in triggers (``migrations/sql/ledger.sql``)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.amounts import MAX_AMOUNT
from timebank.core.db import Base
from timebank.ledger.rules import FLOORED_KINDS, OF_ORGANISATIONS, AccountKind

_KINDS = ", ".join(f"'{kind}'" for kind in AccountKind)
_FLOORED = ", ".join(f"'{kind}'" for kind in sorted(FLOORED_KINDS))
_OF_ORGANISATIONS = ", ".join(f"'{kind}'" for kind in sorted(OF_ORGANISATIONS))


class Book(Base):
    """账簿: a township's ledger, or the house's."""

    __tablename__ = "ledger_book"
    __table_args__ = (CheckConstraint("code = coalesce(township_code, 'house')", name="code_fits"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    township_code: Mapped[str | None] = mapped_column(ForeignKey("township.code"), unique=True)


class Account(Base):
    """时间账户: holds one unit, belongs to one book.

    A floored account keeps its running balance (``posted``, ``held``, ``version``) on the row, written by the
    triggers of transfers and holds only. An account that may go either way keeps none: nobody ever locks it.
    """

    __tablename__ = "ledger_account"
    __table_args__ = (
        CheckConstraint("unit IN ('minute', 'fen')", name="unit_known"),
        CheckConstraint(f"kind IN ({_KINDS})", name="kind_known"),
        CheckConstraint(f"floored = (kind IN ({_FLOORED}))", name="floor_fits_kind"),
        CheckConstraint("held >= 0 AND posted - held >= 0", name="floor"),
        CheckConstraint("floored OR (posted = 0 AND held = 0 AND version = 0)", name="no_balance_without_floor"),
        CheckConstraint("closed_at IS NULL OR (posted = 0 AND held = 0)", name="closed_empty"),
        CheckConstraint("(expires_on IS NOT NULL) = (kind = 'granted')", name="only_lots_expire"),
        CheckConstraint(
            f"organisation_id IS NULL OR person_id IS NULL AND kind IN ({_OF_ORGANISATIONS})", name="organisation_fits"
        ),
        CheckConstraint("kind NOT IN ('till', 'canteen') OR organisation_id IS NOT NULL", name="organisation_named"),
        Index(
            "uq_ledger_account_holder",
            *("book_code", "unit", "kind", "person_id", "expires_on", "organisation_id"),
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where="closed_at IS NULL",
        ),
        Index("ix_ledger_account_open", "id", postgresql_where="NOT floored"),
        Index("ix_ledger_account_person", "person_id", postgresql_where="person_id IS NOT NULL"),
        Index("ix_ledger_account_organisation", "organisation_id", postgresql_where="organisation_id IS NOT NULL"),
        Index("ix_ledger_account_expiring", "expires_on", postgresql_where="expires_on IS NOT NULL AND posted > 0"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    book_code: Mapped[str] = mapped_column(ForeignKey("ledger_book.code"))
    unit: Mapped[str]
    kind: Mapped[str]
    floored: Mapped[bool]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    expires_on: Mapped[date | None]
    posted: Mapped[int] = mapped_column(server_default=text("0"))
    held: Mapped[int] = mapped_column(server_default=text("0"))
    version: Mapped[int] = mapped_column(server_default=text("0"))
    last_recorded_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Transfer(Base):
    """划转: one immutable movement between two accounts of one book and one unit.

    A movement between books is two of these, linked: ``link_id`` is the first leg's id in both. The two account
    columns carry no foreign key, since checking one would lock the row of an account that everybody touches;
    the insert trigger checks existence, book and unit instead, and accounts are never deleted.
    """

    __tablename__ = "ledger_transfer"
    __table_args__ = (
        CheckConstraint(f"amount > 0 AND amount <= {MAX_AMOUNT}", name="amount_range"),
        CheckConstraint("from_account_id <> to_account_id", name="two_accounts"),
        CheckConstraint("(link_id IS NULL) = (counterpart_book_code IS NULL)", name="link_whole"),
        CheckConstraint("(from_version IS NULL) = (from_balance IS NULL)", name="from_whole"),
        CheckConstraint("(to_version IS NULL) = (to_balance IS NULL)", name="to_whole"),
        CheckConstraint("from_balance >= 0 AND to_balance >= 0", name="balances_floor"),
        CheckConstraint("(reverses_id IS NULL) = (approved_by IS NULL)", name="reversal_approved"),
        CheckConstraint("reverses_id IS NULL OR note <> ''", name="reversal_reasoned"),
        CheckConstraint(
            "approved_by IS NULL OR (recorded_by IS NOT NULL AND approved_by <> recorded_by)", name="second_person"
        ),
        UniqueConstraint("seq"),
        UniqueConstraint("from_account_id", "from_version"),
        UniqueConstraint("to_account_id", "to_version"),
        Index("ix_ledger_transfer_from_open", "from_account_id", "seq", postgresql_where="from_version IS NULL"),
        Index("ix_ledger_transfer_to_open", "to_account_id", "seq", postgresql_where="to_version IS NULL"),
        # The day of a canteen's cash drawer; no other account without a floor pays or takes in these kinds so often.
        Index(
            "ix_ledger_transfer_from_till",
            *("from_account_id", "effective_at"),
            postgresql_where="from_version IS NULL AND kind IN ('meal_elder', 'purse_top_up')",
        ),
        Index(
            "ix_ledger_transfer_to_till",
            *("to_account_id", "effective_at"),
            postgresql_where="to_version IS NULL AND kind IN ('purse_pay_back', 'till_handed_in', 'reversal')",
        ),
        Index("uq_ledger_transfer_reverses", "reverses_id", unique=True, postgresql_where="reverses_id IS NOT NULL"),
        Index("ix_ledger_transfer_cause", "cause_id", postgresql_where="cause_id IS NOT NULL"),
        Index("ix_ledger_transfer_recorded", "recorded_at", postgresql_using="brin"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(Identity(always=True))
    book_code: Mapped[str]
    unit: Mapped[str]
    from_account_id: Mapped[int]
    to_account_id: Mapped[int]
    amount: Mapped[int]
    kind: Mapped[str]
    link_id: Mapped[UUID | None]
    counterpart_book_code: Mapped[str | None]
    from_version: Mapped[int | None]
    from_balance: Mapped[int | None]
    to_version: Mapped[int | None]
    to_balance: Mapped[int | None]
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    policy_version: Mapped[int | None]
    cause_kind: Mapped[str | None]
    cause_id: Mapped[UUID | None]
    note: Mapped[str]
    recorded_by: Mapped[UUID | None]
    reverses_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transfer.id"))
    approved_by: Mapped[UUID | None]


class Hold(Base):
    """冻结: an amount set aside on a floored account, ended once by capture, release or expiry."""

    __tablename__ = "ledger_hold"
    __table_args__ = (
        CheckConstraint(f"amount > 0 AND amount <= {MAX_AMOUNT}", name="amount_range"),
        CheckConstraint("state IN ('placed', 'captured', 'released', 'expired')", name="state_known"),
        CheckConstraint("(state = 'placed') = (ended_at IS NULL)", name="ended_whole"),
        CheckConstraint("(state = 'captured') = (captured_amount IS NOT NULL)", name="captured_whole"),
        CheckConstraint("captured_amount > 0 AND captured_amount <= amount", name="captured_range"),
        Index("ix_ledger_hold_expiring", "expires_at", postgresql_where="state = 'placed'"),
        Index("ix_ledger_hold_account", "account_id", postgresql_where="state = 'placed'"),
        Index("ix_ledger_hold_cause", "cause_id", postgresql_where="state = 'placed'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"))
    amount: Mapped[int]
    state: Mapped[str]
    captured_amount: Mapped[int | None]
    cause_kind: Mapped[str]
    cause_id: Mapped[UUID]
    placed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ReversalRequest(Base):
    """冲正申请: what one steward asks to be undone, until a second one approves it."""

    __tablename__ = "ledger_reversal_request"
    __table_args__ = (CheckConstraint("approved_by <> requested_by", name="second_person"),)

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transfer.id"), primary_key=True)
    reason: Mapped[str]
    requested_by: Mapped[UUID]
    requested_at: Mapped[datetime]
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]


class Seal(Base):
    """封存: the Merkle root over the transfers since the last seal, chained to it."""

    __tablename__ = "ledger_seal"
    __table_args__ = (
        CheckConstraint("to_seq > from_seq", name="range_order"),
        CheckConstraint("length(merkle_root) = 32 AND length(hash) = 32", name="digest_length"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    from_seq: Mapped[int]
    to_seq: Mapped[int] = mapped_column(unique=True)
    transfers: Mapped[int]
    merkle_root: Mapped[bytes] = mapped_column(LargeBinary)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_at: Mapped[datetime]


class SealHandout(Base):
    """One day's head, as it was handed out to one township."""

    __tablename__ = "ledger_seal_handout"

    day: Mapped[date] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"), primary_key=True)
    seal_number: Mapped[int] = mapped_column(ForeignKey("ledger_seal.number"))
    seal_hash: Mapped[bytes] = mapped_column(LargeBinary)
    handed_out_at: Mapped[datetime]


class Checkpoint(Base):
    """The balance of an account without a floor, up to and with one settled sequence number."""

    __tablename__ = "ledger_checkpoint"

    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"), primary_key=True)
    upto_seq: Mapped[int] = mapped_column(primary_key=True)
    balance: Mapped[int]
    taken_at: Mapped[datetime]
