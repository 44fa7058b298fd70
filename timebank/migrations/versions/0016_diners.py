"""Diners and their categories."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql

revision = "0016_diners"
down_revision = "0015_menus"
branch_labels = None
depends_on = None

_ROLES = "ck_person_role_role_known"


def upgrade() -> None:
    op.drop_constraint(op.f(_ROLES), "person_role")
    op.create_check_constraint(op.f(_ROLES), "person_role", "role IN ('volunteer', 'elder', 'diner')")
    op.create_table(
        "diner",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("usual_canteen_id", sa.Uuid(), nullable=True),
        sa.Column("diet_form", sa.Text(), nullable=False),
        sa.Column("allergies", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("religious_diet", sa.Text(), nullable=True),
        sa.Column("delivery_address", sa.Text(), nullable=False),
        sa.Column("delivery_note", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("applied_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("applied_by", sa.Uuid(), nullable=False),
        sa.Column("applied_by_name", sa.Text(), nullable=False),
        sa.Column("proposed_categories", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("proposal_evidence", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("reviewed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.Column("reviewed_by_name", sa.Text(), nullable=True),
        sa.Column("review_reason", sa.Text(), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "diet_form IN ('normal', 'soft', 'minced', 'liquid')", name=op.f("ck_diner_diet_form_known")
        ),
        sa.CheckConstraint("state IN ('applied', 'approved', 'refused', 'ended')", name=op.f("ck_diner_state_known")),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_diner_coordinates_whole")),
        sa.CheckConstraint(
            "num_nulls(reviewed_at, reviewed_by, reviewed_by_name) IN (0, 3)", name=op.f("ck_diner_reviewed_whole")
        ),
        sa.CheckConstraint(
            "state = 'ended' OR (state = 'applied') = (reviewed_at IS NULL)",
            name=op.f("ck_diner_decided_once_reviewed"),
        ),
        sa.CheckConstraint("state <> 'refused' OR review_reason <> ''", name=op.f("ck_diner_refused_with_reason")),
        sa.CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name=op.f("ck_diner_ended_whole")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_diner_person_id")),
        sa.ForeignKeyConstraint(["usual_canteen_id"], ["canteen.id"], name=op.f("fk_diner_usual_canteen_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_diner")),
    )
    op.create_index("ix_diner_canteen", "diner", ["usual_canteen_id", "person_id"], unique=False)
    op.create_index("ix_diner_household", "diner", ["household_id"], unique=False)
    op.create_index("ix_diner_waiting", "diner", ["applied_at"], unique=False, postgresql_where="state = 'applied'")
    op.create_table(
        "diner_category",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("valid_during", postgresql.DATERANGE(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("decided_by_name", sa.Text(), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_by_name", sa.Text(), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_by_name", sa.Text(), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("person_id"), "="),
            (sa.column("category"), "="),
            (sa.column("valid_during"), "&&"),
            where=sa.text("withdrawn_at IS NULL"),
            using="gist",
            name="ex_diner_category_once",
        ),
        sa.CheckConstraint("category <> '' AND evidence <> ''", name=op.f("ck_diner_category_whole")),
        sa.CheckConstraint(
            "NOT isempty(valid_during) AND NOT lower_inf(valid_during)", name=op.f("ck_diner_category_begins")
        ),
        sa.CheckConstraint(
            "num_nulls(ended_at, ended_by, ended_by_name, ended_reason) IN (0, 4)",
            name=op.f("ck_diner_category_ended_whole"),
        ),
        sa.CheckConstraint(
            "num_nulls(withdrawn_at, withdrawn_by, withdrawn_by_name, withdrawn_reason) IN (0, 4)",
            name=op.f("ck_diner_category_withdrawn_whole"),
        ),
        sa.CheckConstraint("ended_reason <> '' AND withdrawn_reason <> ''", name=op.f("ck_diner_category_reasoned")),
        sa.ForeignKeyConstraint(["person_id"], ["diner.person_id"], name=op.f("fk_diner_category_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_diner_category")),
    )
    op.create_index("ix_diner_category_person", "diner_category", ["person_id"], unique=False)
    op.execute(sql("diners.sql"))


def downgrade() -> None:
    for table in ("diner_category", "diner"):
        op.drop_table(table)
    for function in ("diners_guard_diner", "diners_guard_category"):
        op.execute(f"DROP FUNCTION {function}")
    # Who is nothing but a diner has no role before this revision.
    op.execute("DELETE FROM person_role WHERE role = 'diner'")
    op.drop_constraint(op.f(_ROLES), "person_role")
    op.create_check_constraint(op.f(_ROLES), "person_role", "role IN ('volunteer', 'elder')")
