"""Tables of money at the counter. The amounts themselves are transfers of the ledger."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.db import Base


class PurseSlip(Base):
    """收付单: money put into a diner's purse, or paid back out of it, in cash at one counter. Never changed."""

    __tablename__ = "purse_slip"
    __table_args__ = (
        CheckConstraint("kind IN ('top_up', 'pay_back')", name="kind_known"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        Index("ix_purse_slip_person", "person_id", "id"),
        Index("ix_purse_slip_canteen", "canteen_id", "on_day"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"))
    amount_fen: Mapped[int]
    on_day: Mapped[date]
    made_at: Mapped[datetime]
    made_by: Mapped[UUID]
    made_by_name: Mapped[str]
    note: Mapped[str]
    transfer_id: Mapped[UUID] = mapped_column(unique=True)


class PurseEstate(Base):
    """余额继承: what was in the purse of somebody who has died, paid in cash to whoever the evidence names.

    One steward asks, a second one approves and pays; until then the first may take it back, to ask anew.
    """

    __tablename__ = "purse_estate"
    __table_args__ = (
        CheckConstraint("receiver_name <> '' AND evidence <> ''", name="whole"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("approved_by <> requested_by", name="second_person"),
        CheckConstraint(
            "num_nulls(approved_at, approved_by, approved_by_name, amount_fen, transfer_id) IN (0, 5)",
            name="approved_whole",
        ),
        CheckConstraint("withdrawn_at IS NULL OR approved_at IS NULL", name="withdrawn_or_paid"),
        Index(
            "uq_purse_estate_waiting",
            "person_id",
            unique=True,
            postgresql_where="approved_at IS NULL AND withdrawn_at IS NULL",
        ),
        Index("ix_purse_estate_person", "person_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    receiver_name: Mapped[str]
    evidence: Mapped[str]
    requested_at: Mapped[datetime]
    requested_by: Mapped[UUID]
    requested_by_name: Mapped[str]
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None]
    approved_by_name: Mapped[str | None]
    amount_fen: Mapped[int | None]
    transfer_id: Mapped[UUID | None] = mapped_column(unique=True)
    withdrawn_at: Mapped[datetime | None]

    @property
    def status(self) -> str:
        """``awaiting_second_person``, ``paid`` or ``withdrawn``."""
        if self.approved_at is not None:
            return "paid"
        return "awaiting_second_person" if self.withdrawn_at is None else "withdrawn"


class TillHandIn(Base):
    """缴款: cash of one canteen's drawer brought to the office. Never changed."""

    __tablename__ = "till_hand_in"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        Index("ix_till_hand_in_canteen", "canteen_id", "id"),
        Index("ix_till_hand_in_reference", "reference"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"))
    amount_fen: Mapped[int]
    reference: Mapped[str]
    received_at: Mapped[datetime]
    received_by: Mapped[UUID]
    received_by_name: Mapped[str]
    transfer_id: Mapped[UUID] = mapped_column(unique=True)
