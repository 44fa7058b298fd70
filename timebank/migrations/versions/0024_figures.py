"""Figures by day and month, for dashboards and the monthly bulletin; from which share of a limit on one is warned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql
from timebank.migrations.policies import ship_missing_policies

revision = "0024_figures"
down_revision = "0023_imports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "figure_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("book_code", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["book_code"], ["ledger_book.code"], name=op.f("fk_figure_day_book_code")),
        sa.PrimaryKeyConstraint("day", "book_code", "key", name=op.f("pk_figure_day")),
    )
    op.create_table(
        "figure_mark",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("upto_seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1 AND upto_seq >= 0", name=op.f("ck_figure_mark_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure_mark")),
    )
    op.create_table(
        "figure_month",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("ck_figure_month_first_of_month")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_figure_month_township_code")),
        sa.PrimaryKeyConstraint("month", "township_code", "key", name=op.f("pk_figure_month")),
    )
    op.create_index(
        "ix_task_assignment_confirmed_at",
        "task_assignment",
        ["confirmed_at"],
        unique=False,
        postgresql_where=sa.text("status = 'confirmed'"),
    )
    op.create_index(
        "ix_care_booking_confirmed",
        "care_booking",
        ["ended_at"],
        unique=False,
        postgresql_where=sa.text("status = 'confirmed'"),
    )
    op.execute(sql("figures.sql"))
    ship_missing_policies()


def downgrade() -> None:
    op.drop_index("ix_care_booking_confirmed", table_name="care_booking")
    op.drop_index("ix_task_assignment_confirmed_at", table_name="task_assignment")
    for table in ("figure_month", "figure_mark", "figure_day"):
        op.drop_table(table)
