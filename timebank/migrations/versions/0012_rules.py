"""Caps and stars, allotments, seed hours, leaving and death; the policies of all of these."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql
from timebank.migrations.policies import ship_missing_policies

revision = "0012_rules"
down_revision = "0011_giving"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("death_reported_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("person", sa.Column("died_on", sa.Date(), nullable=True))
    op.create_check_constraint(
        op.f("ck_person_death_reported"), "person", "died_on IS NULL OR death_reported_at IS NOT NULL"
    )
    op.create_index("ix_person_left", "person", ["id"], unique=False, postgresql_where="left_at IS NOT NULL")
    op.add_column(
        "task_assignment", sa.Column("surplus_minutes", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.create_check_constraint(
        op.f("ck_task_assignment_surplus_range"),
        "task_assignment",
        "surplus_minutes >= 0 AND surplus_minutes <= coalesce(payable_minutes, 0)",
    )
    op.create_index(
        "ix_task_assignment_earned",
        "task_assignment",
        ["volunteer_id"],
        unique=False,
        postgresql_include=["id", "payable_minutes", "surplus_minutes"],
        postgresql_where="status = 'confirmed'",
    )
    op.create_table(
        "elder_assessment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("previous_level", sa.SmallInteger(), nullable=True),
        sa.Column("circumstances", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("assessed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("assessed_by", sa.Uuid(), nullable=False),
        sa.Column("assessed_by_name", sa.Text(), nullable=False),
        sa.CheckConstraint("evidence <> ''", name=op.f("ck_elder_assessment_evidence_given")),
        sa.CheckConstraint(
            "level BETWEEN 0 AND 4 AND previous_level BETWEEN 0 AND 4", name=op.f("ck_elder_assessment_level_range")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_elder_assessment_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_elder_assessment")),
    )
    op.create_index("ix_elder_assessment_person", "elder_assessment", ["person_id", "assessed_at"], unique=False)
    op.create_table(
        "allotment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("granted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("expires_on > month", name=op.f("ck_allotment_expires_later")),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("ck_allotment_month_begins")),
        sa.CheckConstraint("level BETWEEN 0 AND 4", name=op.f("ck_allotment_level_range")),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_allotment_minutes_positive")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_allotment_person_id")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_allotment_township_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allotment")),
        sa.UniqueConstraint("person_id", "month", name=op.f("uq_allotment_person_id_month")),
    )
    op.create_index("ix_allotment_township", "allotment", ["township_code", "month", "id"], unique=False)
    op.create_table(
        "seed_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("granted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("reason IN ('alone', 'hardship')", name=op.f("ck_seed_grant_reason_known")),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_seed_grant_minutes_positive")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_seed_grant_person_id")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_seed_grant_township_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seed_grant")),
        sa.UniqueConstraint("person_id", name=op.f("uq_seed_grant_person_id")),
    )
    op.create_table(
        "volunteer_star",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("star", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("reached_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("star > 0", name=op.f("ck_volunteer_star_star_positive")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_volunteer_star_person_id")),
        sa.PrimaryKeyConstraint("person_id", "star", name=op.f("pk_volunteer_star")),
    )
    op.create_table(
        "leaving",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("savings_to", sa.Text(), nullable=False),
        sa.Column("to_person_id", sa.Uuid(), nullable=True),
        sa.Column("savings_minutes", sa.BigInteger(), nullable=False),
        sa.Column("granted_minutes", sa.BigInteger(), nullable=False),
        sa.Column("vouchers_refunded", sa.BigInteger(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("left_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("left_by", sa.Uuid(), nullable=False),
        sa.Column("left_by_name", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(savings_to = 'relative') = (to_person_id IS NOT NULL)", name=op.f("ck_leaving_relative_named")
        ),
        sa.CheckConstraint("reason IN ('left', 'died')", name=op.f("ck_leaving_reason_known")),
        sa.CheckConstraint("savings_to IN ('pool', 'relative')", name=op.f("ck_leaving_destination_known")),
        sa.CheckConstraint(
            "savings_minutes >= 0 AND granted_minutes >= 0", name=op.f("ck_leaving_minutes_not_negative")
        ),
        sa.CheckConstraint("to_person_id <> person_id", name=op.f("ck_leaving_not_oneself")),
        sa.CheckConstraint("vouchers_refunded >= 0", name=op.f("ck_leaving_vouchers_not_negative")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_leaving_person_id")),
        sa.ForeignKeyConstraint(["to_person_id"], ["person.id"], name=op.f("fk_leaving_to_person_id")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_leaving_township_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaving")),
    )
    op.create_index("ix_leaving_person", "leaving", ["person_id", "left_at"], unique=False)
    op.create_table(
        "leaving_late_minutes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("leaving_id", sa.Uuid(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_leaving_late_minutes_minutes_positive")),
        sa.ForeignKeyConstraint(["leaving_id"], ["leaving.id"], name=op.f("fk_leaving_late_minutes_leaving_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaving_late_minutes")),
    )
    op.create_index("ix_leaving_late_minutes_leaving", "leaving_late_minutes", ["leaving_id"], unique=False)
    op.create_table(
        "death_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("died_on", sa.Date(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("reported_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reported_by", sa.Uuid(), nullable=False),
        sa.Column("reported_by_name", sa.Text(), nullable=False),
        sa.Column("first_approved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("first_approved_by", sa.Uuid(), nullable=True),
        sa.Column("first_approved_by_name", sa.Text(), nullable=True),
        sa.Column("second_approved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("second_approved_by", sa.Uuid(), nullable=True),
        sa.Column("second_approved_by_name", sa.Text(), nullable=True),
        sa.Column("declined_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("declined_by", sa.Uuid(), nullable=True),
        sa.Column("declined_by_name", sa.Text(), nullable=True),
        sa.Column("decline_reason", sa.Text(), nullable=True),
        sa.Column("leaving_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("evidence <> ''", name=op.f("ck_death_report_evidence_given")),
        sa.CheckConstraint(
            "declined_at IS NULL OR second_approved_at IS NULL", name=op.f("ck_death_report_declined_or_done")
        ),
        sa.CheckConstraint(
            "first_approved_by <> reported_by AND second_approved_by <> reported_by AND second_approved_by <> first_approved_by",
            name=op.f("ck_death_report_three_people"),
        ),
        sa.CheckConstraint(
            "num_nulls(declined_at, declined_by, declined_by_name, decline_reason) IN (0, 4)",
            name=op.f("ck_death_report_declined_whole"),
        ),
        sa.CheckConstraint(
            "num_nulls(first_approved_at, first_approved_by, first_approved_by_name) IN (0, 3)",
            name=op.f("ck_death_report_first_whole"),
        ),
        sa.CheckConstraint(
            "num_nulls(second_approved_at, second_approved_by, second_approved_by_name, leaving_id) IN (0, 4)",
            name=op.f("ck_death_report_second_whole"),
        ),
        sa.CheckConstraint(
            "second_approved_at IS NULL OR first_approved_at IS NOT NULL",
            name=op.f("ck_death_report_first_before_second"),
        ),
        sa.ForeignKeyConstraint(["leaving_id"], ["leaving.id"], name=op.f("fk_death_report_leaving_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_death_report_person_id")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_death_report_township_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_death_report")),
    )
    op.create_index("ix_death_report_person", "death_report", ["person_id"], unique=False)
    op.create_index("ix_death_report_township", "death_report", ["township_code", "id"], unique=False)
    op.create_index(
        "uq_death_report_standing", "death_report", ["person_id"], unique=True, postgresql_where="declined_at IS NULL"
    )
    op.execute(sql("allotments.sql"))
    op.execute(sql("leaving.sql"))
    ship_missing_policies()


def downgrade() -> None:
    for table in (
        *("death_report", "leaving_late_minutes", "leaving", "volunteer_star"),
        *("seed_grant", "allotment", "elder_assessment"),
    ):
        op.drop_table(table)
    for function in ("leaving_guard_report", "leaving_refuse_change", "allotment_refuse_change"):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_index("ix_task_assignment_earned", table_name="task_assignment")
    op.drop_constraint(op.f("ck_task_assignment_surplus_range"), "task_assignment")
    op.drop_column("task_assignment", "surplus_minutes")
    op.drop_index("ix_person_left", table_name="person", postgresql_where="left_at IS NOT NULL")
    op.drop_constraint(op.f("ck_person_death_reported"), "person")
    op.drop_column("person", "died_on")
    op.drop_column("person", "death_reported_at")
