"""Tables of claims, donations and produce. What they promise beyond columns: ``migrations/sql/subsidies.sql``."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from timebank.canteens.pricing.rules import Meal, Share
from timebank.canteens.subsidies.rules import ClaimState, Decision, FindingKind
from timebank.core.db import Base

_STATES = ", ".join(f"'{s}'" for s in ClaimState)
_KINDS = ", ".join(f"'{k}'" for k in FindingKind)
_DECISIONS = ", ".join(f"'{d}'" for d in Decision)
_SHARES = ", ".join(f"'{s}'" for s in Share)
_MEALS = ", ".join(f"'{m}'" for m in Meal)
_ADDS_UP = "list_fen = elder_fen + government_fen + donation_fen + garden_fen + volunteers_fen"


class MealDonation(Base):
    """助餐捐款: money given to the meals of one canteen, or (``canteen_id`` NULL) to the district's. Never changed."""

    __tablename__ = "meal_donation"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("donor_name <> ''", name="donor_named"),
        CheckConstraint("reference <> ''", name="referenced"),
        Index("ix_meal_donation_canteen", "canteen_id", "id"),
        Index("ix_meal_donation_reference", "reference"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    donor_name: Mapped[str | None]
    amount_fen: Mapped[int]
    canteen_id: Mapped[UUID | None] = mapped_column(ForeignKey("canteen.id"))
    received_on: Mapped[date]
    reference: Mapped[str]
    note: Mapped[str]
    received_at: Mapped[datetime]
    received_by: Mapped[UUID]
    received_by_name: Mapped[str]
    transfer_id: Mapped[UUID] = mapped_column(unique=True)


class DonationAllotment(Base):
    """捐款分配: money of the district's pot, passed on to one canteen. Never changed."""

    __tablename__ = "donation_allotment"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        Index("ix_donation_allotment_canteen", "canteen_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"))
    amount_fen: Mapped[int]
    note: Mapped[str]
    allotted_at: Mapped[datetime]
    allotted_by: Mapped[UUID]
    allotted_by_name: Mapped[str]
    transfer_id: Mapped[UUID] = mapped_column(unique=True)


class ProduceGift(Base):
    """菜园食材: vegetables from a garden, weighed and valued, for one canteen's meals. Never changed."""

    __tablename__ = "produce_gift"
    __table_args__ = (
        CheckConstraint("item <> ''", name="named"),
        CheckConstraint("weight_g > 0 AND value_fen > 0", name="positive"),
        Index("ix_produce_gift_canteen", "canteen_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"))
    item: Mapped[str]
    weight_g: Mapped[int]
    value_fen: Mapped[int]
    proposed_fen: Mapped[int]
    from_name: Mapped[str | None]
    received_on: Mapped[date]
    received_at: Mapped[datetime]
    received_by: Mapped[UUID]
    received_by_name: Mapped[str]
    policy_version: Mapped[int]
    transfer_id: Mapped[UUID] = mapped_column(unique=True)


