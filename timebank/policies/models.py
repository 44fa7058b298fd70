"""Tables of policies: a change (who, when, why) and the values it brings."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Identity, Index, func, literal_column, text
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.db import Base

SHIPPED_BY = UUID(int=0)
"""Who proposes what comes with the system."""


class PolicyChange(Base):
    """One change of policy 办法变更; its id is the policy version that transfers record."""

    __tablename__ = "policy_change"
    __table_args__ = (
        CheckConstraint("approved_by IS NULL OR approved_by <> proposed_by", name="second_person"),
        CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approved_whole"),
        CheckConstraint("approved_at IS NULL OR approved_at <= effective_at", name="never_backdated"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    effective_at: Mapped[datetime]
    reason: Mapped[str]
    source: Mapped[str]
    proposed_by: Mapped[UUID]
    proposed_by_name: Mapped[str]
    proposed_at: Mapped[datetime]
    approved_by: Mapped[UUID | None]
    approved_by_name: Mapped[str | None]
    approved_at: Mapped[datetime | None]

    @property
    def shipped(self) -> bool:
        """Whether it came with the system: such a change is in force from the first day, approved by nobody."""
        return self.proposed_by == SHIPPED_BY


class PolicyValue(Base):
    """One value of one policy, for the district or one township, with the time in which it is in force."""

    __tablename__ = "policy_value"
    __table_args__ = (
        Index("uq_policy_value_change_key_scope", "change_id", "key", "scope", unique=True),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="valid_order"),
        ExcludeConstraint(
            ("key", "="),
            ("scope", "="),
            (func.tstzrange(literal_column("valid_from"), literal_column("valid_to")), "&&"),
            name="ex_policy_value_one_in_force",
            where=text("valid_from IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    change_id: Mapped[int] = mapped_column(ForeignKey("policy_change.id"))
    key: Mapped[str]
    township_code: Mapped[str | None]
    scope: Mapped[str] = mapped_column(Computed("coalesce(township_code, 'district')", persisted=True))
    value: Mapped[Any] = mapped_column(JSONB)
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]
