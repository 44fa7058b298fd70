"""Tables of rehabilitation aids. What they promise beyond columns stands in triggers (``migrations/sql/aids.sql``)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.db import Base
from timebank.redemption.aids.rules import ACTIVE, EVENT_NAMES, USABLE, Condition, LoanStatus, PaidFrom

_CONDITIONS = ", ".join(f"'{c}'" for c in Condition)
_USABLE = ", ".join(f"'{c}'" for c in USABLE)
_STATUSES = ", ".join(f"'{s}'" for s in LoanStatus)
_ACTIVE = ", ".join(f"'{s}'" for s in ACTIVE)
_EVENTS = ", ".join(f"'{what}'" for what in EVENT_NAMES)
_PAID_FROM = ", ".join(f"'{p}'" for p in PaidFrom)


class AidKind(Base):
    """辅具种类: wheelchair, walker …; what a day costs is policy."""

    __tablename__ = "aid_kind"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class AidItem(Base):
    """辅具: one thing with a serial number. It belongs to one township and may stand in another, where it came back."""

    __tablename__ = "aid_item"
    __table_args__ = (
        CheckConstraint(f"condition IN ({_CONDITIONS})", name="condition_known"),
        CheckConstraint("serial <> '' AND name <> ''", name="named"),
        Index("ix_aid_item_kind", "kind", "at_township_code", "id"),
        Index("ix_aid_item_home", "home_township_code", "id"),
        Index("ix_aid_item_at", "at_township_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(ForeignKey("aid_kind.code"))
    name: Mapped[str]
    home_township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    at_township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    condition: Mapped[str]
    acquired_on: Mapped[date]
    note: Mapped[str]
    entered_at: Mapped[datetime]


class AidItemEvent(Base):
    """One change of one item: who, when, what, and how the item stood afterwards. Never changed."""

    __tablename__ = "aid_item_event"
    __table_args__ = (
        CheckConstraint(f"condition IN ({_CONDITIONS})", name="condition_known"),
        CheckConstraint(f"what IN ({_EVENTS})", name="what_known"),
        Index("ix_aid_item_event_item", "item_id", "id"),
        Index("ix_aid_item_event_loan", "loan_id", postgresql_where="loan_id IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("aid_item.id"))
    at: Mapped[datetime]
    what: Mapped[str]
    condition: Mapped[str]
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    loan_id: Mapped[UUID | None] = mapped_column(ForeignKey("aid_loan.id"))
    reason: Mapped[str]
    by_login: Mapped[UUID | None]
    by_name: Mapped[str]


class AidLoan(Base):
    """辅具借用: one item, one borrower, ``days`` days of use paid for, from the day on which it is handed over.

    ``price_minutes`` is what a day cost when it was reserved; days added later keep their own price. The partial
    unique index lets an item be in one loan at a time that has not ended.
    """

    __tablename__ = "aid_loan"
    __table_args__ = (
        CheckConstraint(f"status IN ({_STATUSES})", name="status_known"),
        CheckConstraint("days > 0", name="days_positive"),
        CheckConstraint("price_minutes > 0", name="price_positive"),
        CheckConstraint("code ~ '^[0-9]{6}$'", name="code_form"),
        CheckConstraint(f"(status IN ({_ACTIVE})) = (ended_at IS NULL)", name="ended_whole"),
        CheckConstraint("(ended_at IS NULL) = (ended_by_name IS NULL)", name="ended_by_somebody"),
        CheckConstraint("(status IN ('lent', 'returned', 'lost')) = (lent_at IS NOT NULL)", name="lent_fits"),
        CheckConstraint("num_nulls(lent_at, lent_on, lent_by_name, lent_condition) IN (0, 4)", name="lent_whole"),
        CheckConstraint(f"lent_condition IN ({_USABLE})", name="lent_condition_usable"),
        CheckConstraint(
            "(status = 'returned') = (returned_condition IS NOT NULL)"
            " AND (returned_condition IS NULL) = (returned_township_code IS NULL)",
            name="returned_whole",
        ),
        CheckConstraint(f"returned_condition IN ({_CONDITIONS})", name="returned_condition_known"),
        CheckConstraint("status <> 'lost' OR coalesce(ended_reason, '') <> ''", name="loss_has_reason"),
        Index("uq_aid_loan_item_active", "item_id", unique=True, postgresql_where=f"status IN ({_ACTIVE})"),
        Index("ix_aid_loan_item", "item_id", "id"),
        Index("ix_aid_loan_holder", "holder_id", "id"),
        Index("ix_aid_loan_lapsing", "reserved_until", postgresql_where="status = 'reserved'"),
        Index("ix_aid_loan_lent", "due_on", postgresql_where="status = 'lent'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("aid_item.id"))
    holder_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    status: Mapped[str]
    days: Mapped[int]
    price_minutes: Mapped[int]
    policy_version: Mapped[int]
    code: Mapped[str]
    reserved_at: Mapped[datetime]
    reserved_by: Mapped[UUID | None]
    reserved_by_name: Mapped[str]
    reserved_until: Mapped[datetime]
    proxy_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    evidence: Mapped[str | None]
    lent_at: Mapped[datetime | None]
    lent_on: Mapped[date | None]
    lent_by: Mapped[UUID | None]
    lent_by_name: Mapped[str | None]
    lent_condition: Mapped[str | None]
    lent_evidence: Mapped[str | None]
    due_on: Mapped[date | None] = mapped_column(Computed("lent_on + (days - 1)::integer", persisted=True))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    ended_by_name: Mapped[str | None]
    ended_reason: Mapped[str | None]
    returned_condition: Mapped[str | None]
    returned_township_code: Mapped[str | None] = mapped_column(ForeignKey("township.code"))


class AidLoanDay(Base):
    """One day of a loan paid for beforehand, at the price of then: its minutes are held under this row's id.

    ``evidence`` is what a steward wrote down, who reserved or extended for the borrower; days promised together have
    the same ``added_at``.
    """

    __tablename__ = "aid_loan_day"
    __table_args__ = (
        UniqueConstraint("loan_id", "number"),
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint("minutes > 0", name="minutes_positive"),
        CheckConstraint("evidence <> ''", name="evidence_said"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    loan_id: Mapped[UUID] = mapped_column(ForeignKey("aid_loan.id"))
    number: Mapped[int]
    minutes: Mapped[int]
    policy_version: Mapped[int]
    added_at: Mapped[datetime]
    added_by_name: Mapped[str]
    evidence: Mapped[str | None]


class AidCharge(Base):
    """What one day of use came to, once: paid from what was held, from what was available, or owed with the reason.

    The transfers name this row's id as their cause. A day that was paid for beforehand has the id of its
    ``AidLoanDay``, so that hold, charge and transfer are found under one id.
    """

    __tablename__ = "aid_charge"
    __table_args__ = (
        UniqueConstraint("loan_id", "number"),
        UniqueConstraint("loan_id", "day"),
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint("minutes > 0", name="minutes_positive"),
        CheckConstraint(f"paid_from IN ({_PAID_FROM})", name="paid_from_known"),
        CheckConstraint("(paid_from = 'owed') = (owed_reason IS NOT NULL)", name="owed_has_reason"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    loan_id: Mapped[UUID] = mapped_column(ForeignKey("aid_loan.id"))
    number: Mapped[int]
    day: Mapped[date]
    minutes: Mapped[int]
    paid_from: Mapped[str]
    owed_reason: Mapped[str | None]
    policy_version: Mapped[int]
    charged_at: Mapped[datetime]


class AidReminder(Base):
    """One reminder about one due date: ``offset_days`` from it, told once."""

    __tablename__ = "aid_reminder"

    loan_id: Mapped[UUID] = mapped_column(ForeignKey("aid_loan.id"), primary_key=True)
    due_on: Mapped[date] = mapped_column(primary_key=True)
    offset_days: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    told_at: Mapped[datetime]
