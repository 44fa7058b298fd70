"""Claims, donations, produce."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql

revision = "0020_subsidies"
down_revision = "0019_delivery"
branch_labels = None
depends_on = None

_TABLES = (
    *("subsidy_finding", "subsidy_claim_line", "subsidy_claim_meal", "subsidy_claim"),
    *("produce_gift", "donation_allotment", "meal_donation"),
)
_FUNCTIONS = (
    *("subsidy_guard_claim", "subsidy_claim_adds_up", "subsidy_guard_claim_meal"),
    *("subsidy_guard_finding", "subsidy_guard_claim_line"),
)


def upgrade() -> None:
    op.create_table(
        "donation_allotment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("allotted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("allotted_by", sa.Uuid(), nullable=False),
        sa.Column("allotted_by_name", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_donation_allotment_amount_positive")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_donation_allotment_canteen_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_donation_allotment")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_donation_allotment_transfer_id")),
    )
    op.create_index("ix_donation_allotment_canteen", "donation_allotment", ["canteen_id", "id"], unique=False)
    op.create_table(
        "meal_donation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("donor_name", sa.Text(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("canteen_id", sa.Uuid(), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("received_by", sa.Uuid(), nullable=False),
        sa.Column("received_by_name", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("donor_name <> ''", name=op.f("ck_meal_donation_donor_named")),
        sa.CheckConstraint("reference <> ''", name=op.f("ck_meal_donation_referenced")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_meal_donation_amount_positive")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_meal_donation_canteen_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meal_donation")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_meal_donation_transfer_id")),
    )
    op.create_index("ix_meal_donation_canteen", "meal_donation", ["canteen_id", "id"], unique=False)
    op.create_index("ix_meal_donation_reference", "meal_donation", ["reference"], unique=False)
    op.create_table(
        "produce_gift",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("weight_g", sa.BigInteger(), nullable=False),
        sa.Column("value_fen", sa.BigInteger(), nullable=False),
        sa.Column("proposed_fen", sa.BigInteger(), nullable=False),
        sa.Column("from_name", sa.Text(), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("received_by", sa.Uuid(), nullable=False),
        sa.Column("received_by_name", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("item <> ''", name=op.f("ck_produce_gift_named")),
        sa.CheckConstraint("weight_g > 0 AND value_fen > 0", name=op.f("ck_produce_gift_positive")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_produce_gift_canteen_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_produce_gift")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_produce_gift_transfer_id")),
    )
    op.create_index("ix_produce_gift_canteen", "produce_gift", ["canteen_id", "id"], unique=False)
    op.create_table(
        "subsidy_claim",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("meals", sa.BigInteger(), nullable=False),
        sa.Column("list_fen", sa.BigInteger(), nullable=False),
        sa.Column("elder_fen", sa.BigInteger(), nullable=False),
        sa.Column("government_fen", sa.BigInteger(), nullable=False),
        sa.Column("donation_fen", sa.BigInteger(), nullable=False),
        sa.Column("garden_fen", sa.BigInteger(), nullable=False),
        sa.Column("volunteers_fen", sa.BigInteger(), nullable=False),
        sa.Column("volunteers_in_kind_fen", sa.BigInteger(), nullable=False),
        sa.Column("operating_fen", sa.BigInteger(), nullable=False),
        sa.Column("ledger_fen", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("computed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("computed_by", sa.Uuid(), nullable=True),
        sa.Column("computed_by_name", sa.Text(), nullable=False),
        sa.Column("disallowed_fen", sa.BigInteger(), nullable=True),
        sa.Column("township_approved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("township_approved_by", sa.Uuid(), nullable=True),
        sa.Column("township_approved_by_name", sa.Text(), nullable=True),
        sa.Column("approved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by_name", sa.Text(), nullable=True),
        sa.Column("netted_fen", sa.BigInteger(), nullable=True),
        sa.Column("paid_fen", sa.BigInteger(), nullable=True),
        sa.Column("paid_reference", sa.Text(), nullable=True),
        sa.Column("paid_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("paid_by", sa.Uuid(), nullable=True),
        sa.Column("paid_by_name", sa.Text(), nullable=True),
        sa.Column("returned_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("returned_by", sa.Uuid(), nullable=True),
        sa.Column("returned_by_name", sa.Text(), nullable=True),
        sa.Column("return_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'returned') = (returned_at IS NOT NULL) AND (state = 'paid') = (paid_at IS NOT NULL)",
            name=op.f("ck_subsidy_claim_ended_fits"),
        ),
        sa.CheckConstraint("month ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'", name=op.f("ck_subsidy_claim_month_form")),
        sa.CheckConstraint(
            "state IN ('computed', 'checked', 'township_approved', 'approved', 'paid', 'returned')",
            name=op.f("ck_subsidy_claim_state_known"),
        ),
        sa.CheckConstraint(
            "state IN ('computed', 'returned') OR ledger_fen = list_fen", name=op.f("ck_subsidy_claim_fits_ledger")
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'paid') OR approved_at IS NOT NULL", name=op.f("ck_subsidy_claim_approved_fits")
        ),
        sa.CheckConstraint(
            "state NOT IN ('township_approved', 'approved', 'paid') OR township_approved_at IS NOT NULL",
            name=op.f("ck_subsidy_claim_township_fits"),
        ),
        sa.CheckConstraint(
            "coalesce(approved_by <> township_approved_by, true) AND coalesce(computed_by <> township_approved_by, true) AND coalesce(computed_by <> approved_by, true)",
            name=op.f("ck_subsidy_claim_other_persons"),
        ),
        sa.CheckConstraint(
            "list_fen = elder_fen + government_fen + donation_fen + garden_fen + volunteers_fen",
            name=op.f("ck_subsidy_claim_shares_add_up"),
        ),
        sa.CheckConstraint(
            "num_nulls(approved_at, approved_by, approved_by_name) IN (0, 3)",
            name=op.f("ck_subsidy_claim_approved_whole"),
        ),
        sa.CheckConstraint(
            "num_nulls(paid_at, paid_by, paid_by_name, paid_reference, netted_fen, paid_fen) IN (0, 6)",
            name=op.f("ck_subsidy_claim_paid_whole"),
        ),
        sa.CheckConstraint(
            "num_nulls(returned_at, returned_by, returned_by_name, return_reason) IN (0, 4)",
            name=op.f("ck_subsidy_claim_returned_whole"),
        ),
        sa.CheckConstraint(
            "num_nulls(township_approved_at, township_approved_by, township_approved_by_name, disallowed_fen) IN (0, 4)",
            name=op.f("ck_subsidy_claim_township_whole"),
        ),
        sa.CheckConstraint(
            "paid_fen >= 0 AND paid_fen = list_fen + operating_fen - disallowed_fen - garden_fen - volunteers_in_kind_fen - netted_fen",
            name=op.f("ck_subsidy_claim_paid_adds_up"),
        ),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_subsidy_claim_canteen_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subsidy_claim")),
    )
    op.create_index("ix_subsidy_claim_canteen", "subsidy_claim", ["canteen_id", "month"], unique=False)
    op.create_index("ix_subsidy_claim_month", "subsidy_claim", ["month", "id"], unique=False)
    op.create_index(
        "uq_subsidy_claim_month",
        "subsidy_claim",
        ["canteen_id", "month"],
        unique=True,
        postgresql_where="state <> 'returned'",
    )
    op.create_table(
        "subsidy_claim_line",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("share", sa.Text(), nullable=False),
        sa.Column("rule_key", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("meals", sa.BigInteger(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("in_kind", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("rule_key <> '' AND label <> ''", name=op.f("ck_subsidy_claim_line_named")),
        sa.CheckConstraint(
            "share IN ('elder', 'government', 'donation', 'garden', 'volunteers')",
            name=op.f("ck_subsidy_claim_line_share_known"),
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["subsidy_claim.id"], name=op.f("fk_subsidy_claim_line_claim_id")),
        sa.PrimaryKeyConstraint("claim_id", "line", name=op.f("pk_subsidy_claim_line")),
    )
    op.create_table(
        "subsidy_claim_meal",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("served_on", sa.Date(), nullable=False),
        sa.Column("meal", sa.Text(), nullable=False),
        sa.Column("meals", sa.SmallInteger(), nullable=False),
        sa.Column("list_fen", sa.BigInteger(), nullable=False),
        sa.Column("elder_fen", sa.BigInteger(), nullable=False),
        sa.Column("government_fen", sa.BigInteger(), nullable=False),
        sa.Column("donation_fen", sa.BigInteger(), nullable=False),
        sa.Column("garden_fen", sa.BigInteger(), nullable=False),
        sa.Column("volunteers_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("meal IN ('breakfast', 'lunch', 'supper')", name=op.f("ck_subsidy_claim_meal_meal_known")),
        sa.CheckConstraint(
            "(elder_fen, government_fen, donation_fen, garden_fen, volunteers_fen) <> (0, 0, 0, 0, 0)",
            name=op.f("ck_subsidy_claim_meal_something"),
        ),
        sa.CheckConstraint(
            "list_fen = elder_fen + government_fen + donation_fen + garden_fen + volunteers_fen",
            name=op.f("ck_subsidy_claim_meal_shares_add_up"),
        ),
        sa.CheckConstraint("meals BETWEEN -1 AND 1", name=op.f("ck_subsidy_claim_meal_one_meal")),
        sa.ForeignKeyConstraint(["claim_id"], ["subsidy_claim.id"], name=op.f("fk_subsidy_claim_meal_claim_id")),
        sa.ForeignKeyConstraint(["order_id"], ["meal_order.id"], name=op.f("fk_subsidy_claim_meal_order_id")),
        sa.PrimaryKeyConstraint("claim_id", "order_id", name=op.f("pk_subsidy_claim_meal")),
    )
    op.create_index("ix_subsidy_claim_meal_order", "subsidy_claim_meal", ["order_id"], unique=False)
    op.create_table(
        "subsidy_finding",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.CheckConstraint("decision IN ('upheld', 'dismissed')", name=op.f("ck_subsidy_finding_decision_known")),
        sa.CheckConstraint("decision_reason <> ''", name=op.f("ck_subsidy_finding_decision_reasoned")),
        sa.CheckConstraint(
            "kind <> 'ledger_mismatch' OR decision IS NULL", name=op.f("ck_subsidy_finding_mismatch_is_not_for_hands")
        ),
        sa.CheckConstraint(
            "kind IN ('ledger_mismatch', 'over_daily_limit', 'category_not_valid', 'duplicate_elsewhere', 'diner_gone', 'beyond_capacity', 'served_outside_hours', 'many_by_one')",
            name=op.f("ck_subsidy_finding_kind_known"),
        ),
        sa.CheckConstraint(
            "order_id IS NOT NULL OR kind = 'ledger_mismatch'", name=op.f("ck_subsidy_finding_order_named")
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_subsidy_finding_reasoned")),
        sa.CheckConstraint("fen >= 0", name=op.f("ck_subsidy_finding_not_negative")),
        sa.CheckConstraint(
            "num_nulls(decision, decision_reason, decided_at, decided_by, decided_by_name) IN (0, 5)",
            name=op.f("ck_subsidy_finding_decided_whole"),
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["subsidy_claim.id"], name=op.f("fk_subsidy_finding_claim_id")),
        sa.ForeignKeyConstraint(["order_id"], ["meal_order.id"], name=op.f("fk_subsidy_finding_order_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_subsidy_finding_person_id")),
        sa.PrimaryKeyConstraint("claim_id", "number", name=op.f("pk_subsidy_finding")),
    )
    op.create_index(
        "ix_subsidy_finding_order",
        "subsidy_finding",
        ["order_id"],
        unique=False,
        postgresql_where="order_id IS NOT NULL",
    )
    op.create_index(
        "ix_subsidy_finding_person",
        "subsidy_finding",
        ["person_id"],
        unique=False,
        postgresql_where="person_id IS NOT NULL",
    )
    op.execute(sql("subsidies.sql"))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    for function in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
