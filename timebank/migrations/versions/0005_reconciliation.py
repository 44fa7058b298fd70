"""Reconciliation: townships' own lists of lines, and the breaks between them and the books."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql

revision = "0005_reconciliation"
down_revision = "0004_clearing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clearing_reconciliation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("window_number", sa.BigInteger(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("preliminary", sa.Boolean(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("matched", sa.BigInteger(), nullable=False),
        sa.Column("found", postgresql.JSONB(), nullable=False),
        sa.Column("cured_earlier", sa.BigInteger(), nullable=False),
        sa.Column("unreadable", postgresql.JSONB(), nullable=False),
        sa.Column("uploaded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=True),
        sa.Column("uploaded_by_name", sa.Text(), nullable=False),
        sa.CheckConstraint("file_name <> ''", name=op.f("ck_clearing_reconciliation_file_named")),
        sa.CheckConstraint("length(file_sha256) = 32", name=op.f("ck_clearing_reconciliation_digest_length")),
        sa.CheckConstraint(
            "matched >= 0 AND cured_earlier >= 0 AND rows >= matched",
            name=op.f("ck_clearing_reconciliation_counts_fit"),
        ),
        sa.ForeignKeyConstraint(
            ["township_code"], ["township.code"], name=op.f("fk_clearing_reconciliation_township_code")
        ),
        sa.ForeignKeyConstraint(
            ["window_number"], ["clearing_window.number"], name=op.f("fk_clearing_reconciliation_window_number")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearing_reconciliation")),
        sa.UniqueConstraint("id", "window_number", "township_code", name="uq_clearing_reconciliation_whose"),
    )
    op.create_table(
        "clearing_break",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reconciliation_id", sa.Uuid(), nullable=False),
        sa.Column("window_number", sa.BigInteger(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=True),
        sa.Column("other_window", sa.BigInteger(), nullable=True),
        sa.Column("row_number", sa.BigInteger(), nullable=True),
        sa.Column("row_digest", sa.LargeBinary(), nullable=True),
        sa.Column("copy", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("minutes_here", sa.BigInteger(), nullable=True),
        sa.Column("minutes_there", sa.BigInteger(), nullable=True),
        sa.Column("counterpart_code", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("person_name", sa.Text(), nullable=True),
        sa.Column("owner_township_code", sa.Text(), nullable=True),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("cured_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("cured_by_transfer_id", sa.Uuid(), nullable=True),
        sa.Column("cured_by", sa.Uuid(), nullable=True),
        sa.Column("cured_by_name", sa.Text(), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(minutes_here IS NULL) = (type IN ('missing_here', 'duplicate'))", name=op.f("ck_clearing_break_books_fit")
        ),
        sa.CheckConstraint(
            "(other_window IS NULL) = (type <> 'window')", name=op.f("ck_clearing_break_other_window_fits")
        ),
        sa.CheckConstraint("(transfer_id IS NULL) = (type = 'missing_here')", name=op.f("ck_clearing_break_line_fits")),
        sa.CheckConstraint(
            "ended_reason IN ('list_corrected', 'books_changed')", name=op.f("ck_clearing_break_ended_reason_known")
        ),
        sa.CheckConstraint(
            "num_nulls(row_number, row_digest, minutes_there) = CASE type WHEN 'missing_there' THEN 3 ELSE 0 END",
            name=op.f("ck_clearing_break_row_fits"),
        ),
        sa.CheckConstraint(
            "type IN ('missing_here', 'missing_there', 'amount', 'duplicate', 'window')",
            name=op.f("ck_clearing_break_type_known"),
        ),
        sa.CheckConstraint("copy >= 0", name=op.f("ck_clearing_break_copy_counts")),
        sa.CheckConstraint("cured_at IS NULL OR ended_at IS NULL", name=op.f("ck_clearing_break_cured_or_ended")),
        sa.CheckConstraint("minutes_here <> 0 AND minutes_there <> 0", name=op.f("ck_clearing_break_minutes_not_zero")),
        sa.CheckConstraint(
            "num_nulls(cured_at, cured_by_transfer_id, cured_by_name) IN (0, 3)",
            name=op.f("ck_clearing_break_cured_whole"),
        ),
        sa.CheckConstraint("num_nulls(ended_at, ended_reason) IN (0, 2)", name=op.f("ck_clearing_break_ended_whole")),
        sa.ForeignKeyConstraint(
            ["counterpart_code"], ["ledger_book.code"], name=op.f("fk_clearing_break_counterpart_code")
        ),
        sa.ForeignKeyConstraint(
            ["cured_by_transfer_id"], ["ledger_transfer.id"], name=op.f("fk_clearing_break_cured_by_transfer_id")
        ),
        sa.ForeignKeyConstraint(
            ["other_window"], ["clearing_window.number"], name=op.f("fk_clearing_break_other_window")
        ),
        sa.ForeignKeyConstraint(
            ["owner_township_code"], ["township.code"], name=op.f("fk_clearing_break_owner_township_code")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_clearing_break_person_id")),
        sa.ForeignKeyConstraint(
            ["reconciliation_id", "window_number", "township_code"],
            [
                "clearing_reconciliation.id",
                "clearing_reconciliation.window_number",
                "clearing_reconciliation.township_code",
            ],
            name=op.f("fk_clearing_break_reconciliation_id"),
        ),
        sa.ForeignKeyConstraint(["transfer_id"], ["ledger_transfer.id"], name=op.f("fk_clearing_break_transfer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearing_break")),
    )
    op.create_index(
        "ix_clearing_reconciliation_list",
        "clearing_reconciliation",
        ["window_number", "township_code", "id"],
        unique=False,
    )
    op.create_index("ix_clearing_break_owner", "clearing_break", ["owner_township_code", "id"], unique=False)
    op.create_index("ix_clearing_break_township", "clearing_break", ["township_code", "id"], unique=False)
    op.create_index(
        "uq_clearing_break_cure",
        "clearing_break",
        ["township_code", "cured_by_transfer_id"],
        unique=True,
        postgresql_where="cured_by_transfer_id IS NOT NULL",
    )
    op.create_index(
        "uq_clearing_break_standing",
        "clearing_break",
        ["window_number", "township_code", "type", "transfer_id", "row_digest", "copy"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where="ended_at IS NULL",
    )
    op.execute(sql("reconciliation.sql"))


def downgrade() -> None:
    op.execute("DROP FUNCTION clearing_check_cure")
    op.drop_index("ix_clearing_reconciliation_list", table_name="clearing_reconciliation")
    op.drop_index(
        "uq_clearing_break_standing",
        table_name="clearing_break",
        postgresql_nulls_not_distinct=True,
        postgresql_where="ended_at IS NULL",
    )
    op.drop_index(
        "uq_clearing_break_cure", table_name="clearing_break", postgresql_where="cured_by_transfer_id IS NOT NULL"
    )
    op.drop_index("ix_clearing_break_township", table_name="clearing_break")
    op.drop_index("ix_clearing_break_owner", table_name="clearing_break")
    op.drop_table("clearing_break")
    op.drop_table("clearing_reconciliation")
    op.execute("DROP FUNCTION clearing_guard_break")
