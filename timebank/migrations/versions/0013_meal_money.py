"""Money of the meal programme: accounts of canteens, and the house's for subsidies, volunteers' share and produce."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from timebank.migrations import sql

revision = "0013_meal_money"
down_revision = "0012_rules"
branch_labels = None
depends_on = None

_FLOORED = "'fund', 'granted', 'pool', 'purse', 'savings', 'vouchers'"
_KINDS = "'savings', 'granted', 'vouchers', 'pool', 'issuance', 'clearing', 'redeemed', 'purse', 'fund', 'cash', 'settled', 'netting'"
_HOLDER = ("book_code", "unit", "kind", "person_id", "expires_on")

# All money of meals lies in the house's book, so that no township owes another any.
_OPEN_ACCOUNTS = """
INSERT INTO ledger_account (book_code, unit, kind, floored, opened_at)
SELECT 'house', 'fen', k.kind, k.floored, timestamptz '2020-01-01 00:00:00+00'
FROM (VALUES ('subsidy', false), ('volunteered', false), ('in_kind', false), ('donated', true)) AS k (kind, floored)
"""

_GUARD = sql("ledger_guard_account.sql")


def upgrade() -> None:
    op.add_column("ledger_account", sa.Column("organisation_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_ledger_account_organisation_id"), "ledger_account", "organisation", ["organisation_id"], ["id"]
    )
    op.create_index(
        "ix_ledger_account_organisation",
        "ledger_account",
        ["organisation_id"],
        unique=False,
        postgresql_where="organisation_id IS NOT NULL",
    )
    _kinds(
        _KINDS + ", 'till', 'canteen', 'donated', 'produce', 'subsidy', 'volunteered', 'in_kind'",
        "'donated', 'fund', 'granted', 'pool', 'produce', 'purse', 'savings', 'vouchers'",
    )
    _holder(*_HOLDER, "organisation_id")
    op.create_check_constraint(
        op.f("ck_ledger_account_organisation_fits"),
        "ledger_account",
        "organisation_id IS NULL OR person_id IS NULL AND kind IN ('canteen', 'donated', 'produce', 'till')",
    )
    op.create_check_constraint(
        op.f("ck_ledger_account_organisation_named"),
        "ledger_account",
        "kind NOT IN ('till', 'canteen') OR organisation_id IS NOT NULL",
    )
    op.execute(_GUARD)
    op.execute(_OPEN_ACCOUNTS)
    op.create_index(
        "ix_ledger_transfer_from_till",
        "ledger_transfer",
        ["from_account_id", "effective_at"],
        unique=False,
        postgresql_where="from_version IS NULL AND kind IN ('meal_elder', 'purse_top_up')",
    )
    op.create_index(
        "ix_ledger_transfer_to_till",
        "ledger_transfer",
        ["to_account_id", "effective_at"],
        unique=False,
        postgresql_where="to_version IS NULL AND kind IN ('purse_pay_back', 'till_handed_in', 'reversal')",
    )


def downgrade() -> None:
    op.drop_index("ix_ledger_transfer_to_till", "ledger_transfer")
    op.drop_index("ix_ledger_transfer_from_till", "ledger_transfer")
    op.drop_constraint(op.f("ck_ledger_account_organisation_named"), "ledger_account")
    op.drop_constraint(op.f("ck_ledger_account_organisation_fits"), "ledger_account")
    op.execute("ALTER TABLE ledger_account DISABLE TRIGGER USER")
    op.execute(
        "DELETE FROM ledger_account WHERE kind IN ('subsidy', 'volunteered', 'in_kind') OR organisation_id IS NOT NULL OR kind = 'donated'"
    )
    op.execute("ALTER TABLE ledger_account ENABLE TRIGGER USER")
    _holder(*_HOLDER)
    _kinds(_KINDS, _FLOORED)
    op.drop_index("ix_ledger_account_organisation", "ledger_account")
    op.drop_constraint(op.f("fk_ledger_account_organisation_id"), "ledger_account")
    op.drop_column("ledger_account", "organisation_id")
    op.execute(_GUARD.replace("       OR NEW.organisation_id IS DISTINCT FROM OLD.organisation_id\n", ""))


def _kinds(kinds: str, floored: str) -> None:
    for name, condition in (
        ("kind_known", f"kind IN ({kinds})"),
        ("floor_fits_kind", f"floored = (kind IN ({floored}))"),
    ):
        op.drop_constraint(op.f(f"ck_ledger_account_{name}"), "ledger_account")
        op.create_check_constraint(op.f(f"ck_ledger_account_{name}"), "ledger_account", condition)


def _holder(*columns: str) -> None:
    op.drop_index("uq_ledger_account_holder", "ledger_account")
    op.create_index(
        "uq_ledger_account_holder",
        "ledger_account",
        list(columns),
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where="closed_at IS NULL",
    )
