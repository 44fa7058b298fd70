"""Home care: catalogue, providers, bookings, bills."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql

revision = "0009_care"
down_revision = "0008_offline"
branch_labels = None
depends_on = None

SERVICES = {
    "daily_care": "生活照料",
    "bathing": "助浴",
    "cleaning": "助洁",
    "medical_help": "助医",
    "rehabilitation": "康复护理",
    "companionship": "精神慰藉",
}
FUNCTIONS = (
    *("care_guard_booking", "care_count_capacity", "care_takes_place", "care_guard_capacity", "care_guard_provider"),
    *("care_check_ended", "care_guard_charge", "care_check_new_bill", "care_check_billed", "care_check_bill"),
    "care_refuse_change",
)


def upgrade() -> None:
    op.create_table(
        "care_service",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_care_service")),
        sa.UniqueConstraint("name", name=op.f("uq_care_service_name")),
    )
    op.create_table(
        "care_provider",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=True),
        sa.Column("services", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("townships", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("daily_capacity_minutes", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("entered_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_care_provider_place_whole")),
        sa.CheckConstraint(
            "cardinality(services) > 0 AND cardinality(townships) > 0", name=op.f("ck_care_provider_serves_something")
        ),
        sa.CheckConstraint("daily_capacity_minutes > 0", name=op.f("ck_care_provider_capacity_positive")),
        sa.CheckConstraint("grade BETWEEN 1 AND 5", name=op.f("ck_care_provider_grade_range")),
        sa.CheckConstraint(
            "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180",
            name=op.f("ck_care_provider_place_on_earth"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_care_provider_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_care_provider")),
    )
    op.create_table(
        "care_capacity",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("capacity_minutes", sa.BigInteger(), nullable=False),
        sa.Column("used_minutes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("used_minutes BETWEEN 0 AND capacity_minutes", name=op.f("ck_care_capacity_never_exceeded")),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["care_provider.organisation_id"], name=op.f("fk_care_capacity_provider_id")
        ),
        sa.PrimaryKeyConstraint("provider_id", "day", name=op.f("pk_care_capacity")),
    )
    op.create_table(
        "care_booking",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("rate_percent", sa.BigInteger(), nullable=False),
        sa.Column("held_minutes", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("service_code", sa.Text(), nullable=False),
        sa.Column("chosen_provider_id", sa.Uuid(), nullable=True),
        sa.Column("only_township_code", sa.Text(), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("hold_until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("booked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("booked_by", sa.Uuid(), nullable=False),
        sa.Column("booked_by_name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("deadline_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("next_assign_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("told_unassigned_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("assigned_because", sa.Text(), nullable=True),
        sa.Column("service_code_misses", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("checked_in_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("checked_out_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("served_minutes", sa.BigInteger(), nullable=True),
        sa.Column("disputed_by", sa.Uuid(), nullable=True),
        sa.Column("decided_minutes", sa.BigInteger(), nullable=True),
        sa.Column("captured_minutes", sa.BigInteger(), nullable=True),
        sa.Column("excess_minutes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rating", sa.BigInteger(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("elder_id"), "="),
            (sa.column("during"), "&&"),
            where=sa.text("status IN ('booked', 'assigned', 'checked_in')"),
            using="gist",
            name="ex_care_booking_one_visit",
        ),
        sa.CheckConstraint(
            "(status IN ('booked', 'assigned', 'checked_in', 'checked_out', 'disputed')) = (ended_at IS NULL) AND (ended_at IS NULL) = (captured_minutes IS NULL)",
            name=op.f("ck_care_booking_ended_whole"),
        ),
        sa.CheckConstraint(
            "day = (starts_at AT TIME ZONE 'Asia/Shanghai')::date", name=op.f("ck_care_booking_day_fits")
        ),
        sa.CheckConstraint(
            "ends_at = starts_at + minutes * interval '1 minute'", name=op.f("ck_care_booking_ends_after_minutes")
        ),
        sa.CheckConstraint(
            "excess_minutes >= 0 AND (excess_minutes = 0 OR status = 'confirmed' AND captured_minutes = held_minutes)",
            name=op.f("ck_care_booking_excess_beyond_held"),
        ),
        sa.CheckConstraint(
            "provider_id IS NULL AND status IN ('booked', 'cancelled', 'lapsed') OR provider_id IS NOT NULL AND status <> 'booked'",
            name=op.f("ck_care_booking_provider_fits"),
        ),
        sa.CheckConstraint("service_code ~ '^[0-9]{6}$'", name=op.f("ck_care_booking_service_code_form")),
        sa.CheckConstraint(
            "status IN ('booked', 'assigned', 'checked_in', 'checked_out', 'disputed', 'confirmed', 'cancelled', 'not_home', 'no_show', 'lapsed')",
            name=op.f("ck_care_booking_status_known"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('lapsed', 'no_show') OR captured_minutes = 0",
            name=op.f("ck_care_booking_nothing_for_nothing"),
        ),
        sa.CheckConstraint(
            "(checked_out_at IS NULL) = (served_minutes IS NULL)", name=op.f("ck_care_booking_served_whole")
        ),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_care_booking_place_whole")),
        sa.CheckConstraint(
            "(provider_id IS NULL) = (assigned_because IS NULL)", name=op.f("ck_care_booking_assigned_whole")
        ),
        sa.CheckConstraint(
            "captured_minutes BETWEEN 0 AND held_minutes", name=op.f("ck_care_booking_captured_up_to_held")
        ),
        sa.CheckConstraint("checked_out_at > checked_in_at", name=op.f("ck_care_booking_visit_forward")),
        sa.CheckConstraint("decided_minutes >= 0", name=op.f("ck_care_booking_decided_not_negative")),
        sa.CheckConstraint("during = tstzrange(starts_at, ends_at)", name=op.f("ck_care_booking_during_fits")),
        sa.CheckConstraint(
            "minutes > 0 AND held_minutes > 0 AND rate_percent > 0", name=op.f("ck_care_booking_amounts_positive")
        ),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_care_booking_rating_range")),
        sa.ForeignKeyConstraint(
            ["chosen_provider_id"], ["care_provider.organisation_id"], name=op.f("fk_care_booking_chosen_provider_id")
        ),
        sa.ForeignKeyConstraint(["elder_id"], ["person.id"], name=op.f("fk_care_booking_elder_id")),
        sa.ForeignKeyConstraint(
            ["only_township_code"], ["township.code"], name=op.f("fk_care_booking_only_township_code")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["care_provider.organisation_id"], name=op.f("fk_care_booking_provider_id")
        ),
        sa.ForeignKeyConstraint(["service"], ["care_service.code"], name=op.f("fk_care_booking_service")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_care_booking_township_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_booking")),
    )
    op.create_index(
        "ix_care_booking_assigning",
        "care_booking",
        ["next_assign_at"],
        unique=False,
        postgresql_where="status = 'booked'",
    )
    op.create_index(
        "ix_care_booking_chosen",
        "care_booking",
        ["chosen_provider_id", "id"],
        unique=False,
        postgresql_where="chosen_provider_id IS NOT NULL",
    )
    op.create_index(
        "ix_care_booking_deadline", "care_booking", ["deadline_at"], unique=False, postgresql_where="ended_at IS NULL"
    )
    op.create_index("ix_care_booking_elder", "care_booking", ["elder_id", "id"], unique=False)
    op.create_index(
        "ix_care_booking_provider",
        "care_booking",
        ["provider_id", "id"],
        unique=False,
        postgresql_where="provider_id IS NOT NULL",
    )
    op.create_index("ix_care_booking_township", "care_booking", ["township_code", "id"], unique=False)
    op.create_table(
        "care_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("by_login_id", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.CheckConstraint(
            "step IN ('book', 'assign', 'decline', 'check_in', 'check_out', 'confirm', 'dispute', 'decide', 'cancel', 'not_home', 'no_show', 'lapse')",
            name=op.f("ck_care_event_step_known"),
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["care_booking.id"], name=op.f("fk_care_event_booking_id")),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["care_provider.organisation_id"], name=op.f("fk_care_event_provider_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_event")),
    )
    op.create_index("ix_care_event_booking", "care_event", ["booking_id", "id"], unique=False)
    op.create_index(
        "uq_care_event_dispute", "care_event", ["booking_id"], unique=True, postgresql_where="step = 'dispute'"
    )
    op.create_index(
        "ix_care_event_provider",
        "care_event",
        ["provider_id", "step"],
        unique=False,
        postgresql_where="provider_id IS NOT NULL",
    )
    op.create_table(
        "care_bill",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=True),
        sa.Column("issued_by_name", sa.Text(), nullable=False),
        sa.CheckConstraint("month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name=op.f("ck_care_bill_month_form")),
        sa.CheckConstraint("lines > 0", name=op.f("ck_care_bill_lines_positive")),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["care_provider.organisation_id"], name=op.f("fk_care_bill_provider_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_bill")),
        sa.UniqueConstraint("provider_id", "month", name=op.f("uq_care_bill_provider_id_month")),
    )
    op.create_table(
        "care_charge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("fen_per_hour", sa.BigInteger(), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=True),
        sa.Column("reversal_id", sa.Uuid(), nullable=True),
        sa.Column("charged_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'correction') = (reversal_id IS NOT NULL)", name=op.f("ck_care_charge_correction_whole")
        ),
        sa.CheckConstraint(
            "kind IN ('visit', 'late_cancel', 'not_home', 'correction')", name=op.f("ck_care_charge_kind_known")
        ),
        sa.CheckConstraint(
            "minutes <> 0 AND (kind = 'correction') = (minutes < 0)", name=op.f("ck_care_charge_sign_fits")
        ),
        sa.CheckConstraint(
            "CASE WHEN minutes < 0 THEN fen <= 0 ELSE fen >= 0 END", name=op.f("ck_care_charge_fen_fits")
        ),
        sa.CheckConstraint("fen_per_hour > 0", name=op.f("ck_care_charge_price_positive")),
        sa.CheckConstraint("grade BETWEEN 1 AND 5", name=op.f("ck_care_charge_grade_range")),
        sa.ForeignKeyConstraint(["bill_id"], ["care_bill.id"], name=op.f("fk_care_charge_bill_id")),
        sa.ForeignKeyConstraint(["booking_id"], ["care_booking.id"], name=op.f("fk_care_charge_booking_id")),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["care_provider.organisation_id"], name=op.f("fk_care_charge_provider_id")
        ),
        sa.ForeignKeyConstraint(["reversal_id"], ["ledger_transfer.id"], name=op.f("fk_care_charge_reversal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_charge")),
    )
    op.create_index(
        "ix_care_charge_bill", "care_charge", ["bill_id", "id"], unique=False, postgresql_where="bill_id IS NOT NULL"
    )
    op.create_index("ix_care_charge_booking", "care_charge", ["booking_id"], unique=False)
    op.create_index(
        "ix_care_charge_unbilled",
        "care_charge",
        ["provider_id", "charged_at"],
        unique=False,
        postgresql_where="bill_id IS NULL",
    )
    op.create_index(
        "uq_care_charge_once", "care_charge", ["booking_id"], unique=True, postgresql_where="kind <> 'correction'"
    )
    op.create_index(
        "uq_care_charge_reversal",
        "care_charge",
        ["reversal_id"],
        unique=True,
        postgresql_where="reversal_id IS NOT NULL",
    )

    op.bulk_insert(
        sa.table("care_service", sa.column("code"), sa.column("name"), sa.column("active")),
        [{"code": code, "name": name, "active": True} for code, name in SERVICES.items()],
    )
    op.execute(sql("care.sql"))


def downgrade() -> None:
    op.drop_table("care_charge")
    op.drop_table("care_bill")
    op.drop_table("care_event")
    op.drop_table("care_booking")
    op.drop_table("care_capacity")
    op.drop_table("care_provider")
    op.drop_table("care_service")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
