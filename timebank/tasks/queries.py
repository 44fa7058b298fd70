"""Seeing tasks, and locking them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, case, cast, false, func, or_, select
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.orm import Session, selectinload

from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.chinese_order import by_pinyin
from timebank.core.errors import NotFound
from timebank.core.places import metres_from
from timebank.core.sorting import Orders, Part, Slice, by_course, slice_of, within_days
from timebank.people.models import Person
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
    person_id: UUID | None = None
    service_type: str | None = None
    since: date | None = None
    until: date | None = None
    latitude: float | None = None
    longitude: float | None = None


_BY_NAME = select(Person.id, by_pinyin(Person.name).label("place")).cte("by_name").prefix_with("MATERIALIZED")
"""Where everybody stands by name, reckoned once a person and not once a service."""

TASK_ORDERS = Orders(
    of="tasks",
    by={
        "made": Task.id,
        "starts_at": Task.starts_at,
        "service_type": Task.service_type,
        "minutes": Task.minutes,
        "beneficiary": _BY_NAME.c.place,
        "township": Task.township_code,
        "status": by_course(Task.status, list(TaskStatus)),
        # Stands for what is reckoned for whoever asks; see ``_orders_for``.
        "near": Task.starts_at,
    },
    tie=Task.id,
    usual="-made",
)


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


def find_tasks(session: Session, *, actor: Actor, wanted: TaskFilter, part: Part) -> Slice[Task]:
    """Tasks the actor may see, newest first where ``part`` asks for no other order; days are those of their beginning.

    A person sees the own ones and what is open, a steward the township's, the district and the auditor all.
    """
    query = select(Task).where(
        _visible(session, actor, wanted.mine), *within_days(Task.starts_at, wanted.since, wanted.until)
    )
    if wanted.service_type is not None:
        query = query.where(Task.service_type == wanted.service_type)
    if wanted.status is not None:
        query = query.where(Task.status == wanted.status)
    if wanted.township_code is not None:
        query = query.where(Task.township_code == wanted.township_code)
    if wanted.person_id is not None:
        served = select(Assignment.task_id).where(Assignment.volunteer_id == wanted.person_id)
        query = query.where(or_(Task.elder_id == wanted.person_id, Task.id.in_(served)))
    if part.sort in ("beneficiary", "-beneficiary"):
        query = query.outerjoin(_BY_NAME, _BY_NAME.c.id == Task.elder_id)
    return slice_of(session, query, _orders_for(actor, wanted), part, selectinload(Task.parts))


_OWN_TOWNSHIP, _ELSEWHERE = 100_000_000, 300_000_000
"""Where tasks without a place stand among distances in metres, of which none on earth is as large."""


def _orders_for(actor: Actor, wanted: TaskFilter) -> Orders:
    """The orders with ``near`` as it is for this asker: by distance, then the asker's township, then the others.

    Distances are to the middle of a square of about a kilometre: whoever asks again and again from other places does
    not learn where an elder lives. What has no place stands soonest first.
    """
    home = wanted.township_code or actor.township_code
    minute = cast(func.extract("epoch", Task.starts_at) / 60, BigInteger)
    near: ColumnElement[Any] = minute + case((Task.township_code == home, _OWN_TOWNSHIP), else_=_ELSEWHERE)
    if wanted.latitude is not None and wanted.longitude is not None:
        north, east = (func.round(degrees * 100) / 100 for degrees in (Task.latitude, Task.longitude))
        near = func.coalesce(metres_from(wanted.latitude, wanted.longitude, north=north, east=east), near)
    return replace(TASK_ORDERS, by={**TASK_ORDERS.by, "near": near})


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
    # Whoever had accepted what was called off may read why.
    taken = select(Assignment.task_id).where(
        Assignment.volunteer_id == actor.person_id,
        Assignment.status.not_in(GONE - {AssignmentStatus.CANCELLED}),
    )
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