class SubsidyClaim(Base):
    """补贴结算: what one canteen has earned by the meals of one month (and what came late), in fen.

    ``ledger_fen`` is what the ledger says, ``list_fen`` what the lines of the orders say; only where they agree does
    a claim go beyond its check. ``disallowed_fen`` is fixed when the township approves; the settlement when it is paid.
    """

    __tablename__ = "subsidy_claim"
    __table_args__ = (
        CheckConstraint("month ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'", name="month_form"),
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint(_ADDS_UP, name="shares_add_up"),
        CheckConstraint("state IN ('computed', 'returned') OR ledger_fen = list_fen", name="fits_ledger"),
        CheckConstraint(
            "num_nulls(township_approved_at, township_approved_by, township_approved_by_name, disallowed_fen)"
            " IN (0, 4)",
            name="township_whole",
        ),
        CheckConstraint("num_nulls(approved_at, approved_by, approved_by_name) IN (0, 3)", name="approved_whole"),
        CheckConstraint(
            "num_nulls(paid_at, paid_by, paid_by_name, paid_reference, netted_fen, paid_fen) IN (0, 6)",
            name="paid_whole",
        ),
        CheckConstraint(
            "num_nulls(returned_at, returned_by, returned_by_name, return_reason) IN (0, 4)", name="returned_whole"
        ),
        CheckConstraint(
            "(state = 'returned') = (returned_at IS NOT NULL) AND (state = 'paid') = (paid_at IS NOT NULL)",
            name="ended_fits",
        ),
        CheckConstraint(
            "state NOT IN ('township_approved', 'approved', 'paid') OR township_approved_at IS NOT NULL",
            name="township_fits",
        ),
        CheckConstraint("state NOT IN ('approved', 'paid') OR approved_at IS NOT NULL", name="approved_fits"),
        CheckConstraint(
            "coalesce(approved_by <> township_approved_by, true)"
            " AND coalesce(computed_by <> township_approved_by, true) AND coalesce(computed_by <> approved_by, true)",
            name="other_persons",
        ),
        CheckConstraint(
            "paid_fen >= 0 AND paid_fen = list_fen + operating_fen - disallowed_fen - garden_fen"
            " - volunteers_in_kind_fen - netted_fen",
            name="paid_adds_up",
        ),
        Index("uq_subsidy_claim_month", "canteen_id", "month", unique=True, postgresql_where="state <> 'returned'"),
        Index("ix_subsidy_claim_canteen", "canteen_id", "month"),
        Index("ix_subsidy_claim_month", "month", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"))
    month: Mapped[str]
    state: Mapped[str]
    meals: Mapped[int]
    list_fen: Mapped[int]
    elder_fen: Mapped[int]
    government_fen: Mapped[int]
    donation_fen: Mapped[int]
    garden_fen: Mapped[int]
    volunteers_fen: Mapped[int]
    volunteers_in_kind_fen: Mapped[int]
    operating_fen: Mapped[int]
    ledger_fen: Mapped[int]
    policy_version: Mapped[int]
    computed_at: Mapped[datetime]
    computed_by: Mapped[UUID | None]
    computed_by_name: Mapped[str]
    disallowed_fen: Mapped[int | None]
    township_approved_at: Mapped[datetime | None]
    township_approved_by: Mapped[UUID | None]
    township_approved_by_name: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None]
    approved_by_name: Mapped[str | None]
    netted_fen: Mapped[int | None]
    paid_fen: Mapped[int | None]
    paid_reference: Mapped[str | None]
    paid_at: Mapped[datetime | None]
    paid_by: Mapped[UUID | None]
    paid_by_name: Mapped[str | None]
    returned_at: Mapped[datetime | None]
    returned_by: Mapped[UUID | None]
    returned_by_name: Mapped[str | None]
    return_reason: Mapped[str | None]


class SubsidyClaimMeal(Base):
    """One order in a claim, as the ledger has it; negative where a meal of an earlier claim was undone since."""

    __tablename__ = "subsidy_claim_meal"
    __table_args__ = (
        CheckConstraint(_ADDS_UP, name="shares_add_up"),
        CheckConstraint(
            "(elder_fen, government_fen, donation_fen, garden_fen, volunteers_fen) <> (0, 0, 0, 0, 0)",
            name="something",
        ),
        CheckConstraint("meals BETWEEN -1 AND 1", name="one_meal"),
        CheckConstraint(f"meal IN ({_MEALS})", name="meal_known"),
        Index("ix_subsidy_claim_meal_order", "order_id"),
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("subsidy_claim.id"), primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("meal_order.id"), primary_key=True)
    served_on: Mapped[date]
    meal: Mapped[str]
    meals: Mapped[int] = mapped_column(SmallInteger)
    list_fen: Mapped[int]
    elder_fen: Mapped[int]
    government_fen: Mapped[int]
    donation_fen: Mapped[int]
    garden_fen: Mapped[int]
    volunteers_fen: Mapped[int]


class SubsidyClaimLine(Base):
    """按规则: what one rule makes in a claim. Never changed."""

    __tablename__ = "subsidy_claim_line"
    __table_args__ = (
        CheckConstraint(f"share IN ({_SHARES})", name="share_known"),
        CheckConstraint("rule_key <> '' AND label <> ''", name="named"),
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("subsidy_claim.id"), primary_key=True)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    share: Mapped[str]
    rule_key: Mapped[str]
    label: Mapped[str]
    meals: Mapped[int]
    fen: Mapped[int]
    in_kind: Mapped[bool] = mapped_column(server_default=text("false"))


class SubsidyFinding(Base):
    """疑点: what a check has found about one meal, and how it was answered; ``fen`` are the government's at stake."""

    __tablename__ = "subsidy_finding"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_KINDS})", name="kind_known"),
        CheckConstraint("fen >= 0", name="not_negative"),
        CheckConstraint("reason <> ''", name="reasoned"),
        CheckConstraint("order_id IS NOT NULL OR kind = 'ledger_mismatch'", name="order_named"),
        CheckConstraint(f"decision IN ({_DECISIONS})", name="decision_known"),
        CheckConstraint(
            "num_nulls(decision, decision_reason, decided_at, decided_by, decided_by_name) IN (0, 5)",
            name="decided_whole",
        ),
        CheckConstraint("decision_reason <> ''", name="decision_reasoned"),
        CheckConstraint("kind <> 'ledger_mismatch' OR decision IS NULL", name="mismatch_is_not_for_hands"),
        Index("ix_subsidy_finding_order", "order_id", postgresql_where="order_id IS NOT NULL"),
        Index("ix_subsidy_finding_person", "person_id", postgresql_where="person_id IS NOT NULL"),
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("subsidy_claim.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("meal_order.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    fen: Mapped[int]
    reason: Mapped[str]
    decision: Mapped[str | None]
    decision_reason: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str | None]
