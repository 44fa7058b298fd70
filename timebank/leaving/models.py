"""Tables of leaving: who left and where the minutes went, what came in later, and reports of deaths."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.db import Base
from timebank.leaving.rules import Destination, LeavingReason

_DESTINATIONS = ", ".join(f"'{one}'" for one in Destination)
_REASONS = ", ".join(f"'{one}'" for one in LeavingReason)


class Leaving(Base):
    """退出: one person's accounts settled and closed; whoever comes back and leaves again has another row."""

    __tablename__ = "leaving"
    __table_args__ = (
        CheckConstraint(f"reason IN ({_REASONS})", name="reason_known"),
        CheckConstraint(f"savings_to IN ({_DESTINATIONS})", name="destination_known"),
        CheckConstraint("(savings_to = 'relative') = (to_person_id IS NOT NULL)", name="relative_named"),
        CheckConstraint("to_person_id <> person_id", name="not_oneself"),
        CheckConstraint("savings_minutes >= 0 AND granted_minutes >= 0", name="minutes_not_negative"),
        CheckConstraint("vouchers_refunded >= 0", name="vouchers_not_negative"),
        Index("ix_leaving_person", "person_id", "left_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str]
    savings_to: Mapped[str]
    to_person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    savings_minutes: Mapped[int]
    granted_minutes: Mapped[int]
    vouchers_refunded: Mapped[int]
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    evidence: Mapped[str | None]
    left_at: Mapped[datetime]
    left_by: Mapped[UUID]
    left_by_name: Mapped[str]


class LateMinutes(Base):
    """Minutes that reached somebody after leaving, and followed the savings."""

    __tablename__ = "leaving_late_minutes"
    __table_args__ = (
        CheckConstraint("minutes > 0", name="minutes_positive"),
        Index("ix_leaving_late_minutes_leaving", "leaving_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    leaving_id: Mapped[UUID] = mapped_column(ForeignKey("leaving.id"))
    minutes: Mapped[int]
    moved_at: Mapped[datetime]


class DeathReport(Base):
    """身故上报: by one steward, approved by two more, or declined; carried out with the second approval."""

    __tablename__ = "death_report"
    __table_args__ = (
        CheckConstraint("evidence <> ''", name="evidence_given"),
        CheckConstraint(
            "first_approved_by <> reported_by AND second_approved_by <> reported_by"
            " AND second_approved_by <> first_approved_by",
            name="three_people",
        ),
        CheckConstraint(
            "num_nulls(first_approved_at, first_approved_by, first_approved_by_name) IN (0, 3)", name="first_whole"
        ),
        CheckConstraint(
            "num_nulls(second_approved_at, second_approved_by, second_approved_by_name, leaving_id) IN (0, 4)",
            name="second_whole",
        ),
        CheckConstraint("second_approved_at IS NULL OR first_approved_at IS NOT NULL", name="first_before_second"),
        CheckConstraint(
            "num_nulls(declined_at, declined_by, declined_by_name, decline_reason) IN (0, 4)", name="declined_whole"
        ),
        CheckConstraint("declined_at IS NULL OR second_approved_at IS NULL", name="declined_or_done"),
        Index("uq_death_report_standing", "person_id", unique=True, postgresql_where="declined_at IS NULL"),
        Index("ix_death_report_person", "person_id"),
        Index("ix_death_report_township", "township_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    died_on: Mapped[date]
    evidence: Mapped[str]
    reported_at: Mapped[datetime]
    reported_by: Mapped[UUID]
    reported_by_name: Mapped[str]
    first_approved_at: Mapped[datetime | None]
    first_approved_by: Mapped[UUID | None]
    first_approved_by_name: Mapped[str | None]
    second_approved_at: Mapped[datetime | None]
    second_approved_by: Mapped[UUID | None]
    second_approved_by_name: Mapped[str | None]
    declined_at: Mapped[datetime | None]
    declined_by: Mapped[UUID | None]
    declined_by_name: Mapped[str | None]
    decline_reason: Mapped[str | None]
    leaving_id: Mapped[UUID | None] = mapped_column(ForeignKey("leaving.id"))

    @property
    def status(self) -> str:
        """``declined``, ``carried_out``, ``approved_once`` or ``reported``."""
        if self.declined_at is not None:
            return "declined"
        if self.second_approved_at is not None:
            return "carried_out"
        return "reported" if self.first_approved_at is None else "approved_once"
