"""Tables of home care. What they promise beyond columns stands in triggers (``migrations/sql/care.sql``)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.crypto import SealedText
from timebank.core.db import Base
from timebank.redemption.care.rules import OPEN, PLANNED, STEP_NAMES, CareStatus


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


CHARGE_KINDS = ("visit", "late_cancel", "not_home", "correction")


class CareService(Base):
    """上门服务项目; what an hour of it costs is policy."""

    __tablename__ = "care_service"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    active: Mapped[bool]


class CareProvider(Base):
    """居家养老服务机构: what an organisation of kind ``provider`` offers, where, and how much of it a day.

    ``grade`` counts the A's, 1 to 5; None is not graded yet.
    """

    __tablename__ = "care_provider"
    __table_args__ = (
        CheckConstraint("grade BETWEEN 1 AND 5", name="grade_range"),
        CheckConstraint("daily_capacity_minutes > 0", name="capacity_positive"),
        CheckConstraint("cardinality(services) > 0 AND cardinality(townships) > 0", name="serves_something"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="place_whole"),
        CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="place_on_earth"),
    )

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    grade: Mapped[int | None] = mapped_column(SmallInteger)
    services: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    townships: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    daily_capacity_minutes: Mapped[int]
    active: Mapped[bool]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    entered_at: Mapped[datetime]
    entered_by: Mapped[UUID | None]


class CareCapacity(Base):
    """One provider's day: the minutes it has and those that are taken, counted by the trigger of bookings only."""

    __tablename__ = "care_capacity"
    __table_args__ = (CheckConstraint("used_minutes BETWEEN 0 AND capacity_minutes", name="never_exceeded"),)

    provider_id: Mapped[UUID] = mapped_column(ForeignKey("care_provider.organisation_id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    capacity_minutes: Mapped[int]
    used_minutes: Mapped[int] = mapped_column(server_default=text("0"))


class CareBooking(Base):
    """居家养老预约: one visit to one elder, with the minutes set aside for it.

    ``held_minutes`` is what was set aside; ``captured_minutes`` what was taken of it in the end, ``excess_minutes``
    what the elder agreed to pay beyond it. ``deadline_at`` is when time alone moves the booking on, ``hold_until`` when
    the hold ends at the latest.
    """

    __tablename__ = "care_booking"
    __table_args__ = (
        CheckConstraint(f"status IN ({_words(CareStatus)})", name="status_known"),
        CheckConstraint("minutes > 0 AND held_minutes > 0 AND rate_percent > 0", name="amounts_positive"),
        CheckConstraint("ends_at = starts_at + minutes * interval '1 minute'", name="ends_after_minutes"),
        CheckConstraint("during = tstzrange(starts_at, ends_at)", name="during_fits"),
        CheckConstraint("day = (starts_at AT TIME ZONE 'Asia/Shanghai')::date", name="day_fits"),
        CheckConstraint("service_code ~ '^[0-9]{6}$'", name="service_code_form"),
        CheckConstraint("captured_minutes BETWEEN 0 AND held_minutes", name="captured_up_to_held"),
        CheckConstraint(
            "excess_minutes >= 0 AND (excess_minutes = 0 OR status = 'confirmed' AND captured_minutes = held_minutes)",
            name="excess_beyond_held",
        ),
        CheckConstraint(
            f"(status IN ({_words(OPEN)})) = (ended_at IS NULL) AND (ended_at IS NULL) = (captured_minutes IS NULL)",
            name="ended_whole",
        ),
        CheckConstraint("status NOT IN ('lapsed', 'no_show') OR captured_minutes = 0", name="nothing_for_nothing"),
        CheckConstraint(
            "provider_id IS NULL AND status IN ('booked', 'cancelled', 'lapsed')"
            " OR provider_id IS NOT NULL AND status <> 'booked'",
            name="provider_fits",
        ),
        CheckConstraint("(provider_id IS NULL) = (assigned_because IS NULL)", name="assigned_whole"),
        CheckConstraint("checked_out_at > checked_in_at", name="visit_forward"),
        CheckConstraint("(checked_out_at IS NULL) = (served_minutes IS NULL)", name="served_whole"),
        CheckConstraint("decided_minutes >= 0", name="decided_not_negative"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating_range"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="place_whole"),
        ExcludeConstraint(
            ("elder_id", "="),
            ("during", "&&"),
            name="ex_care_booking_one_visit",
            where=text(f"status IN ({_words(PLANNED)})"),
        ),
        Index("ix_care_booking_elder", "elder_id", "id"),
        Index("ix_care_booking_township", "township_code", "id"),
        Index("ix_care_booking_provider", "provider_id", "id", postgresql_where="provider_id IS NOT NULL"),
        Index("ix_care_booking_chosen", "chosen_provider_id", "id", postgresql_where="chosen_provider_id IS NOT NULL"),
        Index("ix_care_booking_assigning", "next_assign_at", postgresql_where="status = 'booked'"),
        Index("ix_care_booking_deadline", "deadline_at", postgresql_where="ended_at IS NULL"),
        Index("ix_care_booking_confirmed", "ended_at", postgresql_where="status = 'confirmed'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    elder_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    service: Mapped[str] = mapped_column(ForeignKey("care_service.code"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    day: Mapped[date]
    minutes: Mapped[int]
    rate_percent: Mapped[int]
    held_minutes: Mapped[int]
    policy_version: Mapped[int]
    service_code: Mapped[str]
    chosen_provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("care_provider.organisation_id"))
    only_township_code: Mapped[str | None] = mapped_column(ForeignKey("township.code"))
    address: Mapped[str | None] = mapped_column(SealedText)
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    note: Mapped[str]
    evidence: Mapped[str | None]
    hold_until: Mapped[datetime]
    booked_at: Mapped[datetime]
    booked_by: Mapped[UUID]
    booked_by_name: Mapped[str]

    status: Mapped[str]
    deadline_at: Mapped[datetime]
    next_assign_at: Mapped[datetime]
    told_unassigned_at: Mapped[datetime | None]
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("care_provider.organisation_id"))
    assigned_because: Mapped[str | None]
    service_code_misses: Mapped[int] = mapped_column(server_default=text("0"))
    checked_in_at: Mapped[datetime | None]
    checked_out_at: Mapped[datetime | None]
    served_minutes: Mapped[int | None]
    disputed_by: Mapped[UUID | None]
    decided_minutes: Mapped[int | None]
    captured_minutes: Mapped[int | None]
    excess_minutes: Mapped[int] = mapped_column(server_default=text("0"))
    rating: Mapped[int | None]
    comment: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class CareEvent(Base):
    """One act on a booking, for ever: who (both names where a proxy acted), when, why, with what evidence."""

    __tablename__ = "care_event"
    __table_args__ = (
        CheckConstraint(f"step IN ({_words(STEP_NAMES)})", name="step_known"),
        Index("ix_care_event_booking", "booking_id", "id"),
        Index("uq_care_event_dispute", "booking_id", unique=True, postgresql_where="step = 'dispute'"),
        Index("ix_care_event_provider", "provider_id", "step", postgresql_where="provider_id IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("care_booking.id"))
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("care_provider.organisation_id"))
    step: Mapped[str]
    at: Mapped[datetime]
    by_login_id: Mapped[UUID | None]
    by_name: Mapped[str]
    reason: Mapped[str]
    evidence: Mapped[str | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]


class CareBill(Base):
    """月度账单: what one provider earned in one finished month; once issued it never changes."""

    __tablename__ = "care_bill"
    __table_args__ = (
        CheckConstraint("month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name="month_form"),
        CheckConstraint("lines > 0", name="lines_positive"),
        UniqueConstraint("provider_id", "month"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("care_provider.organisation_id"))
    month: Mapped[str]
    lines: Mapped[int]
    minutes: Mapped[int]
    fen: Mapped[int]
    issued_at: Mapped[datetime]
    issued_by: Mapped[UUID | None]
    issued_by_name: Mapped[str]


class CareCharge(Base):
    """One line of a bill: the minutes captured for a visit and what they are worth; below zero for a reversal.

    Written in the unit of work that captured the minutes; ``bill_id`` is set once, by the bill that takes it up.
    """

    __tablename__ = "care_charge"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_words(CHARGE_KINDS)})", name="kind_known"),
        CheckConstraint("minutes <> 0 AND (kind = 'correction') = (minutes < 0)", name="sign_fits"),
        CheckConstraint("(kind = 'correction') = (reversal_id IS NOT NULL)", name="correction_whole"),
        CheckConstraint("CASE WHEN minutes < 0 THEN fen <= 0 ELSE fen >= 0 END", name="fen_fits"),
        CheckConstraint("grade BETWEEN 1 AND 5", name="grade_range"),
        CheckConstraint("fen_per_hour > 0", name="price_positive"),
        Index("ix_care_charge_booking", "booking_id"),
        Index("uq_care_charge_once", "booking_id", unique=True, postgresql_where="kind <> 'correction'"),
        Index("uq_care_charge_reversal", "reversal_id", unique=True, postgresql_where="reversal_id IS NOT NULL"),
        Index("ix_care_charge_unbilled", "provider_id", "charged_at", postgresql_where="bill_id IS NULL"),
        Index("ix_care_charge_bill", "bill_id", "id", postgresql_where="bill_id IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("care_booking.id"))
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("care_provider.organisation_id"))
    kind: Mapped[str]
    minutes: Mapped[int]
    fen: Mapped[int]
    fen_per_hour: Mapped[int]
    grade: Mapped[int | None] = mapped_column(SmallInteger)
    reversal_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transfer.id"))
    charged_at: Mapped[datetime]
    bill_id: Mapped[UUID | None] = mapped_column(ForeignKey("care_bill.id"))
