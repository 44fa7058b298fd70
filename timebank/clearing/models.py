"""Tables of clearing. What they promise beyond columns stands in triggers (``migrations/sql/clearing.sql``).

Which window a movement belongs to follows from the sequence number of its first leg: windows are ranges of numbers
that leave no gap, so every movement is in exactly one, and nothing is written for it when it is posted (decision 0009).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, func, literal_column
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from timebank.clearing.rules import WindowStatus
from timebank.core.db import Base

_STATUSES = ", ".join(f"'{status}'" for status in WindowStatus)


class ClearingWindow(Base):
    """清算周期: the movements with ``from_seq < seq <= to_seq``; exactly one is open.

    ``last_leg_seq`` is the highest number among the second legs of these movements, for reading them by index.
    ``ends_at`` is the end of its time: when it was due, or when it was closed if that was earlier. ``prices`` are the
    reference prices in fen per hour of its last moment; ``seal`` is set when it is settled.
    """

    __tablename__ = "clearing_window"
    __table_args__ = (
        CheckConstraint(f"status IN ({_STATUSES})", name="status_known"),
        CheckConstraint(
            "num_nulls(to_seq, last_leg_seq, ends_at, closed_at, closed_by_name, prices)"
            " = CASE status WHEN 'open' THEN 6 ELSE 0 END",
            name="closed_whole",
        ),
        CheckConstraint(
            "num_nulls(seal, settled_at) = CASE status WHEN 'settled' THEN 0 ELSE 2 END", name="settled_whole"
        ),
        CheckConstraint("to_seq >= from_seq AND last_leg_seq >= to_seq", name="range_order"),
        CheckConstraint("ends_at >= opened_at AND closed_at >= ends_at", name="closed_after_opened"),
        CheckConstraint("length(seal) = 32", name="digest_length"),
        Index("uq_clearing_window_open", "status", unique=True, postgresql_where="status = 'open'"),
        ExcludeConstraint(
            (func.int8range(literal_column("from_seq"), literal_column("to_seq"), "(]"), "&&"),
            name="ex_clearing_window_apart",
        ),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]
    from_seq: Mapped[int]
    to_seq: Mapped[int | None]
    last_leg_seq: Mapped[int | None]
    opened_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
    closed_by_name: Mapped[str | None]
    prices: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    settled_at: Mapped[datetime | None]
    seal: Mapped[bytes | None] = mapped_column(LargeBinary)


class Tally(Base):
    """What one township owes another in one window, summed up to ``TallyMark.upto_seq``; final once it is closed."""

    __tablename__ = "clearing_tally"
    __table_args__ = (CheckConstraint("minutes > 0 AND transfers > 0", name="positive"),)

    window_number: Mapped[int] = mapped_column(ForeignKey("clearing_window.number"), primary_key=True)
    debtor: Mapped[str] = mapped_column(ForeignKey("ledger_book.code"), primary_key=True)
    creditor: Mapped[str] = mapped_column(ForeignKey("ledger_book.code"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    minutes: Mapped[int]
    transfers: Mapped[int]


class TallyMark(Base):
    """Up to which settled sequence number movements have been tallied; one row."""

    __tablename__ = "clearing_tally_mark"
    __table_args__ = (CheckConstraint("id = 1 AND upto_seq >= 0", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    upto_seq: Mapped[int]


class Participant(Base):
    """A township in clearing: what it owes in all windows not settled, up to the tally's mark; its limits' alarms.

    ``owed_minutes`` is positive for a debt, as the balance of the township's clearing account is.
    """

    __tablename__ = "clearing_participant"

    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"), primary_key=True)
    owed_minutes: Mapped[int]
    soft_limit_since: Mapped[datetime | None]
    hard_limit_since: Mapped[datetime | None]


class Statement(Base):
    """对账单: one township's position in one closed window, and whether the township has confirmed it.

    Only townships with something in the window have one. Positive is owed to the township.
    """

    __tablename__ = "clearing_statement"
    __table_args__ = (
        CheckConstraint("num_nulls(confirmed_at, confirmed_by, confirmed_by_name) IN (0, 3)", name="confirmed_whole"),
        CheckConstraint("note IS NULL OR confirmed_at IS NOT NULL", name="note_of_confirmation"),
    )

    window_number: Mapped[int] = mapped_column(ForeignKey("clearing_window.number"), primary_key=True)
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"), primary_key=True)
    position_minutes: Mapped[int]
    position_fen: Mapped[int]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None]
    confirmed_by_name: Mapped[str | None]
    note: Mapped[str | None]


class Dispute(Base):
    """异议: a township says that a line of its statement is wrong; the district rules once.

    ``transfer_id`` names the movement by its first leg.
    """

    __tablename__ = "clearing_dispute"
    __table_args__ = (
        UniqueConstraint("window_number", "transfer_id"),
        CheckConstraint("reason <> ''", name="reasoned"),
        CheckConstraint("ruling IN ('moved', 'stays')", name="ruling_known"),
        CheckConstraint(
            "num_nulls(ruling, ruling_reason, ruled_at, ruled_by, ruled_by_name) IN (0, 5)", name="ruled_whole"
        ),
        Index("ix_clearing_dispute_transfer", "transfer_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    window_number: Mapped[int] = mapped_column(ForeignKey("clearing_window.number"))
    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transfer.id"))
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    reason: Mapped[str]
    raised_at: Mapped[datetime]
    raised_by: Mapped[UUID]
    raised_by_name: Mapped[str]
    ruling: Mapped[str | None]
    ruling_reason: Mapped[str | None]
    ruled_at: Mapped[datetime | None]
    ruled_by: Mapped[UUID | None]
    ruled_by_name: Mapped[str | None]


class MovedLine(Base):
    """A disputed movement that the district moved from a window under review into the open one."""

    __tablename__ = "clearing_moved_line"
    __table_args__ = (
        UniqueConstraint("transfer_id", "to_window"),
        CheckConstraint("to_window > from_window", name="forward"),
        CheckConstraint("minutes > 0", name="positive"),
        Index("ix_clearing_moved_line_from", "from_window"),
        Index("ix_clearing_moved_line_to", "to_window"),
    )

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transfer.id"), primary_key=True)
    from_window: Mapped[int] = mapped_column(ForeignKey("clearing_window.number"), primary_key=True)
    to_window: Mapped[int] = mapped_column(ForeignKey("clearing_window.number"))
    debtor: Mapped[str]
    creditor: Mapped[str]
    kind: Mapped[str]
    minutes: Mapped[int]
    moved_at: Mapped[datetime]


class Settlement(Base):
    """结算: a window's positions paid or carried over; at most one that is not aborted for each window."""

    __tablename__ = "clearing_settlement"
    __table_args__ = (
        UniqueConstraint("window_number", "attempt"),
        CheckConstraint("method IN ('pay', 'carry')", name="method_known"),
        CheckConstraint("status IN ('instructed', 'completed', 'aborted')", name="status_known"),
        CheckConstraint("(method = 'carry') = (carried_into IS NOT NULL)", name="carried_somewhere"),
        CheckConstraint("(status = 'instructed') = (ended_at IS NULL)", name="ended_whole"),
        CheckConstraint("(status = 'aborted') = (abort_reason IS NOT NULL)", name="abort_reasoned"),
        Index("uq_clearing_settlement_standing", "window_number", unique=True, postgresql_where="status <> 'aborted'"),
        Index("ix_clearing_settlement_carried", "carried_into", postgresql_where="carried_into IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    window_number: Mapped[int] = mapped_column(ForeignKey("clearing_window.number"))
    attempt: Mapped[int]
    method: Mapped[str]
    carried_into: Mapped[int | None] = mapped_column(ForeignKey("clearing_window.number"))
    status: Mapped[str]
    settled_at: Mapped[datetime]
    settled_by: Mapped[UUID]
    settled_by_name: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by_name: Mapped[str | None]
    abort_reason: Mapped[str | None]


class Payment(Base):
    """付款: one township's payment to the house (``pay``) or receipt from it (``receive``), tried until it is paid."""

    __tablename__ = "clearing_payment"
    __table_args__ = (
        UniqueConstraint("settlement_id", "township_code", "attempt"),
        CheckConstraint("direction IN ('pay', 'receive')", name="direction_known"),
        CheckConstraint("amount_fen > 0", name="positive"),
        CheckConstraint("state IN ('instructed', 'paid', 'failed', 'withdrawn')", name="state_known"),
        CheckConstraint("(state = 'instructed') = (ended_at IS NULL)", name="ended_whole"),
        CheckConstraint("state <> 'paid' OR coalesce(outside_reference, '') <> ''", name="paid_with_reference"),
        CheckConstraint("state <> 'failed' OR coalesce(problem, '') <> ''", name="failed_with_problem"),
        Index(
            "uq_clearing_payment_standing",
            *("settlement_id", "township_code"),
            unique=True,
            postgresql_where="state IN ('instructed', 'paid')",
        ),
        Index("uq_clearing_payment_reference", "outside_reference", unique=True, postgresql_where="state = 'paid'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    settlement_id: Mapped[UUID] = mapped_column(ForeignKey("clearing_settlement.id"))
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    attempt: Mapped[int]
    direction: Mapped[str]
    amount_fen: Mapped[int]
    state: Mapped[str]
    outside_reference: Mapped[str | None]
    problem: Mapped[str | None]
    instructed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by_name: Mapped[str | None]


class LimitOverride(Base):
    """放行: a district steward lets a township's people go on although its hard limit is reached, with a reason."""

    __tablename__ = "clearing_limit_override"
    __table_args__ = (
        CheckConstraint("extra_minutes > 0", name="positive"),
        CheckConstraint("valid_until > granted_at", name="valid_order"),
        CheckConstraint("reason <> ''", name="reasoned"),
        Index("ix_clearing_limit_override_township", "township_code", "valid_until"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    extra_minutes: Mapped[int]
    valid_until: Mapped[datetime]
    reason: Mapped[str]
    granted_at: Mapped[datetime]
    granted_by: Mapped[UUID]
    granted_by_name: Mapped[str]


class GuaranteeCall(Base):
    """保障金垫付: what was honoured beyond a township's hard limit, for which the guarantee fund stands in."""

    __tablename__ = "clearing_guarantee_call"
    __table_args__ = (
        CheckConstraint("minutes > 0", name="positive"),
        Index("ix_clearing_guarantee_call_township", "township_code", "seq"),
        Index("ix_clearing_guarantee_call_seq", "seq"),
    )

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transfer.id"), primary_key=True)
    seq: Mapped[int]
    window_number: Mapped[int] = mapped_column(ForeignKey("clearing_window.number"), index=True)
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    creditor: Mapped[str]
    minutes: Mapped[int]
    owed_minutes: Mapped[int]
    hard_limit_minutes: Mapped[int]
    noted_at: Mapped[datetime]


class Recomputation(Base):
    """复算: once a night all positions from raw transfers, with whatever did not agree."""

    __tablename__ = "clearing_recomputation"

    day: Mapped[date] = mapped_column(primary_key=True)
    made_at: Mapped[datetime]
    differences: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
