"""Policies changed for tests, the way a district changes them: proposed by one, approved by another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from tests.factories.people import district
from timebank.core import clock
from timebank.policies.actions import NewValue, approve_change, propose_change
from timebank.policies.models import PolicyChange


def change_policy(
    session: Session, key: str, value: Any, *, township_code: str | None = None, at: datetime | None = None
) -> PolicyChange:
    """One value in force from ``at`` on, or at once."""
    change = propose_change(
        session,
        actor=district(),
        values=[NewValue(key, value, township_code)],
        effective_at=at or clock.now(),
        reason="试点办公室会议",
        source="会议纪要第1号",
    )
    return approve_change(session, actor=district(), change_id=change.id)
