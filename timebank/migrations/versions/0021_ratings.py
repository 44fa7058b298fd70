"""Ratings and follow-up calls; the policies of the meal programme."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql
from timebank.migrations.policies import ship_missing_policies

revision = "0021_ratings"
down_revision = "0020_subsidies"
branch_labels = None
depends_on = None

_TABLES = ("follow_up_call", "follow_up", "follow_up_draw", "meal_rating_hiding", "meal_rating_reply", "meal_rating")
_FUNCTIONS = ("rating_guard", "rating_guard_reply", "follow_up_guard", "follow_up_guard_call")


def upgrade() -> None:
    op.create_table(
        "meal_rating",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("diner_id", sa.Uuid(), nullable=False),
        sa.Column("served_on", sa.Date(), nullable=False),
        sa.Column("stars", sa.SmallInteger(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("rated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("rated_by", sa.Uuid(), nullable=False),
        sa.Column("rated_by_name", sa.Text(), nullable=False),
        sa.CheckConstraint("length(words) <= 200", name=op.f("ck_meal_rating_words_short")),
        sa.CheckConstraint("revision > 0", name=op.f("ck_meal_rating_revision_positive")),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_meal_rating_stars_range")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_meal_rating_canteen_id")),
        sa.ForeignKeyConstraint(["diner_id"], ["diner.person_id"], name=op.f("fk_meal_rating_diner_id")),
        sa.ForeignKeyConstraint(["order_id"], ["meal_order.id"], name=op.f("fk_meal_rating_order_id")),
        sa.PrimaryKeyConstraint("order_id", "revision", name=op.f("pk_meal_rating")),
    )
    op.create_index("ix_meal_rating_canteen", "meal_rating", ["canteen_id", "order_id", "revision"], unique=False)
    op.create_index("ix_meal_rating_diner", "meal_rating", ["diner_id"], unique=False)
    op.create_index("ix_meal_rating_month", "meal_rating", ["canteen_id", "served_on"], unique=False)
    op.create_table(
        "meal_rating_reply",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rating_revision", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("replied_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replied_by", sa.Uuid(), nullable=False),
        sa.Column("replied_by_name", sa.Text(), nullable=False),
        sa.CheckConstraint("words <> '' AND length(words) <= 200", name=op.f("ck_meal_rating_reply_words_short")),
        sa.CheckConstraint("revision > 0", name=op.f("ck_meal_rating_reply_revision_positive")),
        sa.ForeignKeyConstraint(
            ["order_id", "rating_revision"],
            ["meal_rating.order_id", "meal_rating.revision"],
            name="fk_meal_rating_reply_rating",
        ),
        sa.PrimaryKeyConstraint("order_id", "revision", name=op.f("pk_meal_rating_reply")),
    )
    op.create_table(
        "meal_rating_hiding",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("rating_revision", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("hidden_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("hidden_by", sa.Uuid(), nullable=False),
        sa.Column("hidden_by_name", sa.Text(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_meal_rating_hiding_reasoned")),
        sa.ForeignKeyConstraint(
            ["order_id", "rating_revision"],
            ["meal_rating.order_id", "meal_rating.revision"],
            name="fk_meal_rating_hiding_rating",
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_meal_rating_hiding")),
    )
    op.create_table(
        "follow_up_draw",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("served_diners", sa.BigInteger(), nullable=False),
        sa.Column("percent", sa.BigInteger(), nullable=False),
        sa.Column("drawn", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("drawn_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("drawn = (served_diners * percent + 99) / 100", name=op.f("ck_follow_up_draw_drawn_fits")),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("ck_follow_up_draw_month_begins")),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name=op.f("ck_follow_up_draw_percent_range")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_follow_up_draw_township_code")),
        sa.PrimaryKeyConstraint("month", "township_code", name=op.f("pk_follow_up_draw")),
    )
    op.create_table(
        "follow_up",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("reason IN ('sample', 'low_rating')", name=op.f("ck_follow_up_reason_known")),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("ck_follow_up_month_begins")),
        sa.ForeignKeyConstraint(["order_id"], ["meal_order.id"], name=op.f("fk_follow_up_order_id")),
        sa.ForeignKeyConstraint(["person_id"], ["diner.person_id"], name=op.f("fk_follow_up_person_id")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_follow_up_township_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
    )
    op.create_index(
        "ix_follow_up_open", "follow_up", ["township_code", "id"], unique=False, postgresql_where="closed_at IS NULL"
    )
    op.create_index("ix_follow_up_township", "follow_up", ["township_code", "id"], unique=False)
    op.create_index("uq_follow_up_order", "follow_up", ["order_id", "reason"], unique=True)
    op.create_index(
        "uq_follow_up_sample", "follow_up", ["person_id", "month"], unique=True, postgresql_where="reason = 'sample'"
    )
    op.create_table(
        "follow_up_call",
        sa.Column("follow_up_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reached", sa.Boolean(), nullable=False),
        sa.Column("satisfied", sa.SmallInteger(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("called_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("called_by", sa.Uuid(), nullable=False),
        sa.Column("called_by_name", sa.Text(), nullable=False),
        sa.CheckConstraint("length(words) <= 200", name=op.f("ck_follow_up_call_words_short")),
        sa.CheckConstraint("number > 0", name=op.f("ck_follow_up_call_number_counts")),
        sa.CheckConstraint("reached = (satisfied IS NOT NULL)", name=op.f("ck_follow_up_call_outcome_whole")),
        sa.CheckConstraint("satisfied BETWEEN 1 AND 5", name=op.f("ck_follow_up_call_satisfied_range")),
        sa.ForeignKeyConstraint(["follow_up_id"], ["follow_up.id"], name=op.f("fk_follow_up_call_follow_up_id")),
        sa.PrimaryKeyConstraint("follow_up_id", "number", name=op.f("pk_follow_up_call")),
    )
    op.execute(sql("ratings.sql"))
    ship_missing_policies()


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    for function in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
