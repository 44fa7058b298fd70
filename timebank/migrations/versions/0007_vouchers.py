"""The life of vouchers: limits, gifts, reissue, reminders, look-up at the counter."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql

revision = "0007_vouchers"
down_revision = "0006_consent"
branch_labels = None
depends_on = None

_NEW_COLUMNS = (
    *("issued_by_name", "issue_evidence", "weekdays", "meals", "on_expiry", "origin_id", "replaces_id"),
    *("replaced_by_id", "void_reason", "void_note", "reminded_at"),
)
_CHECKS = {
    "void_reason_known": "void_reason IN ('lost', 'given', 'cancelled')",
    "void_reasoned": "(status = 'void') = (void_reason IS NOT NULL)",
    "replaced_whole": "(coalesce(void_reason, '') IN ('lost', 'given')) = (replaced_by_id IS NOT NULL)",
    "cancelled_for_a_reason": "void_reason <> 'cancelled' OR coalesce(void_note, '') <> ''",
    "on_expiry_known": "on_expiry IN ('refund', 'pool')",
    "weekdays_known": "weekdays <@ ARRAY[1, 2, 3, 4, 5, 6, 7]::smallint[] AND cardinality(weekdays) > 0",
    "issuer_named": "issued_by_name <> ''",
}


def upgrade() -> None:
    op.add_column("voucher", sa.Column("issued_by_name", sa.Text(), nullable=True))
    op.add_column("voucher", sa.Column("issue_evidence", sa.Text(), nullable=True))
    op.add_column("voucher", sa.Column("weekdays", postgresql.ARRAY(sa.SmallInteger()), nullable=True))
    op.add_column("voucher", sa.Column("meals", postgresql.JSONB(), nullable=True))
    op.add_column("voucher", sa.Column("on_expiry", sa.Text(), server_default="refund", nullable=False))
    op.add_column("voucher", sa.Column("origin_id", sa.Uuid(), nullable=True))
    op.add_column("voucher", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.add_column("voucher", sa.Column("replaced_by_id", sa.Uuid(), nullable=True))
    op.add_column("voucher", sa.Column("void_reason", sa.Text(), nullable=True))
    op.add_column("voucher", sa.Column("void_note", sa.Text(), nullable=True))
    op.add_column("voucher", sa.Column("reminded_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    # Nobody made a voucher void before; who bought one is known by the login.
    op.execute("""UPDATE voucher v SET origin_id = id, issued_by_name = coalesce(
        (SELECT nullif(coalesce(p.name, l.display_name), '') FROM login l LEFT JOIN person p ON p.id = l.person_id
         WHERE l.id = v.issued_by), '未记录')""")
    op.alter_column("voucher", "issued_by_name", nullable=False)
    op.alter_column("voucher", "origin_id", nullable=False)
    op.alter_column("voucher", "on_expiry", server_default=None)
    for name, condition in _CHECKS.items():
        op.create_check_constraint(op.f(f"ck_voucher_{name}"), "voucher", condition)
    for column in ("origin_id", "replaces_id", "replaced_by_id"):
        op.create_foreign_key(op.f(f"fk_voucher_{column}"), "voucher", "voucher", [column], ["id"])
    op.create_index("ix_voucher_origin", "voucher", ["origin_id"], unique=False)
    op.create_index(
        "ix_voucher_bought", "voucher", ["holder_id", "issued_at"], unique=False, postgresql_where="replaces_id IS NULL"
    )
    for column in ("replaces", "replaced_by"):
        op.create_index(
            f"uq_voucher_{column}",
            "voucher",
            [f"{column}_id"],
            unique=True,
            postgresql_where=f"{column}_id IS NOT NULL",
        )
    op.add_column("person", sa.Column("name_last4_index", sa.LargeBinary(), nullable=True))
    op.create_index("ix_person_name_last4", "person", ["name_last4_index"], unique=False)
    op.create_index("ix_person_unindexed", "person", ["id"], unique=False, postgresql_where="name_last4_index IS NULL")
    op.create_index(
        "ix_audit_entry_look_up",
        "audit_entry",
        ["login_id", "at"],
        unique=False,
        postgresql_where="action = 'voucher_look_up'",
    )
    op.execute(sql("vouchers.sql"))


def downgrade() -> None:
    for trigger in ("replaced", "stays", "guarded"):
        op.execute(f"DROP TRIGGER voucher_{trigger} ON voucher")
    for function in ("refuse_removal", "check_replaced", "check_replacement", "guard"):
        op.execute(f"DROP FUNCTION voucher_{function}")
    op.drop_index("ix_audit_entry_look_up", table_name="audit_entry", postgresql_where="action = 'voucher_look_up'")
    op.drop_index("ix_person_unindexed", table_name="person", postgresql_where="name_last4_index IS NULL")
    op.drop_index("ix_person_name_last4", table_name="person")
    op.drop_column("person", "name_last4_index")
    for column in ("replaced_by", "replaces"):
        op.drop_index(f"uq_voucher_{column}", table_name="voucher", postgresql_where=f"{column}_id IS NOT NULL")
    op.drop_index("ix_voucher_bought", table_name="voucher", postgresql_where="replaces_id IS NULL")
    op.drop_index("ix_voucher_origin", table_name="voucher")
    for name in _CHECKS:
        op.drop_constraint(op.f(f"ck_voucher_{name}"), "voucher")
    for column in reversed(_NEW_COLUMNS):
        op.drop_column("voucher", column)
