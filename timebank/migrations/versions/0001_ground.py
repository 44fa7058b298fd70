"""Policies, townships, people, notices, audit and kept replies."""

from __future__ import annotations

import csv

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import FOLDER, sql
from timebank.migrations.policies import ship_missing_policies

revision = "0001_ground"
down_revision = None
branch_labels = None
depends_on = None

PILOTS = {"330213007", "330213004", "330213107"}


def upgrade() -> None:
    # Spans of time that exclude one another need it; PostgreSQL counts it as trusted.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("login_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(
        "ix_audit_entry_subject",
        "audit_entry",
        ["subject_kind", "subject_id"],
        unique=False,
    )
    op.create_table(
        "key_mark",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_key_mark_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_mark")),
    )
    op.create_table(
        "kept_reply",
        sa.Column("login_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("body", postgresql.JSONB(), nullable=True),
        sa.Column("kept_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("login_id", "key", name=op.f("pk_kept_reply")),
    )
    op.create_index("ix_kept_reply_kept_at", "kept_reply", ["kept_at"], unique=False)
    op.create_table(
        "login_attempt",
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("blocked_until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_login_attempt")),
    )
    op.create_table(
        "policy_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("effective_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_by_name", sa.Text(), nullable=False),
        sa.Column("proposed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by_name", sa.Text(), nullable=True),
        sa.Column("approved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(approved_by IS NULL) = (approved_at IS NULL)",
            name=op.f("ck_policy_change_approved_whole"),
        ),
        sa.CheckConstraint(
            "approved_at IS NULL OR approved_at <= effective_at",
            name=op.f("ck_policy_change_never_backdated"),
        ),
        sa.CheckConstraint(
            "approved_by IS NULL OR approved_by <> proposed_by",
            name=op.f("ck_policy_change_second_person"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_change")),
    )
    op.create_table(
        "township",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_pilot", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_township")),
        sa.UniqueConstraint("name", name=op.f("uq_township_name")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('canteen', 'provider')", name=op.f("ck_organisation_kind_known")),
        sa.ForeignKeyConstraint(
            ["township_code"],
            ["township.code"],
            name=op.f("fk_organisation_township_code"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("name", name=op.f("uq_organisation_name")),
    )
    op.create_index(
        "ix_organisation_township_kind",
        "organisation",
        ["township_code", "kind"],
        unique=False,
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("id_number", sa.LargeBinary(), nullable=False),
        sa.Column("id_number_index", sa.LargeBinary(), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("enrolled_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("enrolled_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("name <> ''", name=op.f("ck_person_name_given")),
        sa.CheckConstraint("sex IN ('F', 'M')", name=op.f("ck_person_sex_known")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_person_township_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("id_number_index", name=op.f("uq_person_id_number_index")),
    )
    op.create_index("ix_person_township", "person", ["township_code", "id"], unique=False)
    op.create_table(
        "policy_value",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=True),
        sa.Column(
            "scope",
            sa.Text(),
            sa.Computed("coalesce(township_code, 'district')", persisted=True),
            nullable=False,
        ),
        sa.Column("value", postgresql.JSONB(), nullable=False),
        sa.Column("valid_from", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("valid_to", postgresql.TIMESTAMP(timezone=True), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("key"), "="),
            (sa.column("scope"), "="),
            (sa.text("tstzrange(valid_from, valid_to)"), "&&"),
            where=sa.text("valid_from IS NOT NULL"),
            using="gist",
            name="ex_policy_value_one_in_force",
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from",
            name=op.f("ck_policy_value_valid_order"),
        ),
        sa.ForeignKeyConstraint(["change_id"], ["policy_change.id"], name=op.f("fk_policy_value_change_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_value")),
    )
    op.create_index(
        "uq_policy_value_change_key_scope",
        "policy_value",
        ["change_id", "key", "scope"],
        unique=True,
    )
    op.create_table(
        "village",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.CheckConstraint("left(code, 9) = township_code", name=op.f("ck_village_within_township")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_village_township_code")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_village")),
    )
    op.create_index(op.f("ix_village_township_code"), "village", ["township_code"], unique=False)
    op.create_table(
        "elder_file",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_level", sa.SmallInteger(), nullable=True),
        sa.Column(
            "circumstances",
            postgresql.ARRAY(sa.TEXT()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("village", sa.Text(), nullable=True),
        sa.CheckConstraint("assessment_level BETWEEN 0 AND 4", name=op.f("ck_elder_file_level_range")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_elder_file_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_elder_file")),
    )
    op.create_table(
        "login",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("staff_role", sa.Text(), nullable=True),
        sa.Column("township_code", sa.Text(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("disabled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(staff_role = 'canteen_clerk') = (organisation_id IS NOT NULL)",
            name=op.f("ck_login_canteen_fits"),
        ),
        sa.CheckConstraint(
            "(staff_role IN ('township_steward', 'canteen_clerk')) = (township_code IS NOT NULL)",
            name=op.f("ck_login_township_fits"),
        ),
        sa.CheckConstraint(
            "staff_role IN ('district_steward', 'township_steward', 'canteen_clerk', 'auditor')",
            name=op.f("ck_login_role_known"),
        ),
        sa.CheckConstraint("(openid IS NULL) <> (username IS NULL)", name=op.f("ck_login_one_way_in")),
        sa.CheckConstraint(
            "(username IS NULL) = (password_hash IS NULL)",
            name=op.f("ck_login_password_with_name"),
        ),
        sa.CheckConstraint(
            "(username IS NULL) = (staff_role IS NULL)",
            name=op.f("ck_login_role_with_name"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_login_organisation_id"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_login_person_id")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_login_township_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login")),
        sa.UniqueConstraint("openid", name=op.f("uq_login_openid")),
        sa.UniqueConstraint("username", name=op.f("uq_login_username")),
    )
    op.create_index(
        "uq_login_person",
        "login",
        ["person_id"],
        unique=True,
        postgresql_where="openid IS NOT NULL",
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("township_code", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("next_try_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("given_up_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(audience = 'person') = (person_id IS NOT NULL)",
            name=op.f("ck_notice_person_given"),
        ),
        sa.CheckConstraint("audience IN ('person', 'stewards')", name=op.f("ck_notice_audience_known")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_notice_person_id")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_notice_township_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(
        "ix_notice_person",
        "notice",
        ["person_id", "id"],
        unique=False,
        postgresql_where="person_id IS NOT NULL",
    )
    op.create_index(
        "ix_notice_stewards",
        "notice",
        ["township_code", "id"],
        unique=False,
        postgresql_where="audience = 'stewards'",
    )
    op.create_index(
        "ix_notice_unsent",
        "notice",
        ["next_try_at"],
        unique=False,
        postgresql_where="sent_at IS NULL AND given_up_at IS NULL",
    )
    op.create_table(
        "person_role",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('volunteer', 'elder')", name=op.f("ck_person_role_role_known")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_role_person_id")),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_person_role")),
    )
    op.create_table(
        "proxy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("elder_id", sa.Uuid(), nullable=False),
        sa.Column("proxy_id", sa.Uuid(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("consent_evidence", sa.Text(), nullable=False),
        sa.Column("registered_by", sa.Uuid(), nullable=False),
        sa.Column("registered_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("elder_id <> proxy_id", name=op.f("ck_proxy_not_oneself")),
        sa.ForeignKeyConstraint(["elder_id"], ["person.id"], name=op.f("fk_proxy_elder_id")),
        sa.ForeignKeyConstraint(["proxy_id"], ["person.id"], name=op.f("fk_proxy_proxy_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proxy")),
    )
    op.create_index(
        "ix_proxy_proxy_active",
        "proxy",
        ["proxy_id"],
        unique=False,
        postgresql_where="ended_at IS NULL",
    )
    op.create_index(
        "uq_proxy_elder_proxy_active",
        "proxy",
        ["elder_id", "proxy_id"],
        unique=True,
        postgresql_where="ended_at IS NULL",
    )
    _load_divisions()
    # Before the guards: the shipped set is in force without anybody's approval.
    op.execute(sql("ground.sql"))
    ship_missing_policies()


def downgrade() -> None:
    op.drop_index(
        "uq_proxy_elder_proxy_active",
        table_name="proxy",
        postgresql_where="ended_at IS NULL",
    )
    op.drop_index("ix_proxy_proxy_active", table_name="proxy", postgresql_where="ended_at IS NULL")
    op.drop_table("proxy")
    op.drop_table("person_role")
    op.drop_index(
        "ix_notice_unsent",
        table_name="notice",
        postgresql_where="sent_at IS NULL AND given_up_at IS NULL",
    )
    op.drop_index(
        "ix_notice_stewards",
        table_name="notice",
        postgresql_where="audience = 'stewards'",
    )
    op.drop_index(
        "ix_notice_person",
        table_name="notice",
        postgresql_where="person_id IS NOT NULL",
    )
    op.drop_table("notice")
    op.drop_index("uq_login_person", table_name="login", postgresql_where="openid IS NOT NULL")
    op.drop_table("login")
    op.drop_table("elder_file")
    op.drop_index(op.f("ix_village_township_code"), table_name="village")
    op.drop_table("village")
    op.drop_index("uq_policy_value_change_key_scope", table_name="policy_value")
    op.drop_table("policy_value")
    op.drop_index("ix_person_township", table_name="person")
    op.drop_table("person")
    op.drop_index("ix_organisation_township_kind", table_name="organisation")
    op.drop_table("organisation")
    op.drop_table("township")
    op.drop_table("policy_change")
    op.drop_table("login_attempt")
    op.drop_index("ix_kept_reply_kept_at", table_name="kept_reply")
    op.drop_table("key_mark")
    op.drop_table("kept_reply")
    op.drop_index("ix_audit_entry_subject", table_name="audit_entry")
    op.drop_table("audit_entry")
    op.execute("DROP FUNCTION audit_refuse_change, policy_guard_value, policy_guard_change, policy_refuse_truncate")


def _load_divisions() -> None:
    """Fenghua's twelve townships and their villages, by national division code."""
    with (FOLDER / "data" / "fenghua_divisions.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    townships = {row["township_code"]: row["township"] for row in rows}
    op.bulk_insert(
        sa.table("township", sa.column("code"), sa.column("name"), sa.column("is_pilot")),
        [{"code": code, "name": name, "is_pilot": code in PILOTS} for code, name in townships.items()],
    )
    op.bulk_insert(
        sa.table("village", sa.column("code"), sa.column("name"), sa.column("township_code")),
        [{"code": row["village_code"], "name": row["village"], "township_code": row["township_code"]} for row in rows],
    )
