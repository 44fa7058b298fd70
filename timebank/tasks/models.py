"""Tables of tasks: service types, tasks, and each volunteer's part in them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column, relationship

from timebank.core.crypto import SealedText
from timebank.core.db import Base
from timebank.tasks.rules import AssignmentStatus, TaskStatus

_TASK = ", ".join(f"'{s}'" for s in TaskStatus)
_PART = ", ".join(f"'{s}'" for s in AssignmentStatus)


class ServiceType(Base):
    """服务类型; what an hour of it counts for is policy."""

    __tablename__ = "service_type"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Task(Base):
    """服务任务: help for one elder, or a shift at a canteen (``elder_id`` NULL), in one township, which pays for it."""

    __tablename__ = "task"
    __table_args__ = (
        CheckConstraint(f"status IN ({_TASK})", name="status_known"),
        CheckConstraint("minutes > 0", name="minutes_positive"),
        CheckConstraint("places > 0", name="places_positive"),
        CheckConstraint("back_filled = (evidence IS NOT NULL)", name="back_fill_has_evidence"),
        CheckConstraint("back_filled OR service_code ~ '^[0-9]{6}$'", name="service_code_form"),
        CheckConstraint(
            "(latitude IS NULL) = (longitude IS NULL)"
            " AND latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180",
            name="place_whole",
        ),
        Index("ix_task_township_status", "township_code", "status", "id"),
        Index("ix_task_open", "id", postgresql_where="status = 'open'"),
        Index("ix_task_open_soonest", "starts_at", "id", postgresql_where="status = 'open'"),
        Index("ix_task_elder", "elder_id", "id", postgresql_where="elder_id IS NOT NULL"),
        Index(
            "ix_task_lapsing", "ends_at", postgresql_where="status IN ('open', 'accepted', 'checked_in', 'disputed')"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    service_type: Mapped[str] = mapped_column(ForeignKey("service_type.code"))
    elder_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    minutes: Mapped[int]
    places: Mapped[int]
    note: Mapped[str]
    status: Mapped[str]
    service_code: Mapped[str | None]
    back_filled: Mapped[bool] = mapped_column(server_default=text("false"))
    evidence: Mapped[str | None]
    requested_by: Mapped[UUID | None]
    requested_by_name: Mapped[str]
    requested_at: Mapped[datetime]
    ended_reason: Mapped[str | None]
    address: Mapped[str | None] = mapped_column(SealedText)
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]

    parts: Mapped[list[Assignment]] = relationship(order_by="Assignment.id", lazy="raise")


class Assignment(Base):
    """One volunteer's part in a task.

    Two exclusion constraints keep a volunteer from promising, and from serving, in two places at once.
    ``surplus_minutes`` are those of ``payable_minutes`` that a cap sent to the pool; they stay the volunteer's honour.
    """

    __tablename__ = "task_assignment"
    __table_args__ = (
        CheckConstraint(f"status IN ({_PART})", name="status_known"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating_range"),
        CheckConstraint(
            "(status IN ('confirmed', 'reversed')) = (payable_minutes IS NOT NULL)", name="payable_once_confirmed"
        ),
        CheckConstraint("payable_minutes >= 0", name="payable_not_negative"),
        CheckConstraint(
            "surplus_minutes >= 0 AND surplus_minutes <= coalesce(payable_minutes, 0)", name="surplus_range"
        ),
        CheckConstraint("NOT isempty(served_during)", name="served_not_empty"),
        ExcludeConstraint(
            ("volunteer_id", "="),
            ("planned_during", "&&"),
            name="ex_task_assignment_one_promise",
            where=text("status IN ('accepted', 'checked_in')"),
        ),
        ExcludeConstraint(
            ("volunteer_id", "="),
            ("served_during", "&&"),
            name="ex_task_assignment_one_place",
            where=text("served_during IS NOT NULL AND status NOT IN ('rejected', 'reversed')"),
        ),
        Index(
            "uq_task_assignment_task_volunteer",
            *("task_id", "volunteer_id"),
            unique=True,
            postgresql_where="status NOT IN ('withdrawn', 'cancelled', 'no_show')",
        ),
        Index("ix_task_assignment_volunteer", "volunteer_id", "task_id"),
        Index(
            "ix_task_assignment_earned",
            "volunteer_id",
            postgresql_include=["id", "payable_minutes", "surplus_minutes"],
            postgresql_where="status = 'confirmed'",
        ),
        Index("ix_task_assignment_confirmed_at", "confirmed_at", postgresql_where="status = 'confirmed'"),
        Index("ix_task_assignment_awaiting", "checked_out_at", postgresql_where="status = 'checked_out'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("task.id"))
    volunteer_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    status: Mapped[str]
    planned_during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    served_during: Mapped[Range[datetime] | None] = mapped_column(TSTZRANGE)
    accepted_at: Mapped[datetime]
    checked_in_at: Mapped[datetime | None]
    checked_out_at: Mapped[datetime | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    payable_minutes: Mapped[int | None]
    surplus_minutes: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None]
    confirmed_by_name: Mapped[str | None]
    rating: Mapped[int | None]
    comment: Mapped[str | None]
    service_code_misses: Mapped[int] = mapped_column(server_default=text("0"))
    disputed_by: Mapped[UUID | None]
    disputed_by_name: Mapped[str | None]
    dispute_reason: Mapped[str | None]
    ruling: Mapped[str | None]
    ended_reason: Mapped[str | None]


class Star(Base):
    """星级: one star that a volunteer has reached, and was told of once."""

    __tablename__ = "volunteer_star"
    __table_args__ = (CheckConstraint("star > 0", name="star_positive"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    star: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    reached_at: Mapped[datetime]
