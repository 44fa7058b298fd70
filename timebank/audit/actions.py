"""Writing audit entries."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from timebank.audit.models import AuditEntry
from timebank.core import clock
from timebank.core.actors import Actor


def note_down(session: Session, *, actor: Actor, action: str, subject: tuple[str, Any], **facts: Any) -> None:
    """Write down what ``actor`` did to ``subject`` (kind and id); facts explain it and hold no personal data."""
    kind, subject_id = subject
    session.add(
        AuditEntry(
            at=clock.now(),
            login_id=actor.login_id,
            actor_name=actor.name,
            action=action,
            subject_kind=kind,
            subject_id=str(subject_id),
            facts=facts,
        )
    )
