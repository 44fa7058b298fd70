"""Tables of the counter: corrections of meals that were served."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.db import Base


class MealCorrection(Base):
    """用餐冲正: asked for by one steward with a reason, approved by a second; all of a meal's shares are reversed."""

    __tablename__ = "meal_correction"
    __table_args__ = (
        CheckConstraint("reason <> ''", name="reasoned"),
        CheckConstraint("approved_by <> requested_by", name="second_person"),
        CheckConstraint("num_nulls(approved_by, approved_by_name, approved_at) IN (0, 3)", name="approved_whole"),
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("meal_order.id"), primary_key=True)
    reason: Mapped[str]
    requested_by: Mapped[UUID]
    requested_by_name: Mapped[str]
    requested_at: Mapped[datetime]
    approved_by: Mapped[UUID | None]
    approved_by_name: Mapped[str | None]
    approved_at: Mapped[datetime | None]
