"""Tables of ratings. What they promise beyond columns stands in triggers (``migrations/sql/ratings.sql``).

What was said is never changed: a change is a new revision, and the newest one counts.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from timebank.canteens.ratings.rules import LONGEST_WORDS, Reason
from timebank.core.db import Base

_REASONS = ", ".join(f"'{reason}'" for reason in Reason)


class MealRating(Base):
    """评价: what a diner thinks of one served meal; each change is a new ``revision``. Never changed."""

    __tablename__ = "meal_rating"
    __table_args__ = (
        CheckConstraint("revision > 0", name="revision_positive"),
        CheckConstraint("stars BETWEEN 1 AND 5", name="stars_range"),
        CheckConstraint(f"length(words) <= {LONGEST_WORDS}", name="words_short"),
        Index("ix_meal_rating_canteen", "canteen_id", "order_id", "revision"),
        Index("ix_meal_rating_month", "canteen_id", "served_on"),
        Index("ix_meal_rating_diner", "diner_id"),
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("meal_order.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"))
    diner_id: Mapped[UUID] = mapped_column(ForeignKey("diner.person_id"))
    served_on: Mapped[date]
    stars: Mapped[int] = mapped_column(SmallInteger)
    tags: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default=text("'{}'"))
    words: Mapped[str]
    rated_at: Mapped[datetime]
    rated_by: Mapped[UUID]
    rated_by_name: Mapped[str]


class RatingReply(Base):
    """回复: what the canteen or its steward answers to a revision of a rating; the newest counts. Never changed."""

    __tablename__ = "meal_rating_reply"
    __table_args__ = (
        ForeignKeyConstraint(
            ["order_id", "rating_revision"],
            ["meal_rating.order_id", "meal_rating.revision"],
            name="fk_meal_rating_reply_rating",
        ),
        CheckConstraint("revision > 0", name="revision_positive"),
        CheckConstraint(f"words <> '' AND length(words) <= {LONGEST_WORDS}", name="words_short"),
    )

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rating_revision: Mapped[int]
    words: Mapped[str]
    replied_at: Mapped[datetime]
    replied_by: Mapped[UUID]
    replied_by_name: Mapped[str]


class RatingHiding(Base):
    """隐藏: the words of a meal's rating are shown to others no more, for a reason; its stars still count."""

    __tablename__ = "meal_rating_hiding"
    __table_args__ = (
        ForeignKeyConstraint(
            ["order_id", "rating_revision"],
            ["meal_rating.order_id", "meal_rating.revision"],
            name="fk_meal_rating_hiding_rating",
        ),
        CheckConstraint("reason <> ''", name="reasoned"),
    )

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    rating_revision: Mapped[int]
    reason: Mapped[str]
    hidden_at: Mapped[datetime]
    hidden_by: Mapped[UUID]
    hidden_by_name: Mapped[str]


class FollowUpDraw(Base):
    """抽取: one township's draw of one month, done once: of how many served diners how many were drawn."""

    __tablename__ = "follow_up_draw"
    __table_args__ = (
        CheckConstraint("extract(day FROM month) = 1", name="month_begins"),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent_range"),
        CheckConstraint("drawn = (served_diners * percent + 99) / 100", name="drawn_fits"),
    )

    month: Mapped[date] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"), primary_key=True)
    served_diners: Mapped[int]
    percent: Mapped[int]
    drawn: Mapped[int]
    policy_version: Mapped[int]
    drawn_at: Mapped[datetime]


class FollowUp(Base):
    """回访: one diner to be called about one meal, by the township where the diner lived then."""

    __tablename__ = "follow_up"
    __table_args__ = (
        CheckConstraint(f"reason IN ({_REASONS})", name="reason_known"),
        CheckConstraint("extract(day FROM month) = 1", name="month_begins"),
        Index("uq_follow_up_sample", "person_id", "month", unique=True, postgresql_where="reason = 'sample'"),
        Index("uq_follow_up_order", "order_id", "reason", unique=True),
        Index("ix_follow_up_open", "township_code", "id", postgresql_where="closed_at IS NULL"),
        Index("ix_follow_up_township", "township_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[date]
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("diner.person_id"))
    order_id: Mapped[UUID] = mapped_column(ForeignKey("meal_order.id"))
    reason: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class FollowUpCall(Base):
    """通话: one call of a follow-up and what came of it. Never changed."""

    __tablename__ = "follow_up_call"
    __table_args__ = (
        CheckConstraint("number > 0", name="number_counts"),
        CheckConstraint("reached = (satisfied IS NOT NULL)", name="outcome_whole"),
        CheckConstraint("satisfied BETWEEN 1 AND 5", name="satisfied_range"),
        CheckConstraint(f"length(words) <= {LONGEST_WORDS}", name="words_short"),
    )

    follow_up_id: Mapped[UUID] = mapped_column(ForeignKey("follow_up.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reached: Mapped[bool]
    satisfied: Mapped[int | None] = mapped_column(SmallInteger)
    words: Mapped[str]
    called_at: Mapped[datetime]
    called_by: Mapped[UUID]
    called_by_name: Mapped[str]
