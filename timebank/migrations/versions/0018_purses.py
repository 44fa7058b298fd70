"""Slips of purses, hand-ins of tills, corrections of meals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql

revision = "0018_purses"
down_revision = "0017_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "purse_slip",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_by_name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('top_up', 'pay_back')", name=op.f("ck_purse_slip_kind_known")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_purse_slip_amount_positive")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_purse_slip_canteen_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_purse_slip_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purse_slip")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_purse_slip_transfer_id")),
    )
    op.create_index("ix_purse_slip_canteen", "purse_slip", ["canteen_id", "on_day"], unique=False)
    op.create_index("ix_purse_slip_person", "purse_slip", ["person_id", "id"], unique=False)
    op.create_table(
        "till_hand_in",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("received_by", sa.Uuid(), nullable=False),
        sa.Column("received_by_name", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_till_hand_in_amount_positive")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_till_hand_in_canteen_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_till_hand_in")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_till_hand_in_transfer_id")),
    )
    op.create_index("ix_till_hand_in_canteen", "till_hand_in", ["canteen_id", "id"], unique=False)
    op.create_index("ix_till_hand_in_reference", "till_hand_in", ["reference"], unique=False)
    op.create_table(
        "meal_correction",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_by_name", sa.Text(), nullable=False),
        sa.Column("requested_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by_name", sa.Text(), nullable=True),
        sa.Column("approved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_meal_correction_reasoned")),
        sa.CheckConstraint("approved_by <> requested_by", name=op.f("ck_meal_correction_second_person")),
        sa.CheckConstraint(
            "num_nulls(approved_by, approved_by_name, approved_at) IN (0, 3)",
            name=op.f("ck_meal_correction_approved_whole"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["meal_order.id"], name=op.f("fk_meal_correction_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_meal_correction")),
    )
    op.create_table(
        "purse_estate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("receiver_name", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("requested_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_by_name", sa.Text(), nullable=False),
        sa.Column("approved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by_name", sa.Text(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("transfer_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("receiver_name <> '' AND evidence <> ''", name=op.f("ck_purse_estate_whole")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_purse_estate_amount_positive")),
        sa.CheckConstraint("approved_by <> requested_by", name=op.f("ck_purse_estate_second_person")),
        sa.CheckConstraint(
            "num_nulls(approved_at, approved_by, approved_by_name, amount_fen, transfer_id) IN (0, 5)",
            name=op.f("ck_purse_estate_approved_whole"),
        ),
        sa.CheckConstraint(
            "withdrawn_at IS NULL OR approved_at IS NULL", name=op.f("ck_purse_estate_withdrawn_or_paid")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_purse_estate_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purse_estate")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_purse_estate_transfer_id")),
    )
    op.create_index("ix_purse_estate_person", "purse_estate", ["person_id", "id"], unique=False)
    op.create_index(
        "uq_purse_estate_waiting",
        "purse_estate",
        ["person_id"],
        unique=True,
        postgresql_where="approved_at IS NULL AND withdrawn_at IS NULL",
    )
    op.execute(sql("purses.sql"))


def downgrade() -> None:
    for table in ("purse_estate", "meal_correction", "till_hand_in", "purse_slip"):
        op.drop_table(table)
    for function in ("meal_guard_estate", "meal_guard_correction", "meal_reference_once"):
        op.execute(f"DROP FUNCTION {function}")
