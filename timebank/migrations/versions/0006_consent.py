"""Provider staff, what proxies may do, people who have left, refusals that can be explained later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006_consent"
down_revision = "0005_reconciliation"
branch_labels = None
depends_on = None

_ROLES = "staff_role IN ('district_steward', 'township_steward', 'canteen_clerk'{more}, 'auditor')"
_WITH_PROVIDER = _ROLES.format(more=", 'care_provider'")
_WITHOUT = _ROLES.format(more="")


def upgrade() -> None:
    for name in ("canteen_fits", "township_fits", "role_known"):
        op.drop_constraint(op.f(f"ck_login_{name}"), "login")
    op.create_check_constraint(op.f("ck_login_role_known"), "login", _WITH_PROVIDER)
    op.create_check_constraint(
        op.f("ck_login_township_fits"),
        "login",
        "(staff_role IN ('township_steward', 'canteen_clerk', 'care_provider')) = (township_code IS NOT NULL)",
    )
    op.create_check_constraint(
        op.f("ck_login_organisation_fits"),
        "login",
        "(staff_role IN ('canteen_clerk', 'care_provider')) = (organisation_id IS NOT NULL)",
    )
    op.create_index("ix_ledger_hold_cause", "ledger_hold", ["cause_id"], postgresql_where="state = 'placed'")
    op.add_column("kept_reply", sa.Column("answered_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("kept_reply", sa.Column("refused", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute("UPDATE kept_reply SET answered_at = kept_at, refused = status >= 400 WHERE status IS NOT NULL")
    op.create_index(
        "ix_kept_reply_refused", "kept_reply", ["login_id", "answered_at", "key"], postgresql_where="refused"
    )
    op.add_column("person", sa.Column("left_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    # Who was registered before consented to what a proxy does day by day; giving minutes away needs a new consent.
    usual = sa.text("'{aids,care,help,meals}'")
    op.add_column(
        "proxy", sa.Column("scopes", postgresql.ARRAY(postgresql.TEXT()), server_default=usual, nullable=False)
    )
    op.alter_column("proxy", "scopes", server_default=None)
    op.create_check_constraint(
        op.f("ck_proxy_scopes_known"),
        "proxy",
        "scopes <@ ARRAY['meals', 'help', 'care', 'aids', 'gifts'] AND cardinality(scopes) > 0",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_proxy_scopes_known"), "proxy")
    op.drop_column("proxy", "scopes")
    op.drop_column("person", "left_at")
    op.drop_index("ix_kept_reply_refused", table_name="kept_reply")
    op.drop_column("kept_reply", "refused")
    op.drop_column("kept_reply", "answered_at")
    op.drop_index("ix_ledger_hold_cause", table_name="ledger_hold")
    for name in ("organisation_fits", "township_fits", "role_known"):
        op.drop_constraint(op.f(f"ck_login_{name}"), "login")
    op.execute("DELETE FROM login WHERE staff_role = 'care_provider'")
    op.create_check_constraint(op.f("ck_login_role_known"), "login", _WITHOUT)
    op.create_check_constraint(
        op.f("ck_login_township_fits"),
        "login",
        "(staff_role IN ('township_steward', 'canteen_clerk')) = (township_code IS NOT NULL)",
    )
    op.create_check_constraint(
        op.f("ck_login_canteen_fits"), "login", "(staff_role = 'canteen_clerk') = (organisation_id IS NOT NULL)"
    )
