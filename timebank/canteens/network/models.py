"""Tables of canteens. What they promise beyond columns stands in triggers (``migrations/sql/network.sql``)."""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from timebank.canteens.network.rules import CanteenState, CanteenType, Carrier, Grade
from timebank.canteens.pricing.rules import Meal
from timebank.core.db import Base

_TYPES = ", ".join(f"'{t}'" for t in CanteenType)
_STATES = ", ".join(f"'{s}'" for s in CanteenState)
_CARRIERS = ", ".join(f"'{c}'" for c in Carrier)
_GRADES = ", ".join(f"'{g}'" for g in Grade)
_MEALS = ", ".join(f"'{m}'" for m in Meal)


class Canteen(Base):
    """助餐点: a canteen in its life. It cooks itself (``kitchen_id`` NULL) or is served by another one's kitchen.

    ``applied_by`` is NULL for canteens that were there before anybody could apply.
    """

    __tablename__ = "canteen"
    __table_args__ = (
        CheckConstraint(f"canteen_type IN ({_TYPES})", name="type_known"),
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint(f"carrier IN ({_CARRIERS})", name="carrier_known"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="coordinates_whole"),
        CheckConstraint("kitchen_id <> id", name="not_its_own_kitchen"),
        CheckConstraint("number ~ '^[0-9]{9}-[0-9]{3,}$'", name="number_form"),
        CheckConstraint("(number IS NULL) = (accepted_at IS NULL)", name="numbered_on_acceptance"),
        CheckConstraint(
            "CASE WHEN state IN ('applied', 'refused') THEN number IS NULL"
            " WHEN state IN ('accepted', 'open', 'suspended') THEN number IS NOT NULL ELSE true END",
            name="number_fits_state",
        ),
        CheckConstraint("state NOT IN ('refused', 'suspended', 'closed') OR state_reason <> ''", name="reasoned"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_whole"),
        CheckConstraint("state <> 'open' OR opened_at IS NOT NULL", name="opened_once"),
        CheckConstraint("state <> 'suspended' OR suspended_at IS NOT NULL", name="suspended_once"),
        Index("ix_canteen_kitchen", "kitchen_id", postgresql_where="kitchen_id IS NOT NULL"),
        Index("ix_canteen_state", "state", "id"),
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    canteen_type: Mapped[str]
    state: Mapped[str]
    number: Mapped[str | None] = mapped_column(unique=True)
    kitchen_id: Mapped[UUID | None] = mapped_column(ForeignKey("canteen.id"))
    address: Mapped[str]
    phone: Mapped[str]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    carrier: Mapped[str]
    applied_at: Mapped[datetime]
    applied_by: Mapped[UUID | None]
    applied_by_name: Mapped[str]
    accepted_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    state_reason: Mapped[str]


class CanteenHours(Base):
    """供餐时间: on which weekday (1 Monday) which meal is served, from when to when, and for how many."""

    __tablename__ = "canteen_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday_range"),
        CheckConstraint(f"meal IN ({_MEALS})", name="meal_known"),
        CheckConstraint("opens_at < closes_at", name="times_ordered"),
        CheckConstraint("capacity_meals > 0", name="capacity_positive"),
    )

    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"), primary_key=True)
    weekday: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    meal: Mapped[str] = mapped_column(primary_key=True)
    opens_at: Mapped[time]
    closes_at: Mapped[time]
    capacity_meals: Mapped[int]


class CanteenClosedDay(Base):
    """停餐: a day, or one meal of it (``meal`` '' is the whole day), on which a canteen serves nothing."""

    __tablename__ = "canteen_closed_day"
    __table_args__ = (
        CheckConstraint(f"meal IN ('', {_MEALS})", name="meal_known"),
        CheckConstraint("reason <> ''", name="reasoned"),
    )

    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"), primary_key=True)
    closed_on: Mapped[date] = mapped_column(primary_key=True)
    meal: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    entered_at: Mapped[datetime]
    entered_by: Mapped[UUID]


class CanteenAcceptance(Base):
    """验收: one inspection on site before a canteen gets its number, passed or not, point by point. Never changed."""

    __tablename__ = "canteen_acceptance"
    __table_args__ = (
        CheckConstraint("inspector_name <> ''", name="inspector_named"),
        Index("ix_canteen_acceptance_canteen", "canteen_id", "inspected_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"))
    passed: Mapped[bool]
    checked: Mapped[dict[str, bool]] = mapped_column(JSONB)
    remarks: Mapped[str]
    inspected_on: Mapped[date]
    inspector_name: Mapped[str]
    inspected_by: Mapped[UUID]
    inspected_at: Mapped[datetime]


class CanteenGrade(Base):
    """年度等级: the grade of one year, proposed by one and approved by a second; its subsidy in fen."""

    __tablename__ = "canteen_grade"
    __table_args__ = (
        CheckConstraint(f"grade IN ({_GRADES})", name="grade_known"),
        CheckConstraint("subsidy_fen >= 0", name="subsidy_not_negative"),
        CheckConstraint("approved_by <> proposed_by", name="second_person"),
        CheckConstraint("num_nulls(approved_by, approved_by_name, approved_at) IN (0, 3)", name="approved_whole"),
        CheckConstraint(
            "(transfer_id IS NOT NULL) = (approved_at IS NOT NULL AND subsidy_fen > 0)", name="credited_on_approval"
        ),
        Index("uq_canteen_grade_transfer", "transfer_id", unique=True, postgresql_where="transfer_id IS NOT NULL"),
    )

    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"), primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    grade: Mapped[str]
    subsidy_fen: Mapped[int]
    policy_version: Mapped[int]
    remarks: Mapped[str]
    proposed_by: Mapped[UUID]
    proposed_by_name: Mapped[str]
    proposed_at: Mapped[datetime]
    approved_by: Mapped[UUID | None]
    approved_by_name: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    transfer_id: Mapped[UUID | None]
