"""Taking back 冲正后处理: where a credit was reversed in the ledger, the service no longer counts as served."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from timebank.core.amounts import hours_text
from timebank.ledger.models import Transfer
from timebank.notifications.actions import notify_person
from timebank.tasks.actions.accept import settle_status
from timebank.tasks.models import Assignment
from timebank.tasks.queries import lock_task
from timebank.tasks.rules import AssignmentStatus, after, may


def reversed_parts(session: Session, *, limit: int) -> list[UUID]:
    """Confirmed parts of which every credit has been reversed."""
    undoing, standing, undone = aliased(Transfer), aliased(Transfer), aliased(Transfer)
    left = exists().where(
        standing.cause_id == Assignment.id,
        standing.reverses_id.is_(None),
        ~exists().where(undone.reverses_id == standing.id),
    )
    query = (
        select(Assignment.id)
        .join(undoing, undoing.cause_id == Assignment.id)
        .where(undoing.reverses_id.is_not(None), Assignment.status == AssignmentStatus.CONFIRMED, ~left)
        .distinct()
    )
    return list(session.scalars(query.limit(limit)))


def take_back(session: Session, *, part_id: UUID) -> bool:
    """Mark one such part, so that the right hours can be recorded in its place, and tell the volunteer.

    Answers whether it was still to be done.
    """
    task_id = session.scalar(select(Assignment.task_id).where(Assignment.id == part_id))
    if task_id is None:
        return False
    task = lock_task(session, task_id)
    part = next((p for p in task.parts if p.id == part_id), None)
    if part is None or not may("reverse", part.status):
        return False
    part.status = after("reverse", part.status)
    settle_status(task)
    body = f"原记入的{hours_text(part.payable_minutes or 0)}已按规定冲正，如有疑问请联系镇街。"
    notify_person(session, person_id=part.volunteer_id, title="时长已冲正", body=body)
    session.flush()
    return True
