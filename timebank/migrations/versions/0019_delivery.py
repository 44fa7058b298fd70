"""Kitchens' batches, delivery rounds and their stops; a shift may be asked for by the bank itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql

revision = "0019_delivery"
down_revision = "0018_purses"
branch_labels = None
depends_on = None

_NOBODY = "00000000-0000-0000-0000-000000000000"


def upgrade() -> None:
    # Rounds are planned by a job, and each is a task that nobody with a login has asked for.
    op.alter_column("task", "requested_by", existing_type=sa.Uuid(), nullable=True)
    op.create_table(
        "kitchen_batch",
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("served_on", sa.Date(), nullable=False),
        sa.Column("meal", sa.Text(), nullable=False),
        sa.Column("cooked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("cooked_by", sa.Uuid(), nullable=False),
        sa.Column("cooked_by_name", sa.Text(), nullable=False),
        sa.CheckConstraint("meal IN ('breakfast', 'lunch', 'supper')", name=op.f("ck_kitchen_batch_meal_known")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_kitchen_batch_canteen_id")),
        sa.PrimaryKeyConstraint("canteen_id", "served_on", "meal", name=op.f("pk_kitchen_batch")),
    )
    op.create_table(
        "delivery_plan",
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("served_on", sa.Date(), nullable=False),
        sa.Column("meal", sa.Text(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("rounds", sa.BigInteger(), nullable=False),
        sa.Column("planned_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("planned_by", sa.Uuid(), nullable=True),
        sa.Column("planned_by_name", sa.Text(), nullable=False),
        sa.CheckConstraint("meal IN ('breakfast', 'lunch', 'supper')", name=op.f("ck_delivery_plan_meal_known")),
        sa.CheckConstraint("times >= 0 AND rounds >= 0", name=op.f("ck_delivery_plan_not_negative")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_delivery_plan_canteen_id")),
        sa.PrimaryKeyConstraint("canteen_id", "served_on", "meal", name=op.f("pk_delivery_plan")),
    )
    op.create_table(
        "delivery_round",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("served_on", sa.Date(), nullable=False),
        sa.Column("meal", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("departs_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("unlocated", sa.Boolean(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("courier_name", sa.Text(), nullable=True),
        sa.Column("courier_phone", sa.LargeBinary(), nullable=True),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("planned_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("planned_by", sa.Uuid(), nullable=True),
        sa.Column("planned_by_name", sa.Text(), nullable=False),
        sa.Column("told_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("departed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("departed_by", sa.Uuid(), nullable=True),
        sa.Column("departed_by_name", sa.Text(), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_by_name", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(courier_name IS NULL) = (courier_phone IS NULL) AND courier_name <> ''",
            name=op.f("ck_delivery_round_courier_whole"),
        ),
        sa.CheckConstraint(
            "(state IN ('departed', 'finished')) = (departed_at IS NOT NULL)",
            name=op.f("ck_delivery_round_departed_fits"),
        ),
        sa.CheckConstraint(
            "(state IN ('finished', 'replaced', 'lapsed')) = (ended_at IS NOT NULL)",
            name=op.f("ck_delivery_round_ended_fits"),
        ),
        sa.CheckConstraint("carrier = 'courier' OR courier_name IS NULL", name=op.f("ck_delivery_round_courier_fits")),
        sa.CheckConstraint(
            "carrier = 'courier' OR task_id IS NOT NULL", name=op.f("ck_delivery_round_volunteers_have_a_task")
        ),
        sa.CheckConstraint("carrier IN ('volunteers', 'courier')", name=op.f("ck_delivery_round_carrier_known")),
        sa.CheckConstraint(
            "departed_at IS NULL OR carrier = 'volunteers' OR courier_name IS NOT NULL",
            name=op.f("ck_delivery_round_somebody_carries"),
        ),
        sa.CheckConstraint("meal IN ('breakfast', 'lunch', 'supper')", name=op.f("ck_delivery_round_meal_known")),
        sa.CheckConstraint(
            "state IN ('planned', 'departed', 'finished', 'replaced', 'lapsed')",
            name=op.f("ck_delivery_round_state_known"),
        ),
        sa.CheckConstraint(
            "(departed_at IS NULL) = (departed_by_name IS NULL)", name=op.f("ck_delivery_round_departed_by_somebody")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by_name IS NULL)", name=op.f("ck_delivery_round_ended_by_somebody")
        ),
        sa.CheckConstraint("number > 0 AND minutes > 0", name=op.f("ck_delivery_round_positive")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_delivery_round_canteen_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_delivery_round_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_round")),
        sa.UniqueConstraint(
            "canteen_id", "served_on", "meal", "number", name=op.f("uq_delivery_round_canteen_id_served_on_meal_number")
        ),
        sa.UniqueConstraint("task_id", name=op.f("uq_delivery_round_task_id")),
    )
    op.create_index(
        "ix_delivery_round_untaken",
        "delivery_round",
        ["departs_at"],
        unique=False,
        postgresql_where="state = 'planned' AND told_at IS NULL",
    )
    op.create_table(
        "delivery_stop",
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("planned_minutes", sa.BigInteger(), nullable=True),
        sa.Column("misses", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("minutes_after_cooking", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_by_name", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(reason IS NOT NULL) = (coalesce(outcome, '') = 'undelivered')", name=op.f("ck_delivery_stop_reason_fits")
        ),
        sa.CheckConstraint(
            "outcome IN ('delivered', 'undelivered', 'elsewhere', 'replaced')",
            name=op.f("ck_delivery_stop_outcome_known"),
        ),
        sa.CheckConstraint(
            "outcome IS NOT DISTINCT FROM 'delivered' OR num_nonnulls(minutes_after_cooking, evidence) = 0",
            name=op.f("ck_delivery_stop_delivered_only"),
        ),
        sa.CheckConstraint(
            "reason IN ('nobody_home', 'refused', 'wrong_address', 'spilled', 'late', 'not_brought')",
            name=op.f("ck_delivery_stop_reason_known"),
        ),
        sa.CheckConstraint(
            "num_nulls(outcome, closed_at, closed_by_name) IN (0, 3)", name=op.f("ck_delivery_stop_closed_whole")
        ),
        sa.CheckConstraint(
            "planned_minutes >= 0 AND minutes_after_cooking >= 0", name=op.f("ck_delivery_stop_minutes_not_negative")
        ),
        sa.CheckConstraint("position > 0 AND misses >= 0", name=op.f("ck_delivery_stop_positive")),
        sa.ForeignKeyConstraint(["order_id"], ["meal_order.id"], name=op.f("fk_delivery_stop_order_id")),
        sa.ForeignKeyConstraint(["round_id"], ["delivery_round.id"], name=op.f("fk_delivery_stop_round_id")),
        sa.PrimaryKeyConstraint("round_id", "position", name=op.f("pk_delivery_stop")),
    )
    op.create_index(
        "ix_delivery_stop_delivered",
        "delivery_stop",
        ["closed_at"],
        unique=False,
        postgresql_where="outcome = 'delivered'",
    )
    op.create_index(
        "uq_delivery_stop_order",
        "delivery_stop",
        ["order_id"],
        unique=True,
        postgresql_where="outcome IS DISTINCT FROM 'replaced'",
    )
    op.execute(sql("delivery.sql"))


def downgrade() -> None:
    for table in ("delivery_stop", "delivery_round", "delivery_plan", "kitchen_batch"):
        op.drop_table(table)
    for function in ("delivery_guard_stop", "delivery_guard_round"):
        op.execute(f"DROP FUNCTION {function}")
    op.execute(f"UPDATE task SET requested_by = '{_NOBODY}' WHERE requested_by IS NULL")
    op.alter_column("task", "requested_by", existing_type=sa.Uuid(), nullable=False)
