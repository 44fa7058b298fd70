"""Signed QR codes, scans made without a line, losses of the guarantee fund."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql

revision = "0008_offline"
down_revision = "0007_vouchers"
branch_labels = None
depends_on = None

MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.add_column("voucher_scan", sa.Column("offline", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("voucher_scan", sa.Column("signed_text", sa.Text(), nullable=True))
    op.create_table(
        "redemption_signing_key",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("private_key", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("signs_from", MOMENT, nullable=False),
        sa.Column("signs_until", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_by_name", sa.Text(), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("id BETWEEN 1 AND 65535", name=op.f("ck_redemption_signing_key_number_fits_the_qr")),
        sa.CheckConstraint("length(public_key) = 32", name=op.f("ck_redemption_signing_key_public_key_length")),
        sa.CheckConstraint("signs_until > signs_from", name=op.f("ck_redemption_signing_key_days_order")),
        sa.CheckConstraint(
            "num_nulls(revoked_at, revoked_by_name, revoke_reason) IN (0, 3)",
            name=op.f("ck_redemption_signing_key_revoked_whole"),
        ),
        sa.CheckConstraint("revoke_reason <> ''", name=op.f("ck_redemption_signing_key_revoke_reasoned")),
        postgresql.ExcludeConstraint(
            (sa.text("tstzrange(signs_from, signs_until)"), "&&"),
            using="gist",
            where=sa.text("revoked_at IS NULL"),
            name="ex_redemption_signing_key_one_at_a_time",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemption_signing_key")),
        sa.UniqueConstraint("public_key", name=op.f("uq_redemption_signing_key_public_key")),
    )
    op.create_table(
        "voucher_ending",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("printed_until", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(code_hash) = 8", name=op.f("ck_voucher_ending_hash_length")),
        sa.CheckConstraint("number > 0", name=op.f("ck_voucher_ending_number_positive")),
        sa.ForeignKeyConstraint(["voucher_id"], ["voucher.id"], name=op.f("fk_voucher_ending_voucher_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_ending")),
        sa.UniqueConstraint("number", name=op.f("uq_voucher_ending_number")),
    )
    op.create_index("ix_voucher_ending_printed", "voucher_ending", ["printed_until", "number"])
    op.create_index("ix_voucher_ending_unnumbered", "voucher_ending", ["id"], postgresql_where="number IS NULL")
    op.create_table(
        "guarantee_loss",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("loss_fen", sa.BigInteger(), nullable=True),
        sa.Column("first_scan_id", sa.Uuid(), nullable=True),
        sa.Column("second_scan_id", sa.Uuid(), nullable=False),
        sa.Column("eaten_at", MOMENT, nullable=False),
        sa.Column("noted_at", MOMENT, nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("paid_at", MOMENT, nullable=True),
        sa.Column("paid_by", sa.Uuid(), nullable=True),
        sa.Column("paid_by_name", sa.Text(), nullable=True),
        sa.Column("outside_reference", sa.Text(), nullable=True),
        sa.CheckConstraint("reason IN ('eaten_twice', 'ended_meanwhile')", name=op.f("ck_guarantee_loss_reason_known")),
        sa.CheckConstraint(
            "(reason = 'eaten_twice') = (first_scan_id IS NOT NULL)", name=op.f("ck_guarantee_loss_two_scans")
        ),
        sa.CheckConstraint("first_scan_id <> second_scan_id", name=op.f("ck_guarantee_loss_different_scans")),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_guarantee_loss_minutes_positive")),
        sa.CheckConstraint("loss_fen >= 0", name=op.f("ck_guarantee_loss_fen_not_negative")),
        sa.CheckConstraint(
            "num_nulls(paid_at, paid_by_name, outside_reference) IN (0, 3)", name=op.f("ck_guarantee_loss_paid_whole")
        ),
        sa.CheckConstraint("outside_reference <> ''", name=op.f("ck_guarantee_loss_reference_given")),
        sa.ForeignKeyConstraint(["canteen_id"], ["organisation.id"], name=op.f("fk_guarantee_loss_canteen_id")),
        sa.ForeignKeyConstraint(["first_scan_id"], ["voucher_scan.id"], name=op.f("fk_guarantee_loss_first_scan_id")),
        sa.ForeignKeyConstraint(["second_scan_id"], ["voucher_scan.id"], name=op.f("fk_guarantee_loss_second_scan_id")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_guarantee_loss_township_code")),
        sa.ForeignKeyConstraint(["voucher_id"], ["voucher.id"], name=op.f("fk_guarantee_loss_voucher_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guarantee_loss")),
        sa.UniqueConstraint("second_scan_id", name=op.f("uq_guarantee_loss_second_scan_id")),
        sa.UniqueConstraint("voucher_id", "canteen_id", name=op.f("uq_guarantee_loss_voucher_id_canteen_id")),
    )
    op.create_index("ix_guarantee_loss_township", "guarantee_loss", ["township_code", "id"])
    op.execute(sql("offline.sql"))


def downgrade() -> None:
    op.execute("DROP TRIGGER voucher_ending_noted ON voucher")
    op.execute("DROP TRIGGER voucher_scan_immutable ON voucher_scan")
    for table in ("guarantee_loss", "voucher_ending", "redemption_signing_key"):
        op.drop_table(table)
    for function in (
        *("voucher_note_ending", "voucher_guard_ending", "redemption_guard_key"),
        *("guarantee_guard_loss", "guarantee_check_loss", "redemption_refuse_change"),
    ):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_column("voucher_scan", "signed_text")
    op.drop_column("voucher_scan", "offline")
