"""Canteens: types, hours, closed days, acceptance, grades; and since when an organisation serves nobody.

Organisations that are canteens already stay open: each becomes a canteen whose type is read off its name (居家养老,
中心食堂, 邻里; else a village's) and whose number is its place by name among those of its township. Since when they
have been there is not known; the first day of the books stands for it. They serve no meals to order until their
township has entered hours, and are on no map until it has entered coordinates.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql

revision = "0014_network"
down_revision = "0013_meal_money"
branch_labels = None
depends_on = None

_SINCE = "timestamptz '2020-01-01 00:00:00+00'"
_TAKE_UP = f"""
INSERT INTO canteen (id, canteen_type, state, number, address, phone, carrier, applied_at, applied_by_name,
                     accepted_at, opened_at, state_reason)
SELECT id, CASE WHEN name LIKE '%居家养老%' THEN 'home_care_centre' WHEN name LIKE '%中心食堂%' THEN 'central'
                WHEN name LIKE '%邻里%' THEN 'neighbour' ELSE 'village' END,
       'open', township_code || '-' || lpad(serial::text, greatest(3, length(serial::text)), '0'),
       '', '', 'nobody', {_SINCE}, '系统', {_SINCE}, {_SINCE}, ''
FROM (SELECT *, row_number() OVER (PARTITION BY township_code ORDER BY name) AS serial
      FROM organisation WHERE kind = 'canteen') o
