"""Seeing tasks, and locking them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, cast, false, func, or_, select
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.orm import Session, selectinload

from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.errors import NotFound
from timebank.people.queries import elders_of
from timebank.people.rules import ProxyScope
from timebank.tasks.models import Assignment, ServiceType, Task
from timebank.tasks.rules import GONE, NOT_SERVED, AssignmentStatus, TaskStatus


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks are wanted."""

    status: str | None = None
    township_code: str | None = None
    mine: bool = False


def service_types(session: Session) -> Sequence[ServiceType]:
    """All kinds of service, by code."""
    return session.scalars(select(ServiceType).order_by(ServiceType.code)).all()


def lock_task(session: Session, task_id: UUID) -> Task:
    """One task with its parts, nobody else changing it until the unit of work ends.

    Raises NotFound ``task_unknown``.
    """
    found = lock_tasks(session, [task_id]).get(task_id)
    if found is None:
        raise NotFound("task_unknown", "没有这项任务", task_id=task_id)
    return found


def lock_tasks(session: Session, task_ids: Sequence[UUID]) -> dict[UUID, Task]:
    """Tasks with their parts, locked in the order of their ids."""
    query = (
        select(Task)
        .where(Task.id.in_(task_ids))
        .order_by(Task.id)
        .with_for_update(key_share=True, of=Task)
        .options(selectinload(Task.parts))
        .execution_options(populate_existing=True)
    )
    return {task.id: task for task in session.scalars(query)}


def overlapping_part(session: Session, volunteer_id: UUID, served: Range[datetime]) -> Assignment | None:
    """What the volunteer served in this span already, or is serving still, if anything."""
    query = select(Assignment).where(
        Assignment.volunteer_id == volunteer_id,
        Assignment.status.not_in(NOT_SERVED),
        Assignment.served_during.op("&&")(cast(served, TSTZRANGE)),
    )
    return session.scalar(query.limit(1))


def find_tasks(
    session: Session, *, actor: Actor, wanted: TaskFilter, limit: int, before: UUID | None = None
) -> Sequence[Task]:
    """Tasks the actor may see, newest first.

    A person sees the own ones and what is open, a steward the township's, the district and the auditor all.
    """
    query = select(Task).where(_visible(session, actor, wanted.mine)).options(selectinload(Task.parts))
    if wanted.status is not None:
        query = query.where(Task.status == wanted.status)
    if wanted.township_code is not None:
        query = query.where(Task.township_code == wanted.township_code)
    if before is not None:
        query = query.where(Task.id < before)
    return session.scalars(query.order_by(Task.id.desc()).limit(limit)).all()


def task_for(session: Session, *, actor: Actor, task_id: UUID) -> Task:
    """One task the actor may see. Raises NotFound ``task_unknown``."""
    query = select(Task).where(Task.id == task_id, _visible(session, actor, mine=False))
    found = session.scalar(query.options(selectinload(Task.parts)))
    if found is None:
        raise NotFound("task_unknown", "没有这项任务", task_id=task_id)
    return found


def _visible(session: Session, actor: Actor, mine: bool) -> ColumnElement[bool]:
    if actor.staff_role is not None:
        if mine:
            return Task.requested_by == actor.login_id
        if actor.is_district or actor.staff_role is StaffRole.AUDITOR:
            return Task.id.is_not(None)
        return Task.township_code == actor.township_code if actor.is_steward else false()
    if actor.person_id is None:
        return false()
    elders = [actor.person_id, *elders_of(session, actor.person_id, ProxyScope.HELP)]
    taken = select(Assignment.task_id).where(Assignment.volunteer_id == actor.person_id, Assignment.status.not_in(GONE))
    own = or_(Task.elder_id.in_(elders), Task.id.in_(taken))
    return own if mine else or_(own, Task.status == TaskStatus.OPEN)


def served_in_all(session: Session, person_id: UUID) -> tuple[int, date | None]:
    """What somebody's confirmed services come to in life, in minutes, and the day of the first confirmation."""
    total, first = session.execute(
        select(func.coalesce(func.sum(Assignment.payable_minutes), 0), func.min(Assignment.confirmed_at)).where(
            Assignment.volunteer_id == person_id, Assignment.status == AssignmentStatus.CONFIRMED
        )
    ).one()
    return int(total or 0), None if first is None else clock.local_date(first)
