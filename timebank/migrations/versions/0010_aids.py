"""Rehabilitation aids: kinds, items and their history, loans, days paid for, charges, reminders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql

revision = "0010_aids"
down_revision = "0009_care"
branch_labels = None
depends_on = None

_KINDS = {
    "wheelchair": "轮椅",
    "walker": "助行器",
    "crutch": "拐杖",
    "nursing_bed": "护理床",
    "bath_chair": "沐浴椅",
    "commode_chair": "坐便椅",
    "oxygen_concentrator": "制氧机",
    "air_mattress": "防褥疮气垫",
}
_TABLES = ("aid_reminder", "aid_item_event", "aid_charge", "aid_loan_day", "aid_loan", "aid_item", "aid_kind")


def upgrade() -> None:
    op.create_table(
        "aid_kind",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_aid_kind")),
        sa.UniqueConstraint("name", name=op.f("uq_aid_kind_name")),
    )
    op.create_table(
        "aid_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("home_township_code", sa.Text(), nullable=False),
        sa.Column("at_township_code", sa.Text(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("acquired_on", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("entered_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "condition IN ('good', 'worn', 'in_repair', 'retired')", name=op.f("ck_aid_item_condition_known")
        ),
        sa.CheckConstraint("serial <> '' AND name <> ''", name=op.f("ck_aid_item_named")),
        sa.ForeignKeyConstraint(["at_township_code"], ["township.code"], name=op.f("fk_aid_item_at_township_code")),
        sa.ForeignKeyConstraint(["home_township_code"], ["township.code"], name=op.f("fk_aid_item_home_township_code")),
        sa.ForeignKeyConstraint(["kind"], ["aid_kind.code"], name=op.f("fk_aid_item_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aid_item")),
        sa.UniqueConstraint("serial", name=op.f("uq_aid_item_serial")),
    )
    op.create_index("ix_aid_item_at", "aid_item", ["at_township_code", "id"], unique=False)
    op.create_index("ix_aid_item_home", "aid_item", ["home_township_code", "id"], unique=False)
    op.create_index("ix_aid_item_kind", "aid_item", ["kind", "at_township_code", "id"], unique=False)
    op.create_table(
        "aid_loan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("price_minutes", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reserved_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reserved_by", sa.Uuid(), nullable=True),
        sa.Column("reserved_by_name", sa.Text(), nullable=False),
        sa.Column("reserved_until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("proxy_id", sa.Uuid(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("lent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("lent_on", sa.Date(), nullable=True),
        sa.Column("lent_by", sa.Uuid(), nullable=True),
        sa.Column("lent_by_name", sa.Text(), nullable=True),
        sa.Column("lent_condition", sa.Text(), nullable=True),
        sa.Column("lent_evidence", sa.Text(), nullable=True),
        sa.Column("due_on", sa.Date(), sa.Computed("lent_on + (days - 1)::integer", persisted=True), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_by_name", sa.Text(), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.Column("returned_condition", sa.Text(), nullable=True),
        sa.Column("returned_township_code", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(status = 'returned') = (returned_condition IS NOT NULL) AND (returned_condition IS NULL) = (returned_township_code IS NULL)",
            name=op.f("ck_aid_loan_returned_whole"),
        ),
        sa.CheckConstraint(
            "(status IN ('lent', 'returned', 'lost')) = (lent_at IS NOT NULL)", name=op.f("ck_aid_loan_lent_fits")
        ),
        sa.CheckConstraint(
            "(status IN ('reserved', 'lent')) = (ended_at IS NULL)", name=op.f("ck_aid_loan_ended_whole")
        ),
        sa.CheckConstraint("code ~ '^[0-9]{6}$'", name=op.f("ck_aid_loan_code_form")),
        sa.CheckConstraint("lent_condition IN ('good', 'worn')", name=op.f("ck_aid_loan_lent_condition_usable")),
        sa.CheckConstraint(
            "returned_condition IN ('good', 'worn', 'in_repair', 'retired')",
            name=op.f("ck_aid_loan_returned_condition_known"),
        ),
        sa.CheckConstraint(
            "status <> 'lost' OR coalesce(ended_reason, '') <> ''", name=op.f("ck_aid_loan_loss_has_reason")
        ),
        sa.CheckConstraint(
            "status IN ('reserved', 'lent', 'returned', 'lapsed', 'cancelled', 'lost')",
            name=op.f("ck_aid_loan_status_known"),
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by_name IS NULL)", name=op.f("ck_aid_loan_ended_by_somebody")),
        sa.CheckConstraint("days > 0", name=op.f("ck_aid_loan_days_positive")),
        sa.CheckConstraint(
            "num_nulls(lent_at, lent_on, lent_by_name, lent_condition) IN (0, 4)", name=op.f("ck_aid_loan_lent_whole")
        ),
        sa.CheckConstraint("price_minutes > 0", name=op.f("ck_aid_loan_price_positive")),
        sa.ForeignKeyConstraint(["holder_id"], ["person.id"], name=op.f("fk_aid_loan_holder_id")),
        sa.ForeignKeyConstraint(["item_id"], ["aid_item.id"], name=op.f("fk_aid_loan_item_id")),
        sa.ForeignKeyConstraint(["proxy_id"], ["person.id"], name=op.f("fk_aid_loan_proxy_id")),
        sa.ForeignKeyConstraint(
            ["returned_township_code"], ["township.code"], name=op.f("fk_aid_loan_returned_township_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aid_loan")),
    )
    op.create_index("ix_aid_loan_holder", "aid_loan", ["holder_id", "id"], unique=False)
    op.create_index("ix_aid_loan_item", "aid_loan", ["item_id", "id"], unique=False)
    op.create_index(
        "ix_aid_loan_lapsing", "aid_loan", ["reserved_until"], unique=False, postgresql_where="status = 'reserved'"
    )
    op.create_index("ix_aid_loan_lent", "aid_loan", ["due_on"], unique=False, postgresql_where="status = 'lent'")
    op.create_index(
        "uq_aid_loan_item_active",
        "aid_loan",
        ["item_id"],
        unique=True,
        postgresql_where="status IN ('reserved', 'lent')",
    )
    op.create_table(
        "aid_charge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("paid_from", sa.Text(), nullable=False),
        sa.Column("owed_reason", sa.Text(), nullable=True),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("charged_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(paid_from = 'owed') = (owed_reason IS NOT NULL)", name=op.f("ck_aid_charge_owed_has_reason")
        ),
        sa.CheckConstraint("paid_from IN ('held', 'available', 'owed')", name=op.f("ck_aid_charge_paid_from_known")),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_aid_charge_minutes_positive")),
        sa.CheckConstraint("number > 0", name=op.f("ck_aid_charge_number_counts")),
        sa.ForeignKeyConstraint(["loan_id"], ["aid_loan.id"], name=op.f("fk_aid_charge_loan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aid_charge")),
        sa.UniqueConstraint("loan_id", "day", name=op.f("uq_aid_charge_loan_id_day")),
        sa.UniqueConstraint("loan_id", "number", name=op.f("uq_aid_charge_loan_id_number")),
    )
    op.create_table(
        "aid_item_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_login", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "condition IN ('good', 'worn', 'in_repair', 'retired')", name=op.f("ck_aid_item_event_condition_known")
        ),
        sa.CheckConstraint(
            "what IN ('entered', 'lent', 'returned', 'to_repair', 'repaired', 'retired', 'lost')",
            name=op.f("ck_aid_item_event_what_known"),
        ),
        sa.ForeignKeyConstraint(["item_id"], ["aid_item.id"], name=op.f("fk_aid_item_event_item_id")),
        sa.ForeignKeyConstraint(["loan_id"], ["aid_loan.id"], name=op.f("fk_aid_item_event_loan_id")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_aid_item_event_township_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aid_item_event")),
    )
    op.create_index("ix_aid_item_event_item", "aid_item_event", ["item_id", "id"], unique=False)
    op.create_index(
        "ix_aid_item_event_loan", "aid_item_event", ["loan_id"], unique=False, postgresql_where="loan_id IS NOT NULL"
    )
    op.create_table(
        "aid_loan_day",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("added_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("added_by_name", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.CheckConstraint("evidence <> ''", name=op.f("ck_aid_loan_day_evidence_said")),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_aid_loan_day_minutes_positive")),
        sa.CheckConstraint("number > 0", name=op.f("ck_aid_loan_day_number_counts")),
        sa.ForeignKeyConstraint(["loan_id"], ["aid_loan.id"], name=op.f("fk_aid_loan_day_loan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aid_loan_day")),
        sa.UniqueConstraint("loan_id", "number", name=op.f("uq_aid_loan_day_loan_id_number")),
    )
    op.create_table(
        "aid_reminder",
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("offset_days", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("told_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["loan_id"], ["aid_loan.id"], name=op.f("fk_aid_reminder_loan_id")),
        sa.PrimaryKeyConstraint("loan_id", "due_on", "offset_days", name=op.f("pk_aid_reminder")),
    )
    kinds = sa.table("aid_kind", sa.column("code", sa.Text), sa.column("name", sa.Text))
    op.bulk_insert(kinds, [{"code": code, "name": name} for code, name in _KINDS.items()])
    op.execute(sql("aids.sql"))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    for function in ("aid_guard_item", "aid_guard_loan", "aid_guard_loan_day", "aid_guard_charge"):
        op.execute(f"DROP FUNCTION {function}")
