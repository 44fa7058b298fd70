"""Policies that a revision brings: what the shipped set has and the database has not."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import FOLDER

IN_FORCE_SINCE = datetime(2020, 1, 1, tzinfo=UTC)
"""Before the first hour that anybody will back-fill."""


def ship_missing_policies() -> None:
    """Put what is missing in force from the first day on, as one change proposed and approved by nobody."""
    connection = op.get_bind()
    shipped = tomllib.loads((FOLDER.parent / "policies" / "sets" / "fenghua.toml").read_text(encoding="utf-8"))
    known = set(connection.scalars(sa.text("SELECT DISTINCT key FROM policy_value WHERE township_code IS NULL")))
    missing = {key: value for key, value in shipped["values"].items() if key not in known}
    if not missing:
        return
    change_id = connection.scalar(
        sa.text(
            "INSERT INTO policy_change (effective_at, reason, source, proposed_by, proposed_by_name, proposed_at)"
            " VALUES (:at, :reason, :source, :nobody, '随系统交付', :at) RETURNING id"
        ),
        {"at": IN_FORCE_SINCE, "reason": shipped["title"], "source": shipped["source"], "nobody": UUID(int=0)},
    )
    # The guard lets values come into force by approval only; these come with the revision.
    op.execute("ALTER TABLE policy_value DISABLE TRIGGER policy_value_guarded")
    op.bulk_insert(
        sa.table(
            "policy_value",
            sa.column("change_id"),
            sa.column("key"),
            sa.column("value", postgresql.JSONB),
            sa.column("valid_from", sa.TIMESTAMP(timezone=True)),
        ),
        [
            {"change_id": change_id, "key": key, "value": value, "valid_from": IN_FORCE_SINCE}
            for key, value in missing.items()
        ],
    )
    op.execute("ALTER TABLE policy_value ENABLE TRIGGER policy_value_guarded")
