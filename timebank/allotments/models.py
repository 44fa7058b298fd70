"""Tables of allotments: every assessment of an elder, what was granted for each month, and seed hours."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from timebank.allotments.rules import SEED_REASON_NAMES
from timebank.core.db import Base

_REASONS = ", ".join(f"'{reason}'" for reason in SEED_REASON_NAMES)


class Assessment(Base):
    """能力评估: what a steward entered in an elder's file, and what had stood there before."""

    __tablename__ = "elder_assessment"
    __table_args__ = (
        CheckConstraint("level BETWEEN 0 AND 4 AND previous_level BETWEEN 0 AND 4", name="level_range"),
        CheckConstraint("evidence <> ''", name="evidence_given"),
        Index("ix_elder_assessment_person", "person_id", "assessed_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    level: Mapped[int] = mapped_column(SmallInteger)
    previous_level: Mapped[int | None] = mapped_column(SmallInteger)
    circumstances: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    evidence: Mapped[str]
    assessed_at: Mapped[datetime]
    assessed_by: Mapped[UUID]
    assessed_by_name: Mapped[str]


class Allotment(Base):
    """政府购买服务时长: minutes granted to one person for one month, in a lot that expires."""

    __tablename__ = "allotment"
    __table_args__ = (
        UniqueConstraint("person_id", "month"),
        CheckConstraint("extract(day FROM month) = 1", name="month_begins"),
        CheckConstraint("level BETWEEN 0 AND 4", name="level_range"),
        CheckConstraint("minutes > 0", name="minutes_positive"),
        CheckConstraint("expires_on > month", name="expires_later"),
        Index("ix_allotment_township", "township_code", "month", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    month: Mapped[date]
    level: Mapped[int] = mapped_column(SmallInteger)
    minutes: Mapped[int]
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    expires_on: Mapped[date]
    policy_version: Mapped[int]
    granted_at: Mapped[datetime]


class SeedGrant(Base):
    """种子时长: granted to one person once in life."""

    __tablename__ = "seed_grant"
    __table_args__ = (
        CheckConstraint(f"reason IN ({_REASONS})", name="reason_known"),
        CheckConstraint("minutes > 0", name="minutes_positive"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), unique=True)
    reason: Mapped[str]
    minutes: Mapped[int]
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    expires_on: Mapped[date]
    policy_version: Mapped[int]
    granted_at: Mapped[datetime]
