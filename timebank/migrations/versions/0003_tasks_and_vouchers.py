"""Tasks and meal vouchers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003_tasks_and_vouchers"
down_revision = "0002_ledger"
branch_labels = None
depends_on = None

SERVICE_TYPES = {
    "meal_help": "助餐",
    "meal_delivery": "送餐",
    "medical_help": "助医",
    "cleaning": "助洁",
    "bathing": "助浴",
    "urgent_help": "助急",
    "companionship": "陪伴",
    "canteen_shift": "食堂帮厨",
    "other": "其他服务",
}


def upgrade() -> None:
    op.create_table(
        "service_type",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_service_type")),
        sa.UniqueConstraint("name", name=op.f("uq_service_type_name")),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_type", sa.Text(), nullable=False),
        sa.Column("elder_id", sa.Uuid(), nullable=True),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("places", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("service_code", sa.Text(), nullable=True),
        sa.Column("back_filled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_by_name", sa.Text(), nullable=False),
        sa.Column("requested_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "back_filled OR service_code ~ '^[0-9]{6}$'",
            name=op.f("ck_task_service_code_form"),
        ),
        sa.CheckConstraint(
            "status IN ('open', 'accepted', 'checked_in', 'checked_out', 'confirmed', 'disputed', 'cancelled', 'expired', 'recorded', 'rejected', 'reversed')",
            name=op.f("ck_task_status_known"),
        ),
        sa.CheckConstraint(
            "back_filled = (evidence IS NOT NULL)",
            name=op.f("ck_task_back_fill_has_evidence"),
        ),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_task_minutes_positive")),
        sa.CheckConstraint("places > 0", name=op.f("ck_task_places_positive")),
        sa.ForeignKeyConstraint(["elder_id"], ["person.id"], name=op.f("fk_task_elder_id")),
        sa.ForeignKeyConstraint(["service_type"], ["service_type.code"], name=op.f("fk_task_service_type")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_task_township_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index(
        "ix_task_elder",
        "task",
        ["elder_id", "id"],
        unique=False,
        postgresql_where="elder_id IS NOT NULL",
    )
    op.create_index(
        "ix_task_lapsing",
        "task",
        ["ends_at"],
        unique=False,
        postgresql_where="status IN ('open', 'accepted', 'checked_in', 'disputed')",
    )
    op.create_index("ix_task_open", "task", ["id"], unique=False, postgresql_where="status = 'open'")
    op.create_index(
        "ix_task_township_status",
        "task",
        ["township_code", "status", "id"],
        unique=False,
    )
    op.create_table(
        "task_assignment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("planned_during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("served_during", postgresql.TSTZRANGE(), nullable=True),
        sa.Column("accepted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("checked_in_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("checked_out_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("payable_minutes", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_by_name", sa.Text(), nullable=True),
        sa.Column("rating", sa.BigInteger(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("service_code_misses", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("disputed_by", sa.Uuid(), nullable=True),
        sa.Column("disputed_by_name", sa.Text(), nullable=True),
        sa.Column("dispute_reason", sa.Text(), nullable=True),
        sa.Column("ruling", sa.Text(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("volunteer_id"), "="),
            (sa.column("planned_during"), "&&"),
            where=sa.text("status IN ('accepted', 'checked_in')"),
            using="gist",
            name="ex_task_assignment_one_promise",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("volunteer_id"), "="),
            (sa.column("served_during"), "&&"),
            where=sa.text("served_during IS NOT NULL AND status NOT IN ('rejected', 'reversed')"),
            using="gist",
            name="ex_task_assignment_one_place",
        ),
        sa.CheckConstraint(
            "(status IN ('confirmed', 'reversed')) = (payable_minutes IS NOT NULL)",
            name=op.f("ck_task_assignment_payable_once_confirmed"),
        ),
        sa.CheckConstraint(
            "status IN ('accepted', 'checked_in', 'checked_out', 'confirmed', 'disputed', 'withdrawn', 'cancelled', 'no_show', 'recorded', 'rejected', 'reversed')",
            name=op.f("ck_task_assignment_status_known"),
        ),
        sa.CheckConstraint(
            "NOT isempty(served_during)",
            name=op.f("ck_task_assignment_served_not_empty"),
        ),
        sa.CheckConstraint("payable_minutes >= 0", name=op.f("ck_task_assignment_payable_not_negative")),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_task_assignment_rating_range")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_task_assignment_task_id")),
        sa.ForeignKeyConstraint(
            ["volunteer_id"],
            ["person.id"],
            name=op.f("fk_task_assignment_volunteer_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_assignment")),
    )
    op.create_index(
        "ix_task_assignment_awaiting",
        "task_assignment",
        ["checked_out_at"],
        unique=False,
        postgresql_where="status = 'checked_out'",
    )
    op.create_index(
        "ix_task_assignment_volunteer",
        "task_assignment",
        ["volunteer_id", "task_id"],
        unique=False,
    )
    op.create_index(
        "uq_task_assignment_task_volunteer",
        "task_assignment",
        ["task_id", "volunteer_id"],
        unique=True,
        postgresql_where="status NOT IN ('withdrawn', 'cancelled', 'no_show')",
    )
    op.create_table(
        "voucher",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("source_account_id", sa.BigInteger(), nullable=False),
        sa.Column("price_minutes", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("issued_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("canteen_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(status = 'issued') = (ended_at IS NULL)",
            name=op.f("ck_voucher_ended_whole"),
        ),
        sa.CheckConstraint(
            "(status = 'redeemed') = (canteen_id IS NOT NULL)",
            name=op.f("ck_voucher_redeemed_somewhere"),
        ),
        sa.CheckConstraint(
            "status IN ('issued', 'redeemed', 'refunded', 'expired', 'void')",
            name=op.f("ck_voucher_status_known"),
        ),
        sa.CheckConstraint("price_minutes > 0", name=op.f("ck_voucher_price_positive")),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_account.id"], name=op.f("fk_voucher_account_id")),
        sa.ForeignKeyConstraint(["canteen_id"], ["organisation.id"], name=op.f("fk_voucher_canteen_id")),
        sa.ForeignKeyConstraint(["holder_id"], ["person.id"], name=op.f("fk_voucher_holder_id")),
        sa.ForeignKeyConstraint(
            ["source_account_id"],
            ["ledger_account.id"],
            name=op.f("fk_voucher_source_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("code", name=op.f("uq_voucher_code")),
    )
    op.create_index(
        "ix_voucher_expiring",
        "voucher",
        ["expires_at"],
        unique=False,
        postgresql_where="status = 'issued'",
    )
    op.create_index("ix_voucher_holder", "voucher", ["holder_id", "id"], unique=False)
    op.create_table(
        "voucher_scan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("scanned_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("clerk_login_id", sa.Uuid(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("voucher_id", sa.Uuid(), nullable=True),
        sa.Column("redeemed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("redeemed_canteen_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("accepted = (reason = 'ok')", name=op.f("ck_voucher_scan_reason_fits")),
        sa.ForeignKeyConstraint(["canteen_id"], ["organisation.id"], name=op.f("fk_voucher_scan_canteen_id")),
        sa.ForeignKeyConstraint(["voucher_id"], ["voucher.id"], name=op.f("fk_voucher_scan_voucher_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_scan")),
        sa.UniqueConstraint("canteen_id", "nonce", name=op.f("uq_voucher_scan_canteen_id_nonce")),
    )
    op.create_index(
        "ix_voucher_scan_voucher",
        "voucher_scan",
        ["voucher_id"],
        unique=False,
        postgresql_where="voucher_id IS NOT NULL",
    )
    op.create_index(
        "uq_voucher_scan_accepted",
        "voucher_scan",
        ["voucher_id"],
        unique=True,
        postgresql_where="accepted",
    )
    op.bulk_insert(
        sa.table("service_type", sa.column("code"), sa.column("name")),
        [{"code": code, "name": name} for code, name in SERVICE_TYPES.items()],
    )


def downgrade() -> None:
    op.drop_index(
        "uq_voucher_scan_accepted",
        table_name="voucher_scan",
        postgresql_where="accepted",
    )
    op.drop_index(
        "ix_voucher_scan_voucher",
        table_name="voucher_scan",
        postgresql_where="voucher_id IS NOT NULL",
    )
    op.drop_table("voucher_scan")
    op.drop_index("ix_voucher_holder", table_name="voucher")
    op.drop_index(
        "ix_voucher_expiring",
        table_name="voucher",
        postgresql_where="status = 'issued'",
    )
    op.drop_table("voucher")
    op.drop_index(
        "uq_task_assignment_task_volunteer",
        table_name="task_assignment",
        postgresql_where="status NOT IN ('withdrawn', 'cancelled', 'no_show')",
    )
    op.drop_index("ix_task_assignment_volunteer", table_name="task_assignment")
    op.drop_index(
        "ix_task_assignment_awaiting",
        table_name="task_assignment",
        postgresql_where="status = 'checked_out'",
    )
    op.drop_table("task_assignment")
    op.drop_index("ix_task_township_status", table_name="task")
    op.drop_index("ix_task_open", table_name="task", postgresql_where="status = 'open'")
    op.drop_index(
        "ix_task_lapsing",
        table_name="task",
        postgresql_where="status IN ('open', 'accepted', 'checked_in', 'disputed')",
    )
    op.drop_index("ix_task_elder", table_name="task", postgresql_where="elder_id IS NOT NULL")
    op.drop_table("task")
    op.drop_table("service_type")
