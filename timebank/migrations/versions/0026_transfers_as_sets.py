"""Inserts of many transfers are checked in a time that grows with them, not with them times the accounts."""

from __future__ import annotations

from alembic import op

from timebank.migrations import sql

revision = "0026_transfers_as_sets"
down_revision = "0025_visits_and_web_tickets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sql("ledger_apply_transfers.sql"))


def downgrade() -> None:
    """The function says what it said before, only faster."""
