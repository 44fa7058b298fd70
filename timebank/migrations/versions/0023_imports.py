"""Workbooks handed in at a desk; how long their files are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql
from timebank.migrations.policies import ship_missing_policies

revision = "0023_imports"
down_revision = "0022_web_sessions"
branch_labels = None
depends_on = None

_MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "office_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=True),
        sa.Column("canteen_id", sa.Uuid(), nullable=True),
        sa.Column("week_starts_on", sa.Date(), nullable=True),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("uploaded_at", _MOMENT, nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_by_name", sa.Text(), nullable=False),
        sa.Column("judged_at", _MOMENT, nullable=False),
        sa.Column("summary", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("booked_at", _MOMENT, nullable=True),
        sa.Column("booked_by", sa.Uuid(), nullable=True),
        sa.Column("booked_by_name", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('people', 'diners', 'menu')", name=op.f("ck_office_import_kind_known")),
        sa.CheckConstraint("state IN ('waiting', 'booked')", name=op.f("ck_office_import_state_known")),
        sa.CheckConstraint(
            "(kind = 'menu') = (canteen_id IS NOT NULL) AND (kind = 'menu') = (week_starts_on IS NOT NULL)",
            name=op.f("ck_office_import_menu_whole"),
        ),
        sa.CheckConstraint(
            "(state = 'booked') = (booked_at IS NOT NULL) AND (booked_at IS NULL) = (booked_by IS NULL)"
            " AND (booked_at IS NULL) = (booked_by_name IS NULL)",
            name=op.f("ck_office_import_booking_whole"),
        ),
        sa.CheckConstraint(
            "state <> 'booked' OR booked_by <> uploaded_by OR (summary ->> 'minutes')::bigint = 0",
            name=op.f("ck_office_import_hours_by_two"),
        ),
        sa.CheckConstraint(
            "state = 'booked' OR content IS NOT NULL", name=op.f("ck_office_import_content_kept_until_booked")
        ),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_office_import_township_code")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_office_import_canteen_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office_import")),
    )
    op.create_index("ix_office_import_township", "office_import", ["township_code", "id"], unique=False)
    op.create_index("ix_office_import_canteen", "office_import", ["canteen_id", "id"], unique=False)
    op.create_index(
        "ix_office_import_sha256",
        "office_import",
        ["file_sha256"],
        unique=False,
        postgresql_where="state = 'booked'",
    )
    op.create_index(
        "ix_office_import_content",
        "office_import",
        ["uploaded_at"],
        unique=False,
        postgresql_where="content IS NOT NULL",
    )
    op.create_table(
        "office_import_row",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["office_import.id"], name=op.f("fk_office_import_row_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "place", name=op.f("pk_office_import_row")),
    )
    op.execute(sql("imports.sql"))
    ship_missing_policies()


def downgrade() -> None:
    op.drop_table("office_import_row")
    op.drop_table("office_import")
    for function in ("office_import_guard", "office_import_guard_rows"):
        op.execute(f"DROP FUNCTION {function}")
