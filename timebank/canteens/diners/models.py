"""Tables of diners. What they promise beyond columns stands in triggers (``migrations/sql/diners.sql``)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, TEXT, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from timebank.canteens.diners.rules import DinerState
from timebank.canteens.pricing.rules import DietForm
from timebank.core.db import Base

_FORMS = ", ".join(f"'{f}'" for f in DietForm)
_STATES = ", ".join(f"'{s}'" for s in DinerState)


class Diner(Base):
    """用餐对象: 一人一档. Who shares a household shares ``household_id``.

    ``proposed_categories`` are what an application claims, on ``proposal_evidence``; what holds is ``DinerCategory``.
    """

    __tablename__ = "diner"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint(f"diet_form IN ({_FORMS})", name="diet_form_known"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="coordinates_whole"),
        CheckConstraint("num_nulls(reviewed_at, reviewed_by, reviewed_by_name) IN (0, 3)", name="reviewed_whole"),
        CheckConstraint("state = 'ended' OR (state = 'applied') = (reviewed_at IS NULL)", name="decided_once_reviewed"),
        CheckConstraint("state <> 'refused' OR review_reason <> ''", name="refused_with_reason"),
        CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name="ended_whole"),
        Index("ix_diner_household", "household_id"),
        Index("ix_diner_canteen", "usual_canteen_id", "person_id"),
        Index("ix_diner_waiting", "applied_at", postgresql_where="state = 'applied'"),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    household_id: Mapped[UUID]
    state: Mapped[str]
    usual_canteen_id: Mapped[UUID | None] = mapped_column(ForeignKey("canteen.id"))
    diet_form: Mapped[str]
    allergies: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default=text("'{}'"))
    religious_diet: Mapped[str | None]
    delivery_address: Mapped[str]
    delivery_note: Mapped[str]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    applied_at: Mapped[datetime]
    applied_by: Mapped[UUID]
    applied_by_name: Mapped[str]
    proposed_categories: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default=text("'{}'"))
    proposal_evidence: Mapped[str] = mapped_column(server_default=text("''"))
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[UUID | None]
    reviewed_by_name: Mapped[str | None]
    review_reason: Mapped[str]
    ended_at: Mapped[datetime | None]


class DinerCategory(Base):
    """特殊类别: a category of a diner, valid on the days of ``valid_during``, with its evidence.

    It may end sooner than was decided (``ended_…``), or be withdrawn as an error: then it was never valid.
    """

    __tablename__ = "diner_category"
    __table_args__ = (
        CheckConstraint("category <> '' AND evidence <> ''", name="whole"),
        CheckConstraint("NOT isempty(valid_during) AND NOT lower_inf(valid_during)", name="begins"),
        CheckConstraint("num_nulls(ended_at, ended_by, ended_by_name, ended_reason) IN (0, 4)", name="ended_whole"),
        CheckConstraint(
            "num_nulls(withdrawn_at, withdrawn_by, withdrawn_by_name, withdrawn_reason) IN (0, 4)",
            name="withdrawn_whole",
        ),
        CheckConstraint("ended_reason <> '' AND withdrawn_reason <> ''", name="reasoned"),
        ExcludeConstraint(
            ("person_id", "="),
            ("category", "="),
            ("valid_during", "&&"),
            name="ex_diner_category_once",
            where=text("withdrawn_at IS NULL"),
        ),
        Index("ix_diner_category_person", "person_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("diner.person_id"))
    category: Mapped[str]
    valid_during: Mapped[Range[date]] = mapped_column(DATERANGE)
    evidence: Mapped[str]
    decided_at: Mapped[datetime]
    decided_by: Mapped[UUID]
    decided_by_name: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    ended_by_name: Mapped[str | None]
    ended_reason: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[UUID | None]
    withdrawn_by_name: Mapped[str | None]
    withdrawn_reason: Mapped[str | None]
