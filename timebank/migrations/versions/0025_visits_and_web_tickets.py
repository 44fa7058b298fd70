"""Where a visit goes, why a volunteer does not come after all, and tickets into a web view."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025_visits_and_web_tickets"
down_revision = "0024_figures"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("task", sa.Column("address", sa.LargeBinary(), nullable=True))
    op.add_column("task", sa.Column("latitude", sa.Float(), nullable=True))
    op.add_column("task", sa.Column("longitude", sa.Float(), nullable=True))
    op.create_check_constraint(
        op.f("ck_task_place_whole"),
        "task",
        "(latitude IS NULL) = (longitude IS NULL) AND latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180",
    )
    op.create_index(
        "ix_task_open_soonest", "task", ["starts_at", "id"], unique=False, postgresql_where=sa.text("status = 'open'")
    )
    op.add_column("task_assignment", sa.Column("ended_reason", sa.Text(), nullable=True))
    op.create_table(
        "web_ticket",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("login_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("spent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_web_ticket_digest_whole")),
        sa.CheckConstraint("expires_at > issued_at", name=op.f("ck_web_ticket_lasts")),
        sa.ForeignKeyConstraint(["login_id"], ["login.id"], name=op.f("fk_web_ticket_login_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_web_ticket")),
    )
    op.create_index("ix_web_ticket_login_id", "web_ticket", ["login_id"], unique=False)
    op.create_index("ix_web_ticket_expires_at", "web_ticket", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_table("web_ticket")
    op.drop_column("task_assignment", "ended_reason")
    op.drop_index("ix_task_open_soonest", table_name="task")
    op.drop_constraint(op.f("ck_task_place_whole"), "task", type_="check")
    op.drop_column("task", "longitude")
    op.drop_column("task", "latitude")
    op.drop_column("task", "address")
