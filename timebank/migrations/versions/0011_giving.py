"""Family, gifts, donations, hardship help."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql

revision = "0011_giving"
down_revision = "0010_aids"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "family_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("proposer_id", sa.Uuid(), nullable=False),
        sa.Column("asked_index", sa.LargeBinary(), nullable=False),
        sa.Column("asked_name", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.TEXT()), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("proposed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_by_name", sa.Text(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("told_of", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("answered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_by_name", sa.Text(), nullable=True),
        sa.CheckConstraint("(kind = 'proxy') = (scopes IS NOT NULL)", name=op.f("ck_family_proposal_scopes_fit")),
        sa.CheckConstraint(
            "kind <> 'relation' OR relation IN ('spouse', 'parent', 'child', 'grandparent', 'grandchild', 'sibling', 'parent_in_law', 'child_in_law', 'other')",
            name=op.f("ck_family_proposal_relation_known"),
        ),
        sa.CheckConstraint("kind IN ('relation', 'proxy')", name=op.f("ck_family_proposal_kind_known")),
        sa.CheckConstraint(
            "num_nulls(answered_at, answered_by, answered_by_name) = CASE status WHEN 'waiting' THEN 3 ELSE 0 END",
            name=op.f("ck_family_proposal_answered_whole"),
        ),
        sa.CheckConstraint(
            "scopes <@ ARRAY['meals', 'help', 'care', 'aids', 'gifts'] AND cardinality(scopes) > 0",
            name=op.f("ck_family_proposal_scopes_known"),
        ),
        sa.CheckConstraint(
            "status IN ('waiting', 'accepted', 'declined', 'withdrawn')", name=op.f("ck_family_proposal_status_known")
        ),
        sa.CheckConstraint("told_of IN ('waiting', 'accepted')", name=op.f("ck_family_proposal_told_of_known")),
        sa.CheckConstraint("expires_at > proposed_at", name=op.f("ck_family_proposal_expiry_order")),
        sa.CheckConstraint("length(asked_index) = 32", name=op.f("ck_family_proposal_index_length")),
        sa.ForeignKeyConstraint(["proposer_id"], ["person.id"], name=op.f("fk_family_proposal_proposer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_proposal")),
    )
    op.create_table(
        "family_relation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("relative_id", sa.Uuid(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("person_consent", sa.Text(), nullable=False),
        sa.Column("relative_consent", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("proposal_id", sa.Uuid(), nullable=True),
        sa.Column("registered_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("registered_by", sa.Uuid(), nullable=False),
        sa.Column("registered_by_name", sa.Text(), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_by_name", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "('paper' IN (person_consent, relative_consent)) = (evidence IS NOT NULL)",
            name=op.f("ck_family_relation_paper_has_evidence"),
        ),
        sa.CheckConstraint(
            "person_consent IN ('phone', 'paper') AND relative_consent IN ('phone', 'paper')",
            name=op.f("ck_family_relation_consents_known"),
        ),
        sa.CheckConstraint(
            "relation IN ('spouse', 'parent', 'child', 'grandparent', 'grandchild', 'sibling', 'parent_in_law', 'child_in_law', 'other')",
            name=op.f("ck_family_relation_relation_known"),
        ),
        sa.CheckConstraint(
            "num_nulls(ended_at, ended_by, ended_by_name) IN (0, 3)", name=op.f("ck_family_relation_ended_whole")
        ),
        sa.CheckConstraint("person_id < relative_id", name=op.f("ck_family_relation_pair_ordered")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_family_relation_person_id")),
        sa.ForeignKeyConstraint(["proposal_id"], ["family_proposal.id"], name=op.f("fk_family_relation_proposal_id")),
        sa.ForeignKeyConstraint(["relative_id"], ["person.id"], name=op.f("fk_family_relation_relative_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_relation")),
        sa.UniqueConstraint("proposal_id", name=op.f("uq_family_relation_proposal_id")),
    )
    op.create_table(
        "family_heir",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("heir_id", sa.Uuid(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("named_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("named_by", sa.Uuid(), nullable=False),
        sa.Column("named_by_name", sa.Text(), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_by_name", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "num_nulls(ended_at, ended_by, ended_by_name) IN (0, 3)", name=op.f("ck_family_heir_ended_whole")
        ),
        sa.CheckConstraint("person_id <> heir_id", name=op.f("ck_family_heir_not_oneself")),
        sa.ForeignKeyConstraint(["heir_id"], ["person.id"], name=op.f("fk_family_heir_heir_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_family_heir_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_heir")),
    )
    op.create_table(
        "giving_gift",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("giver_id", sa.Uuid(), nullable=False),
        sa.Column("receiver_id", sa.Uuid(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("given_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("given_by", sa.Uuid(), nullable=False),
        sa.Column("given_by_name", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "relation IN ('spouse', 'parent', 'child', 'grandparent', 'grandchild', 'sibling', 'parent_in_law', 'child_in_law', 'other')",
            name=op.f("ck_giving_gift_relation_known"),
        ),
        sa.CheckConstraint("giver_id <> receiver_id", name=op.f("ck_giving_gift_two_people")),
        sa.CheckConstraint("minutes > 0 AND minutes <= 9007199254740991", name=op.f("ck_giving_gift_minutes_range")),
        sa.ForeignKeyConstraint(["giver_id"], ["person.id"], name=op.f("fk_giving_gift_giver_id")),
        sa.ForeignKeyConstraint(["receiver_id"], ["person.id"], name=op.f("fk_giving_gift_receiver_id")),
        sa.ForeignKeyConstraint(["transfer_id"], ["ledger_transfer.id"], name=op.f("fk_giving_gift_transfer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_giving_gift")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_giving_gift_transfer_id")),
    )
    op.create_table(
        "giving_donation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("donor_id", sa.Uuid(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("from_group", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("donated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("donated_by", sa.Uuid(), nullable=False),
        sa.Column("donated_by_name", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("from_group <> ''", name=op.f("ck_giving_donation_group_named")),
        sa.CheckConstraint(
            "minutes > 0 AND minutes <= 9007199254740991", name=op.f("ck_giving_donation_minutes_range")
        ),
        sa.ForeignKeyConstraint(["donor_id"], ["person.id"], name=op.f("fk_giving_donation_donor_id")),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_giving_donation_township_code")),
        sa.ForeignKeyConstraint(["transfer_id"], ["ledger_transfer.id"], name=op.f("fk_giving_donation_transfer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_giving_donation")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_giving_donation_transfer_id")),
    )
    op.create_table(
        "giving_hardship_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("circumstances", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("requested_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_by_name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.Column("decline_reason", sa.Text(), nullable=True),
        sa.Column("transfer_id", sa.Uuid(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(status = 'declined') = (decline_reason IS NOT NULL)",
            name=op.f("ck_giving_hardship_request_declined_reasoned"),
        ),
        sa.CheckConstraint(
            "num_nulls(decided_at, decided_by, decided_by_name) = CASE status WHEN 'waiting' THEN 3 ELSE 0 END",
            name=op.f("ck_giving_hardship_request_decided_whole"),
        ),
        sa.CheckConstraint(
            "num_nulls(transfer_id, expires_on) = CASE status WHEN 'approved' THEN 0 ELSE 2 END",
            name=op.f("ck_giving_hardship_request_approved_paid"),
        ),
        sa.CheckConstraint("reason <> '' AND evidence <> ''", name=op.f("ck_giving_hardship_request_reasoned")),
        sa.CheckConstraint(
            "status <> 'approved' OR decided_by <> requested_by", name=op.f("ck_giving_hardship_request_second_person")
        ),
        sa.CheckConstraint(
            "status IN ('waiting', 'approved', 'declined')", name=op.f("ck_giving_hardship_request_status_known")
        ),
        sa.CheckConstraint(
            "cardinality(circumstances) > 0", name=op.f("ck_giving_hardship_request_circumstances_given")
        ),
        sa.CheckConstraint(
            "minutes > 0 AND minutes <= 9007199254740991", name=op.f("ck_giving_hardship_request_minutes_range")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_giving_hardship_request_person_id")),
        sa.ForeignKeyConstraint(
            ["township_code"], ["township.code"], name=op.f("fk_giving_hardship_request_township_code")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["ledger_transfer.id"], name=op.f("fk_giving_hardship_request_transfer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_giving_hardship_request")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_giving_hardship_request_transfer_id")),
    )
    op.create_index("ix_family_proposal_asked", "family_proposal", ["asked_index", "id"], unique=False)
    op.create_index("ix_family_proposal_proposer", "family_proposal", ["proposer_id", "id"], unique=False)
    op.create_index(
        "ix_family_proposal_untold",
        "family_proposal",
        ["id"],
        unique=False,
        postgresql_where="status IN ('waiting', 'accepted') AND told_of IS DISTINCT FROM status",
    )
    op.create_index(
        "uq_family_proposal_waiting",
        "family_proposal",
        ["kind", "proposer_id", "asked_index"],
        unique=True,
        postgresql_where="status = 'waiting'",
    )
    op.create_index(
        "ix_family_relation_relative",
        "family_relation",
        ["relative_id"],
        unique=False,
        postgresql_where="ended_at IS NULL",
    )
    op.create_index(
        "uq_family_relation_active",
        "family_relation",
        ["person_id", "relative_id"],
        unique=True,
        postgresql_where="ended_at IS NULL",
    )
    op.create_index(
        "uq_family_heir_active", "family_heir", ["person_id"], unique=True, postgresql_where="ended_at IS NULL"
    )
    op.create_index("ix_giving_gift_giver", "giving_gift", ["giver_id", "id"], unique=False)
    op.create_index("ix_giving_gift_receiver", "giving_gift", ["receiver_id", "id"], unique=False)
    op.create_index("ix_giving_donation_donor", "giving_donation", ["donor_id", "id"], unique=False)
    op.create_index("ix_giving_donation_township", "giving_donation", ["township_code", "id"], unique=False)
    op.create_index("ix_giving_hardship_request_person", "giving_hardship_request", ["person_id", "id"], unique=False)
    op.create_index(
        "ix_giving_hardship_request_township", "giving_hardship_request", ["township_code", "id"], unique=False
    )
    op.execute(sql("giving.sql"))


def downgrade() -> None:
    op.drop_index("ix_giving_hardship_request_person", table_name="giving_hardship_request")
    op.drop_index("ix_giving_hardship_request_township", table_name="giving_hardship_request")
    op.drop_index("ix_giving_donation_donor", table_name="giving_donation")
    op.drop_index("ix_giving_donation_township", table_name="giving_donation")
    op.drop_index("ix_giving_gift_giver", table_name="giving_gift")
    op.drop_index("ix_giving_gift_receiver", table_name="giving_gift")
    op.drop_index("uq_family_heir_active", table_name="family_heir", postgresql_where="ended_at IS NULL")
    op.drop_index("ix_family_relation_relative", table_name="family_relation", postgresql_where="ended_at IS NULL")
    op.drop_index("uq_family_relation_active", table_name="family_relation", postgresql_where="ended_at IS NULL")
    op.drop_index("ix_family_proposal_asked", table_name="family_proposal")
    op.drop_index("ix_family_proposal_proposer", table_name="family_proposal")
    op.drop_index(
        "ix_family_proposal_untold",
        table_name="family_proposal",
        postgresql_where="status IN ('waiting', 'accepted') AND told_of IS DISTINCT FROM status",
    )
    op.drop_index("uq_family_proposal_waiting", table_name="family_proposal", postgresql_where="status = 'waiting'")
    op.drop_table("giving_hardship_request")
    op.drop_table("giving_donation")
    op.drop_table("giving_gift")
    op.drop_table("family_heir")
    op.drop_table("family_relation")
    op.drop_table("family_proposal")
    for name in (
        "giving_guard_hardship",
        "giving_refuse_change",
        "giving_check_donation",
        "giving_check_gift",
        "giving_fits",
        "family_guard_heir",
        "family_guard_relation",
        "family_guard_proposal",
    ):
        op.execute(f"DROP FUNCTION {name}")
