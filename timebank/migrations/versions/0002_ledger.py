"""The ledger, its guards and its books."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql

revision = "0002_ledger"
down_revision = "0001_ground"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_seal",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_seq", sa.BigInteger(), nullable=False),
        sa.Column("to_seq", sa.BigInteger(), nullable=False),
        sa.Column("transfers", sa.BigInteger(), nullable=False),
        sa.Column("merkle_root", sa.LargeBinary(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "length(merkle_root) = 32 AND length(hash) = 32",
            name=op.f("ck_ledger_seal_digest_length"),
        ),
        sa.CheckConstraint("to_seq > from_seq", name=op.f("ck_ledger_seal_range_order")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger_seal")),
        sa.UniqueConstraint("to_seq", name=op.f("uq_ledger_seal_to_seq")),
    )
    op.create_table(
        "ledger_transfer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("book_code", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("from_account_id", sa.BigInteger(), nullable=False),
        sa.Column("to_account_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=True),
        sa.Column("counterpart_book_code", sa.Text(), nullable=True),
        sa.Column("from_version", sa.BigInteger(), nullable=True),
        sa.Column("from_balance", sa.BigInteger(), nullable=True),
        sa.Column("to_version", sa.BigInteger(), nullable=True),
        sa.Column("to_balance", sa.BigInteger(), nullable=True),
        sa.Column("effective_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=True),
        sa.Column("cause_kind", sa.Text(), nullable=True),
        sa.Column("cause_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "reverses_id IS NULL OR note <> ''",
            name=op.f("ck_ledger_transfer_reversal_reasoned"),
        ),
        sa.CheckConstraint(
            "(from_version IS NULL) = (from_balance IS NULL)",
            name=op.f("ck_ledger_transfer_from_whole"),
        ),
        sa.CheckConstraint(
            "(link_id IS NULL) = (counterpart_book_code IS NULL)",
            name=op.f("ck_ledger_transfer_link_whole"),
        ),
        sa.CheckConstraint(
            "(reverses_id IS NULL) = (approved_by IS NULL)",
            name=op.f("ck_ledger_transfer_reversal_approved"),
        ),
        sa.CheckConstraint(
            "(to_version IS NULL) = (to_balance IS NULL)",
            name=op.f("ck_ledger_transfer_to_whole"),
        ),
        sa.CheckConstraint(
            "amount > 0 AND amount <= 9007199254740991",
            name=op.f("ck_ledger_transfer_amount_range"),
        ),
        sa.CheckConstraint(
            "approved_by IS NULL OR (recorded_by IS NOT NULL AND approved_by <> recorded_by)",
            name=op.f("ck_ledger_transfer_second_person"),
        ),
        sa.CheckConstraint(
            "from_account_id <> to_account_id",
            name=op.f("ck_ledger_transfer_two_accounts"),
        ),
        sa.CheckConstraint(
            "from_balance >= 0 AND to_balance >= 0",
            name=op.f("ck_ledger_transfer_balances_floor"),
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"],
            ["ledger_transfer.id"],
            name=op.f("fk_ledger_transfer_reverses_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transfer")),
        sa.UniqueConstraint(
            "from_account_id",
            "from_version",
            name=op.f("uq_ledger_transfer_from_account_id_from_version"),
        ),
        sa.UniqueConstraint("seq", name=op.f("uq_ledger_transfer_seq")),
        sa.UniqueConstraint(
            "to_account_id",
            "to_version",
            name=op.f("uq_ledger_transfer_to_account_id_to_version"),
        ),
    )
    op.create_index(
        "ix_ledger_transfer_cause",
        "ledger_transfer",
        ["cause_id"],
        unique=False,
        postgresql_where="cause_id IS NOT NULL",
    )
    op.create_index(
        "ix_ledger_transfer_from_open",
        "ledger_transfer",
        ["from_account_id", "seq"],
        unique=False,
        postgresql_where="from_version IS NULL",
    )
    op.create_index(
        "ix_ledger_transfer_recorded",
        "ledger_transfer",
        ["recorded_at"],
        unique=False,
        postgresql_using="brin",
    )
    op.create_index(
        "ix_ledger_transfer_to_open",
        "ledger_transfer",
        ["to_account_id", "seq"],
        unique=False,
        postgresql_where="to_version IS NULL",
    )
    op.create_index(
        "uq_ledger_transfer_reverses",
        "ledger_transfer",
        ["reverses_id"],
        unique=True,
        postgresql_where="reverses_id IS NOT NULL",
    )
    op.create_table(
        "ledger_book",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "code = coalesce(township_code, 'house')",
            name=op.f("ck_ledger_book_code_fits"),
        ),
        sa.ForeignKeyConstraint(
            ["township_code"],
            ["township.code"],
            name=op.f("fk_ledger_book_township_code"),
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_ledger_book")),
        sa.UniqueConstraint("township_code", name=op.f("uq_ledger_book_township_code")),
    )
    op.create_table(
        "ledger_reversal_request",
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "approved_by <> requested_by",
            name=op.f("ck_ledger_reversal_request_second_person"),
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"],
            ["ledger_transfer.id"],
            name=op.f("fk_ledger_reversal_request_transfer_id"),
        ),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_ledger_reversal_request")),
    )
    op.create_table(
        "ledger_seal_handout",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("seal_number", sa.BigInteger(), nullable=False),
        sa.Column("seal_hash", sa.LargeBinary(), nullable=False),
        sa.Column("handed_out_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["seal_number"],
            ["ledger_seal.number"],
            name=op.f("fk_ledger_seal_handout_seal_number"),
        ),
        sa.ForeignKeyConstraint(
            ["township_code"],
            ["township.code"],
            name=op.f("fk_ledger_seal_handout_township_code"),
        ),
        sa.PrimaryKeyConstraint("day", "township_code", name=op.f("pk_ledger_seal_handout")),
    )
    op.create_table(
        "ledger_account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("book_code", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("floored", sa.Boolean(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("posted", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("held", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(expires_on IS NOT NULL) = (kind = 'granted')",
            name=op.f("ck_ledger_account_only_lots_expire"),
        ),
        sa.CheckConstraint(
            "floored = (kind IN ('fund', 'granted', 'pool', 'purse', 'savings', 'vouchers'))",
            name=op.f("ck_ledger_account_floor_fits_kind"),
        ),
        sa.CheckConstraint(
            "kind IN ('savings', 'granted', 'vouchers', 'pool', 'issuance', 'clearing', 'redeemed', 'purse', 'fund', 'cash')",
            name=op.f("ck_ledger_account_kind_known"),
        ),
        sa.CheckConstraint("unit IN ('minute', 'fen')", name=op.f("ck_ledger_account_unit_known")),
        sa.CheckConstraint(
            "closed_at IS NULL OR (posted = 0 AND held = 0)",
            name=op.f("ck_ledger_account_closed_empty"),
        ),
        sa.CheckConstraint(
            "floored OR (posted = 0 AND held = 0 AND version = 0)",
            name=op.f("ck_ledger_account_no_balance_without_floor"),
        ),
        sa.CheckConstraint("held >= 0 AND posted - held >= 0", name=op.f("ck_ledger_account_floor")),
        sa.ForeignKeyConstraint(
            ["book_code"],
            ["ledger_book.code"],
            name=op.f("fk_ledger_account_book_code"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_ledger_account_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
    )
    op.create_index(
        "ix_ledger_account_expiring",
        "ledger_account",
        ["expires_on"],
        unique=False,
        postgresql_where="expires_on IS NOT NULL AND posted > 0",
    )
    op.create_index(
        "ix_ledger_account_open", "ledger_account", ["id"], unique=False, postgresql_where=sa.text("NOT floored")
    )
    op.create_index(
        "ix_ledger_account_person",
        "ledger_account",
        ["person_id"],
        unique=False,
        postgresql_where="person_id IS NOT NULL",
    )
    op.create_index(
        "uq_ledger_account_holder",
        "ledger_account",
        ["book_code", "unit", "kind", "person_id", "expires_on"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where="closed_at IS NULL",
    )
    op.create_table(
        "ledger_checkpoint",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("upto_seq", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["ledger_account.id"],
            name=op.f("fk_ledger_checkpoint_account_id"),
        ),
        sa.PrimaryKeyConstraint("account_id", "upto_seq", name=op.f("pk_ledger_checkpoint")),
    )
    op.create_table(
        "ledger_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("captured_amount", sa.BigInteger(), nullable=True),
        sa.Column("cause_kind", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.Uuid(), nullable=False),
        sa.Column("placed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'captured') = (captured_amount IS NOT NULL)",
            name=op.f("ck_ledger_hold_captured_whole"),
        ),
        sa.CheckConstraint(
            "(state = 'placed') = (ended_at IS NULL)",
            name=op.f("ck_ledger_hold_ended_whole"),
        ),
        sa.CheckConstraint(
            "state IN ('placed', 'captured', 'released', 'expired')",
            name=op.f("ck_ledger_hold_state_known"),
        ),
        sa.CheckConstraint(
            "amount > 0 AND amount <= 9007199254740991",
            name=op.f("ck_ledger_hold_amount_range"),
        ),
        sa.CheckConstraint(
            "captured_amount > 0 AND captured_amount <= amount",
            name=op.f("ck_ledger_hold_captured_range"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["ledger_account.id"],
            name=op.f("fk_ledger_hold_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_hold")),
    )
    op.create_index(
        "ix_ledger_hold_account",
        "ledger_hold",
        ["account_id"],
        unique=False,
        postgresql_where="state = 'placed'",
    )
    op.create_index(
        "ix_ledger_hold_expiring",
        "ledger_hold",
        ["expires_at"],
        unique=False,
        postgresql_where="state = 'placed'",
    )
    op.execute(sql("ledger_apply_transfers.sql"))
    op.execute(sql("ledger.sql"))
    op.execute(_OPEN_BOOKS)


def downgrade() -> None:
    op.drop_index(
        "ix_ledger_hold_expiring",
        table_name="ledger_hold",
        postgresql_where="state = 'placed'",
    )
    op.drop_index(
        "ix_ledger_hold_account",
        table_name="ledger_hold",
        postgresql_where="state = 'placed'",
    )
    op.drop_table("ledger_hold")
    op.drop_table("ledger_checkpoint")
    op.drop_index(
        "uq_ledger_account_holder",
        table_name="ledger_account",
        postgresql_nulls_not_distinct=True,
        postgresql_where="closed_at IS NULL",
    )
    op.drop_index("ix_ledger_account_open", table_name="ledger_account", postgresql_where=sa.text("NOT floored"))
    op.drop_index(
        "ix_ledger_account_person",
        table_name="ledger_account",
        postgresql_where="person_id IS NOT NULL",
    )
    op.drop_index(
        "ix_ledger_account_expiring",
        table_name="ledger_account",
        postgresql_where="expires_on IS NOT NULL AND posted > 0",
    )
    op.drop_table("ledger_account")
    op.drop_table("ledger_seal_handout")
    op.drop_table("ledger_reversal_request")
    op.drop_table("ledger_book")
    op.drop_index(
        "uq_ledger_transfer_reverses",
        table_name="ledger_transfer",
        postgresql_where="reverses_id IS NOT NULL",
    )
    op.drop_index(
        "ix_ledger_transfer_to_open",
        table_name="ledger_transfer",
        postgresql_where="to_version IS NULL",
    )
    op.drop_index(
        "ix_ledger_transfer_recorded",
        table_name="ledger_transfer",
        postgresql_using="brin",
    )
    op.drop_index(
        "ix_ledger_transfer_from_open",
        table_name="ledger_transfer",
        postgresql_where="from_version IS NULL",
    )
    op.drop_index(
        "ix_ledger_transfer_cause",
        table_name="ledger_transfer",
        postgresql_where="cause_id IS NOT NULL",
    )
    op.drop_table("ledger_transfer")
    op.drop_table("ledger_seal")
    op.execute("DROP FUNCTION ledger_apply_transfers, ledger_apply_hold, ledger_guard_account, ledger_refuse_change")


# A book for every township and one for the house, each with its own accounts of both units.
_OPEN_BOOKS = """
INSERT INTO ledger_book (code, township_code) SELECT code, code FROM township;
INSERT INTO ledger_book (code) VALUES ('house');
INSERT INTO ledger_account (book_code, unit, kind, floored, opened_at)
SELECT b.code, k.unit, k.kind, k.floored, timestamptz '2020-01-01 00:00:00+00'
FROM ledger_book b
CROSS JOIN (VALUES ('minute', 'issuance', false), ('minute', 'clearing', false), ('minute', 'redeemed', false),
                   ('minute', 'pool', true), ('fen', 'cash', false), ('fen', 'clearing', false),
                   ('fen', 'fund', true)) AS k (unit, kind, floored)
ORDER BY b.code, k.unit DESC, k.kind;
"""