"""


def upgrade() -> None:
    op.add_column("organisation", sa.Column("not_serving_since", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.create_table(
        "canteen",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("canteen_type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("kitchen_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("applied_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("applied_by", sa.Uuid(), nullable=True),
        sa.Column("applied_by_name", sa.Text(), nullable=False),
        sa.Column("accepted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("suspended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("state_reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "canteen_type IN ('central', 'home_care_centre', 'village', 'neighbour')",
            name=op.f("ck_canteen_type_known"),
        ),
        sa.CheckConstraint("carrier IN ('nobody', 'volunteers', 'courier')", name=op.f("ck_canteen_carrier_known")),
        sa.CheckConstraint(
            "state IN ('applied', 'accepted', 'open', 'suspended', 'closed', 'refused')",
            name=op.f("ck_canteen_state_known"),
        ),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_canteen_coordinates_whole")),
        sa.CheckConstraint("kitchen_id <> id", name=op.f("ck_canteen_not_its_own_kitchen")),
        sa.CheckConstraint("number ~ '^[0-9]{9}-[0-9]{3,}$'", name=op.f("ck_canteen_number_form")),
        sa.CheckConstraint("(number IS NULL) = (accepted_at IS NULL)", name=op.f("ck_canteen_numbered_on_acceptance")),
        sa.CheckConstraint(
            "CASE WHEN state IN ('applied', 'refused') THEN number IS NULL"
            " WHEN state IN ('accepted', 'open', 'suspended') THEN number IS NOT NULL ELSE true END",
            name=op.f("ck_canteen_number_fits_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('refused', 'suspended', 'closed') OR state_reason <> ''", name=op.f("ck_canteen_reasoned")
        ),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_canteen_closed_whole")),
        sa.CheckConstraint("state <> 'open' OR opened_at IS NOT NULL", name=op.f("ck_canteen_opened_once")),
        sa.CheckConstraint("state <> 'suspended' OR suspended_at IS NOT NULL", name=op.f("ck_canteen_suspended_once")),
        sa.ForeignKeyConstraint(["id"], ["organisation.id"], name=op.f("fk_canteen_id")),
        sa.ForeignKeyConstraint(["kitchen_id"], ["canteen.id"], name=op.f("fk_canteen_kitchen_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canteen")),
        sa.UniqueConstraint("number", name=op.f("uq_canteen_number")),
    )
    op.create_index(
        "ix_canteen_kitchen", "canteen", ["kitchen_id"], unique=False, postgresql_where="kitchen_id IS NOT NULL"
    )
    op.create_index("ix_canteen_state", "canteen", ["state", "id"], unique=False)
    op.create_table(
        "canteen_acceptance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("checked", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("remarks", sa.Text(), nullable=False),
        sa.Column("inspected_on", sa.Date(), nullable=False),
        sa.Column("inspector_name", sa.Text(), nullable=False),
        sa.Column("inspected_by", sa.Uuid(), nullable=False),
        sa.Column("inspected_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("inspector_name <> ''", name=op.f("ck_canteen_acceptance_inspector_named")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_canteen_acceptance_canteen_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canteen_acceptance")),
    )
    op.create_index("ix_canteen_acceptance_canteen", "canteen_acceptance", ["canteen_id", "inspected_at"], unique=False)
    op.create_table(
        "canteen_closed_day",
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("meal", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("entered_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "meal IN ('', 'breakfast', 'lunch', 'supper')", name=op.f("ck_canteen_closed_day_meal_known")
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_canteen_closed_day_reasoned")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_canteen_closed_day_canteen_id")),
        sa.PrimaryKeyConstraint("canteen_id", "closed_on", "meal", name=op.f("pk_canteen_closed_day")),
    )
    op.create_table(
        "canteen_grade",
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("subsidy_fen", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("remarks", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_by_name", sa.Text(), nullable=False),
        sa.Column("proposed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by_name", sa.Text(), nullable=True),
        sa.Column("approved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("transfer_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("grade IN ('A', 'AA', 'AAA')", name=op.f("ck_canteen_grade_grade_known")),
        sa.CheckConstraint("approved_by <> proposed_by", name=op.f("ck_canteen_grade_second_person")),
        sa.CheckConstraint(
            "num_nulls(approved_by, approved_by_name, approved_at) IN (0, 3)",
            name=op.f("ck_canteen_grade_approved_whole"),
        ),
        sa.CheckConstraint("subsidy_fen >= 0", name=op.f("ck_canteen_grade_subsidy_not_negative")),
        sa.CheckConstraint(
            "(transfer_id IS NOT NULL) = (approved_at IS NOT NULL AND subsidy_fen > 0)",
            name=op.f("ck_canteen_grade_credited_on_approval"),
        ),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_canteen_grade_canteen_id")),
        sa.PrimaryKeyConstraint("canteen_id", "year", name=op.f("pk_canteen_grade")),
    )
    op.create_index(
        "uq_canteen_grade_transfer",
        "canteen_grade",
        ["transfer_id"],
        unique=True,
        postgresql_where="transfer_id IS NOT NULL",
    )
    op.create_table(
        "canteen_hours",
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("meal", sa.Text(), nullable=False),
        sa.Column("opens_at", sa.Time(), nullable=False),
        sa.Column("closes_at", sa.Time(), nullable=False),
        sa.Column("capacity_meals", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("meal IN ('breakfast', 'lunch', 'supper')", name=op.f("ck_canteen_hours_meal_known")),
        sa.CheckConstraint("capacity_meals > 0", name=op.f("ck_canteen_hours_capacity_positive")),
        sa.CheckConstraint("opens_at < closes_at", name=op.f("ck_canteen_hours_times_ordered")),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name=op.f("ck_canteen_hours_weekday_range")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_canteen_hours_canteen_id")),
        sa.PrimaryKeyConstraint("canteen_id", "weekday", "meal", name=op.f("pk_canteen_hours")),
    )
    # Before the guards, which let a canteen begin as an application only.
    op.execute(_TAKE_UP)
    op.execute(sql("network.sql"))


def downgrade() -> None:
    for table in ("canteen_hours", "canteen_grade", "canteen_closed_day", "canteen_acceptance", "canteen"):
        op.drop_table(table)
    for function in ("canteen_guard", "canteen_guard_grade"):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_column("organisation", "not_serving_since")
