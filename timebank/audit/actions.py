"""Writing audit entries."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from timebank.audit.models import AuditEntry
from timebank.audit.rules import MOST_EXPORTED
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Refused


def note_down(session: Session, *, actor: Actor, action: str, subject: tuple[str, Any], **facts: Any) -> None:
    """Write down what ``actor`` did to ``subject`` (kind and id); facts explain it and hold no personal data."""
    session.add(_entry(actor, action, subject, facts))


def note_export(session: Session, *, actor: Actor, name: str, rows: int | None, filters: str) -> AuditEntry:
    """Write down that a list of the desk was taken out as a file: which, how many rows, and by which filters.

    ``rows`` is None where there are more than anybody counts. Raises NotAllowed ``books_not_yours``; Refused
    ``export_too_large``.
    """
    actor.must_see_books()
    if rows is None or rows > MOST_EXPORTED:
        raise Refused("export_too_large", "导出的行数超过上限，请先筛选", most=MOST_EXPORTED)
    entry = _entry(actor, "list_exported", ("list", name), {"rows": rows, "filters": filters})
    session.add(entry)
    session.flush()
    return entry


def _entry(actor: Actor, action: str, subject: tuple[str, Any], facts: dict[str, Any]) -> AuditEntry:
    kind, subject_id = subject
    return AuditEntry(
        at=clock.now(),
        login_id=actor.login_id,
        actor_name=actor.name,
        action=action,
        subject_kind=kind,
        subject_id=str(subject_id),
        facts=facts,
    )
