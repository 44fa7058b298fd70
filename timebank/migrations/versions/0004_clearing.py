"""Clearing: windows, statements, disputes, settlements, limits; policies and accounts that they need."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.clearing.rules import window_name
from timebank.core import clock
from timebank.migrations import sql
from timebank.migrations.policies import ship_missing_policies

revision = "0004_clearing"
down_revision = "0003_tasks_and_vouchers"
branch_labels = None
depends_on = None

_KINDS = "'savings', 'granted', 'vouchers', 'pool', 'issuance', 'clearing', 'redeemed', 'purse', 'fund', 'cash'"

# What a township has settled, and what the house nets while it settles.
_OPEN_ACCOUNTS = """
INSERT INTO ledger_account (book_code, unit, kind, floored, opened_at)
SELECT b.code, 'minute', CASE b.code WHEN 'house' THEN 'netting' ELSE 'settled' END, false,
       timestamptz '2020-01-01 00:00:00+00'
FROM ledger_book b ORDER BY b.code
"""


def upgrade() -> None:
    op.create_table(
        "clearing_recomputation",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("differences", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_clearing_recomputation")),
    )
    op.create_table(
        "clearing_tally_mark",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("upto_seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1 AND upto_seq >= 0", name=op.f("ck_clearing_tally_mark_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearing_tally_mark")),
    )
    op.create_table(
        "clearing_window",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("from_seq", sa.BigInteger(), nullable=False),
        sa.Column("to_seq", sa.BigInteger(), nullable=True),
        sa.Column("last_leg_seq", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_by_name", sa.Text(), nullable=True),
        sa.Column("prices", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("settled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(from_seq, to_seq, '(]')"), "&&"), using="gist", name="ex_clearing_window_apart"
        ),
        sa.CheckConstraint(
            "num_nulls(seal, settled_at) = CASE status WHEN 'settled' THEN 0 ELSE 2 END",
            name=op.f("ck_clearing_window_settled_whole"),
        ),
        sa.CheckConstraint(
            "num_nulls(to_seq, last_leg_seq, ends_at, closed_at, closed_by_name, prices) = CASE status WHEN 'open' THEN 6 ELSE 0 END",
            name=op.f("ck_clearing_window_closed_whole"),
        ),
        sa.CheckConstraint(
            "status IN ('open', 'closed', 'under_review', 'settled')", name=op.f("ck_clearing_window_status_known")
        ),
        sa.CheckConstraint(
            "ends_at >= opened_at AND closed_at >= ends_at", name=op.f("ck_clearing_window_closed_after_opened")
        ),
        sa.CheckConstraint("length(seal) = 32", name=op.f("ck_clearing_window_digest_length")),
        sa.CheckConstraint(
            "to_seq >= from_seq AND last_leg_seq >= to_seq", name=op.f("ck_clearing_window_range_order")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_clearing_window")),
        sa.UniqueConstraint("name", name=op.f("uq_clearing_window_name")),
    )
    op.create_index(
        "uq_clearing_window_open", "clearing_window", ["status"], unique=True, postgresql_where="status = 'open'"
    )
    op.create_table(
        "clearing_dispute",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("window_number", sa.BigInteger(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raised_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("raised_by", sa.Uuid(), nullable=False),
        sa.Column("raised_by_name", sa.Text(), nullable=False),
        sa.Column("ruling", sa.Text(), nullable=True),
        sa.Column("ruling_reason", sa.Text(), nullable=True),
        sa.Column("ruled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ruled_by", sa.Uuid(), nullable=True),
        sa.Column("ruled_by_name", sa.Text(), nullable=True),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_clearing_dispute_reasoned")),
        sa.CheckConstraint("ruling IN ('moved', 'stays')", name=op.f("ck_clearing_dispute_ruling_known")),
        sa.CheckConstraint(
            "num_nulls(ruling, ruling_reason, ruled_at, ruled_by, ruled_by_name) IN (0, 5)",
            name=op.f("ck_clearing_dispute_ruled_whole"),
        ),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_clearing_dispute_township_code")),
        sa.ForeignKeyConstraint(["transfer_id"], ["ledger_transfer.id"], name=op.f("fk_clearing_dispute_transfer_id")),
        sa.ForeignKeyConstraint(
            ["window_number"], ["clearing_window.number"], name=op.f("fk_clearing_dispute_window_number")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearing_dispute")),
        sa.UniqueConstraint("window_number", "transfer_id", name=op.f("uq_clearing_dispute_window_number_transfer_id")),
    )
    op.create_index("ix_clearing_dispute_transfer", "clearing_dispute", ["transfer_id"], unique=False)
    op.create_table(
        "clearing_guarantee_call",
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("window_number", sa.BigInteger(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("owed_minutes", sa.BigInteger(), nullable=False),
        sa.Column("hard_limit_minutes", sa.BigInteger(), nullable=False),
        sa.Column("noted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_clearing_guarantee_call_positive")),
        sa.ForeignKeyConstraint(
            ["township_code"], ["township.code"], name=op.f("fk_clearing_guarantee_call_township_code")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["ledger_transfer.id"], name=op.f("fk_clearing_guarantee_call_transfer_id")
        ),
        sa.ForeignKeyConstraint(
            ["window_number"], ["clearing_window.number"], name=op.f("fk_clearing_guarantee_call_window_number")
        ),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_clearing_guarantee_call")),
    )
    op.create_index("ix_clearing_guarantee_call_seq", "clearing_guarantee_call", ["seq"], unique=False)
    op.create_index(
        "ix_clearing_guarantee_call_township", "clearing_guarantee_call", ["township_code", "seq"], unique=False
    )
    op.create_index(
        op.f("ix_clearing_guarantee_call_window_number"), "clearing_guarantee_call", ["window_number"], unique=False
    )
    op.create_table(
        "clearing_limit_override",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("extra_minutes", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=False),
        sa.Column("granted_by_name", sa.Text(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_clearing_limit_override_reasoned")),
        sa.CheckConstraint("extra_minutes > 0", name=op.f("ck_clearing_limit_override_positive")),
        sa.CheckConstraint("valid_until > granted_at", name=op.f("ck_clearing_limit_override_valid_order")),
        sa.ForeignKeyConstraint(
            ["township_code"], ["township.code"], name=op.f("fk_clearing_limit_override_township_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearing_limit_override")),
    )
    op.create_index(
        "ix_clearing_limit_override_township", "clearing_limit_override", ["township_code", "valid_until"], unique=False
    )
    op.create_table(
        "clearing_moved_line",
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("from_window", sa.BigInteger(), nullable=False),
        sa.Column("to_window", sa.BigInteger(), nullable=False),
        sa.Column("debtor", sa.Text(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_clearing_moved_line_positive")),
        sa.CheckConstraint("to_window > from_window", name=op.f("ck_clearing_moved_line_forward")),
        sa.ForeignKeyConstraint(
            ["from_window"], ["clearing_window.number"], name=op.f("fk_clearing_moved_line_from_window")
        ),
        sa.ForeignKeyConstraint(
            ["to_window"], ["clearing_window.number"], name=op.f("fk_clearing_moved_line_to_window")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["ledger_transfer.id"], name=op.f("fk_clearing_moved_line_transfer_id")
        ),
        sa.PrimaryKeyConstraint("transfer_id", "from_window", name=op.f("pk_clearing_moved_line")),
        sa.UniqueConstraint("transfer_id", "to_window", name=op.f("uq_clearing_moved_line_transfer_id_to_window")),
    )
    op.create_index("ix_clearing_moved_line_from", "clearing_moved_line", ["from_window"], unique=False)
    op.create_index("ix_clearing_moved_line_to", "clearing_moved_line", ["to_window"], unique=False)
    op.create_table(
        "clearing_participant",
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("owed_minutes", sa.BigInteger(), nullable=False),
        sa.Column("soft_limit_since", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("hard_limit_since", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["township_code"], ["township.code"], name=op.f("fk_clearing_participant_township_code")
        ),
        sa.PrimaryKeyConstraint("township_code", name=op.f("pk_clearing_participant")),
    )
    op.create_table(
        "clearing_settlement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("window_number", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("carried_into", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("settled_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("settled_by", sa.Uuid(), nullable=False),
        sa.Column("settled_by_name", sa.Text(), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_by_name", sa.Text(), nullable=True),
        sa.Column("abort_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(method = 'carry') = (carried_into IS NOT NULL)", name=op.f("ck_clearing_settlement_carried_somewhere")
        ),
        sa.CheckConstraint(
            "(status = 'aborted') = (abort_reason IS NOT NULL)", name=op.f("ck_clearing_settlement_abort_reasoned")
        ),
        sa.CheckConstraint(
            "(status = 'instructed') = (ended_at IS NULL)", name=op.f("ck_clearing_settlement_ended_whole")
        ),
        sa.CheckConstraint("method IN ('pay', 'carry')", name=op.f("ck_clearing_settlement_method_known")),
        sa.CheckConstraint(
            "status IN ('instructed', 'completed', 'aborted')", name=op.f("ck_clearing_settlement_status_known")
        ),
        sa.ForeignKeyConstraint(
            ["carried_into"], ["clearing_window.number"], name=op.f("fk_clearing_settlement_carried_into")
        ),
        sa.ForeignKeyConstraint(
            ["window_number"], ["clearing_window.number"], name=op.f("fk_clearing_settlement_window_number")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearing_settlement")),
        sa.UniqueConstraint("window_number", "attempt", name=op.f("uq_clearing_settlement_window_number_attempt")),
    )
    op.create_index(
        "ix_clearing_settlement_carried",
        "clearing_settlement",
        ["carried_into"],
        unique=False,
        postgresql_where="carried_into IS NOT NULL",
    )
    op.create_index(
        "uq_clearing_settlement_standing",
        "clearing_settlement",
        ["window_number"],
        unique=True,
        postgresql_where="status <> 'aborted'",
    )
    op.create_table(
        "clearing_statement",
        sa.Column("window_number", sa.BigInteger(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("position_minutes", sa.BigInteger(), nullable=False),
        sa.Column("position_fen", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_by_name", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "note IS NULL OR confirmed_at IS NOT NULL", name=op.f("ck_clearing_statement_note_of_confirmation")
        ),
        sa.CheckConstraint(
            "num_nulls(confirmed_at, confirmed_by, confirmed_by_name) IN (0, 3)",
            name=op.f("ck_clearing_statement_confirmed_whole"),
        ),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_clearing_statement_township_code")),
        sa.ForeignKeyConstraint(
            ["window_number"], ["clearing_window.number"], name=op.f("fk_clearing_statement_window_number")
        ),
        sa.PrimaryKeyConstraint("window_number", "township_code", name=op.f("pk_clearing_statement")),
    )
    op.create_table(
        "clearing_payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("settlement_id", sa.Uuid(), nullable=False),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outside_reference", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("instructed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_by_name", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'instructed') = (ended_at IS NULL)", name=op.f("ck_clearing_payment_ended_whole")),
        sa.CheckConstraint("direction IN ('pay', 'receive')", name=op.f("ck_clearing_payment_direction_known")),
        sa.CheckConstraint(
            "state <> 'failed' OR coalesce(problem, '') <> ''", name=op.f("ck_clearing_payment_failed_with_problem")
        ),
        sa.CheckConstraint(
            "state <> 'paid' OR coalesce(outside_reference, '') <> ''",
            name=op.f("ck_clearing_payment_paid_with_reference"),
        ),
        sa.CheckConstraint(
            "state IN ('instructed', 'paid', 'failed', 'withdrawn')", name=op.f("ck_clearing_payment_state_known")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_clearing_payment_positive")),
        sa.ForeignKeyConstraint(
            ["settlement_id"], ["clearing_settlement.id"], name=op.f("fk_clearing_payment_settlement_id")
        ),
        sa.ForeignKeyConstraint(["township_code"], ["township.code"], name=op.f("fk_clearing_payment_township_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearing_payment")),
        sa.UniqueConstraint(
            "settlement_id",
            "township_code",
            "attempt",
            name=op.f("uq_clearing_payment_settlement_id_township_code_attempt"),
        ),
    )
    op.create_index(
        "uq_clearing_payment_reference",
        "clearing_payment",
        ["outside_reference"],
        unique=True,
        postgresql_where="state = 'paid'",
    )
    op.create_index(
        "uq_clearing_payment_standing",
        "clearing_payment",
        ["settlement_id", "township_code"],
        unique=True,
        postgresql_where="state IN ('instructed', 'paid')",
    )
    op.create_table(
        "clearing_tally",
        sa.Column("window_number", sa.BigInteger(), nullable=False),
        sa.Column("debtor", sa.Text(), nullable=False),
        sa.Column("creditor", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("transfers", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("minutes > 0 AND transfers > 0", name=op.f("ck_clearing_tally_positive")),
        sa.ForeignKeyConstraint(["creditor"], ["ledger_book.code"], name=op.f("fk_clearing_tally_creditor")),
        sa.ForeignKeyConstraint(["debtor"], ["ledger_book.code"], name=op.f("fk_clearing_tally_debtor")),
        sa.ForeignKeyConstraint(
            ["window_number"], ["clearing_window.number"], name=op.f("fk_clearing_tally_window_number")
        ),
        sa.PrimaryKeyConstraint("window_number", "debtor", "creditor", "kind", name=op.f("pk_clearing_tally")),
    )
    op.add_column("voucher", sa.Column("only_township_code", sa.Text(), nullable=True))
    op.create_foreign_key(
        op.f("fk_voucher_only_township_code"), "voucher", "township", ["only_township_code"], ["code"]
    )
    _know_account_kinds(_KINDS + ", 'settled', 'netting'")
    op.execute(sql("ledger_apply_transfers.sql"))
    op.execute(sql("clearing.sql"))
    op.execute(_OPEN_ACCOUNTS)
    ship_missing_policies()
    _open_first_window()


def downgrade() -> None:
    op.drop_constraint(op.f("fk_voucher_only_township_code"), "voucher")
    op.drop_column("voucher", "only_township_code")
    op.drop_table("clearing_tally")
    op.drop_index(
        "uq_clearing_payment_standing",
        table_name="clearing_payment",
        postgresql_where="state IN ('instructed', 'paid')",
    )
    op.drop_index("uq_clearing_payment_reference", table_name="clearing_payment", postgresql_where="state = 'paid'")
    op.drop_table("clearing_payment")
    op.drop_table("clearing_statement")
    op.drop_index(
        "uq_clearing_settlement_standing", table_name="clearing_settlement", postgresql_where="status <> 'aborted'"
    )
    op.drop_index(
        "ix_clearing_settlement_carried", table_name="clearing_settlement", postgresql_where="carried_into IS NOT NULL"
    )
    op.drop_table("clearing_settlement")
    op.drop_table("clearing_participant")
    op.drop_index("ix_clearing_moved_line_to", table_name="clearing_moved_line")
    op.drop_index("ix_clearing_moved_line_from", table_name="clearing_moved_line")
    op.drop_table("clearing_moved_line")
    op.drop_index("ix_clearing_limit_override_township", table_name="clearing_limit_override")
    op.drop_table("clearing_limit_override")
    op.drop_index(op.f("ix_clearing_guarantee_call_window_number"), table_name="clearing_guarantee_call")
    op.drop_index("ix_clearing_guarantee_call_township", table_name="clearing_guarantee_call")
    op.drop_index("ix_clearing_guarantee_call_seq", table_name="clearing_guarantee_call")
    op.drop_table("clearing_guarantee_call")
    op.drop_index("ix_clearing_dispute_transfer", table_name="clearing_dispute")
    op.drop_table("clearing_dispute")
    op.drop_index("uq_clearing_window_open", table_name="clearing_window", postgresql_where="status = 'open'")
    op.drop_table("clearing_window")
    op.drop_table("clearing_tally_mark")
    op.drop_table("clearing_recomputation")
    op.execute(
        "DROP FUNCTION clearing_guard_window, clearing_guard_tally, clearing_guard_mark, clearing_guard_statement,"
        " clearing_guard_dispute, clearing_guard_moved_line, clearing_guard_settlement, clearing_guard_payment,"
        " clearing_check_settlement, clearing_refuse_change"
    )
    # An account that has transfers is not taken away: the check of its kind then refuses to go back.
    op.execute("ALTER TABLE ledger_account DISABLE TRIGGER ledger_account_stays")
    op.execute(
        "DELETE FROM ledger_account a WHERE kind IN ('settled', 'netting')"
        " AND NOT EXISTS (SELECT FROM ledger_transfer t WHERE a.id IN (t.from_account_id, t.to_account_id))"
    )
    op.execute("ALTER TABLE ledger_account ENABLE TRIGGER ledger_account_stays")
    _know_account_kinds(_KINDS)


def _know_account_kinds(kinds: str) -> None:
    op.drop_constraint("ck_ledger_account_kind_known", "ledger_account")
    op.create_check_constraint(op.f("ck_ledger_account_kind_known"), "ledger_account", f"kind IN ({kinds})")


def _open_first_window() -> None:
    """Everything posted so far belongs to the first window, which opens now."""
    now = clock.now()
    op.get_bind().execute(
        sa.text(
            "INSERT INTO clearing_window (number, name, status, from_seq, opened_at) VALUES (1, :name, 'open', 0, :now)"
        ),
        {"name": window_name(now, ()), "now": now},
    )
    op.execute("INSERT INTO clearing_tally_mark (id, upto_seq) VALUES (1, 0)")
    op.execute("INSERT INTO clearing_participant (township_code, owed_minutes) SELECT code, 0 FROM township")
