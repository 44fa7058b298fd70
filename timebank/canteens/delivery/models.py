"""Tables of kitchens and rounds. What they promise beyond columns stands in triggers (``sql/delivery.sql``)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from timebank.canteens.delivery.rules import RoundCarrier, RoundState, StopOutcome, UndeliveredReason
from timebank.canteens.pricing.rules import Meal
from timebank.core.crypto import SealedText
from timebank.core.db import Base

_MEALS = ", ".join(f"'{m}'" for m in Meal)
_STATES = ", ".join(f"'{s}'" for s in RoundState)
_CARRIERS = ", ".join(f"'{c}'" for c in RoundCarrier)
_OUTCOMES = ", ".join(f"'{o}'" for o in StopOutcome)
_REASONS = ", ".join(f"'{r}'" for r in UndeliveredReason)


class KitchenBatch(Base):
    """出餐: when a kitchen had one meal cooked, for itself and all whom it serves. Said once, never changed."""

    __tablename__ = "kitchen_batch"
    __table_args__ = (CheckConstraint(f"meal IN ({_MEALS})", name="meal_known"),)

    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"), primary_key=True)
    served_on: Mapped[date] = mapped_column(primary_key=True)
    meal: Mapped[str] = mapped_column(primary_key=True)
    cooked_at: Mapped[datetime]
    cooked_by: Mapped[UUID]
    cooked_by_name: Mapped[str]


class DeliveryPlan(Base):
    """配送安排: that the rounds of one meal at one canteen were planned, how often and by whom last.

    Whoever plans holds this row, so that two do not plan the same meal at once.
    """

    __tablename__ = "delivery_plan"
    __table_args__ = (
        CheckConstraint(f"meal IN ({_MEALS})", name="meal_known"),
        CheckConstraint("times >= 0 AND rounds >= 0", name="not_negative"),
    )

    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"), primary_key=True)
    served_on: Mapped[date] = mapped_column(primary_key=True)
    meal: Mapped[str] = mapped_column(primary_key=True)
    times: Mapped[int]
    rounds: Mapped[int]
    planned_at: Mapped[datetime]
    planned_by: Mapped[UUID | None]
    planned_by_name: Mapped[str]


class DeliveryRound(Base):
    """配送趟次: stops that one volunteer or courier carries, from the canteen and back.

    ``task_id`` is the task that a volunteer takes; it stays where the round was given to a courier instead. ``late``
    and ``unlocated`` say that the round is outside the limits, or that nobody knows.
    """

    __tablename__ = "delivery_round"
    __table_args__ = (
        CheckConstraint(f"meal IN ({_MEALS})", name="meal_known"),
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint(f"carrier IN ({_CARRIERS})", name="carrier_known"),
        CheckConstraint("number > 0 AND minutes > 0", name="positive"),
        CheckConstraint("carrier = 'courier' OR task_id IS NOT NULL", name="volunteers_have_a_task"),
        CheckConstraint("carrier = 'courier' OR courier_name IS NULL", name="courier_fits"),
        CheckConstraint(
            "(courier_name IS NULL) = (courier_phone IS NULL) AND courier_name <> ''", name="courier_whole"
        ),
        CheckConstraint(
            "departed_at IS NULL OR carrier = 'volunteers' OR courier_name IS NOT NULL", name="somebody_carries"
        ),
        CheckConstraint("(state IN ('departed', 'finished')) = (departed_at IS NOT NULL)", name="departed_fits"),
        CheckConstraint("(departed_at IS NULL) = (departed_by_name IS NULL)", name="departed_by_somebody"),
        CheckConstraint("(state IN ('finished', 'replaced', 'lapsed')) = (ended_at IS NOT NULL)", name="ended_fits"),
        CheckConstraint("(ended_at IS NULL) = (ended_by_name IS NULL)", name="ended_by_somebody"),
        UniqueConstraint("canteen_id", "served_on", "meal", "number"),
        UniqueConstraint("task_id"),
        Index("ix_delivery_round_untaken", "departs_at", postgresql_where="state = 'planned' AND told_at IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"))
    served_on: Mapped[date]
    meal: Mapped[str]
    number: Mapped[int]
    carrier: Mapped[str]
    state: Mapped[str]
    departs_at: Mapped[datetime]
    minutes: Mapped[int]
    late: Mapped[bool]
    unlocated: Mapped[bool]
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("task.id"))
    courier_name: Mapped[str | None]
    courier_phone: Mapped[str | None] = mapped_column(SealedText)
    policy_version: Mapped[int]
    planned_at: Mapped[datetime]
    planned_by: Mapped[UUID | None]
    planned_by_name: Mapped[str]
    told_at: Mapped[datetime | None]
    departed_at: Mapped[datetime | None]
    departed_by: Mapped[UUID | None]
    departed_by_name: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    ended_by_name: Mapped[str | None]


class DeliveryStop(Base):
    """配送站点: one order on a round. ``planned_minutes`` after leaving; None where the address is not on the map.

    An order is on one round at a time. ``misses`` counts wrong handover codes; ``evidence`` is what a clerk wrote down
    who confirmed the handover without a code.
    """

    __tablename__ = "delivery_stop"
    __table_args__ = (
        CheckConstraint("position > 0 AND misses >= 0", name="positive"),
        CheckConstraint("planned_minutes >= 0 AND minutes_after_cooking >= 0", name="minutes_not_negative"),
        CheckConstraint(f"outcome IN ({_OUTCOMES})", name="outcome_known"),
        CheckConstraint(f"reason IN ({_REASONS})", name="reason_known"),
        CheckConstraint("num_nulls(outcome, closed_at, closed_by_name) IN (0, 3)", name="closed_whole"),
        CheckConstraint("(reason IS NOT NULL) = (coalesce(outcome, '') = 'undelivered')", name="reason_fits"),
        CheckConstraint(
            "outcome IS NOT DISTINCT FROM 'delivered' OR num_nonnulls(minutes_after_cooking, evidence) = 0",
            name="delivered_only",
        ),
        Index(
            "uq_delivery_stop_order",
            "order_id",
            unique=True,
            postgresql_where="outcome IS DISTINCT FROM 'replaced'",
        ),
        Index("ix_delivery_stop_delivered", "closed_at", postgresql_where="outcome = 'delivered'"),
    )

    round_id: Mapped[UUID] = mapped_column(ForeignKey("delivery_round.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("meal_order.id"))
    planned_minutes: Mapped[int | None]
    misses: Mapped[int] = mapped_column(server_default=text("0"))
    outcome: Mapped[str | None]
    reason: Mapped[str | None]
    note: Mapped[str]
    evidence: Mapped[str | None]
    minutes_after_cooking: Mapped[int | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
    closed_by_name: Mapped[str | None]
