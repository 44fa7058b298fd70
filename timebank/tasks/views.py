"""How a task looks to whoever looks: names, places left, and the service code for the beneficiary's side only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.core.actors import Actor
from timebank.people.models import Person
from timebank.people.queries import elders_of, people_by_ids
from timebank.people.rules import ProxyScope, masked_name
from timebank.tasks.actions.attend import minutes_of
from timebank.tasks.models import Assignment, Task
from timebank.tasks.queries import service_types
from timebank.tasks.rules import GONE, STATUS_NAMES, AssignmentStatus, TaskStatus, places_left
from timebank.townships.queries import township_names


@dataclass(frozen=True, slots=True)
class PartView:
    """One volunteer's part."""

    volunteer_id: UUID
    volunteer_name: str
    status: str
    checked_in_at: datetime | None
    checked_out_at: datetime | None
    served_minutes: int | None
    payable_minutes: int | None
    confirmed_by_name: str | None
    rating: int | None
    comment: str | None
    dispute_reason: str | None
    ruling: str | None
    ended_reason: str | None


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task as one actor may see it; what is not the actor's to know is None."""

    task_id: UUID
    status: str
    status_name: str
    service_type: str
    service_type_name: str
    township_code: str
    township_name: str
    starts_at: datetime
    minutes: int
    places: int
    places_left: int
    note: str
    beneficiary_id: UUID | None
    beneficiary_name: str | None
    back_filled: bool
    evidence: str | None
    requested_by_name: str
    requested_at: datetime
    payable_minutes: int | None
    service_code: str | None
    assignments: list[PartView]
    ended_reason: str | None


def see_tasks(session: Session, *, actor: Actor, tasks: Sequence[Task]) -> list[TaskView]:
    """Views of these tasks for one actor, in a fixed number of statements."""
    types = {row.code: row.name for row in service_types(session)}
    townships = township_names(session)
    ids = {part.volunteer_id for task in tasks for part in task.parts}
    people = people_by_ids(session, ids | {task.elder_id for task in tasks if task.elder_id is not None})
    elders = set[UUID]()
    if actor.person_id is not None:
        elders = {actor.person_id, *elders_of(session, actor.person_id, ProxyScope.HELP)}
    return [_view(task, _Eyes(actor, task, elders), types, townships, people) for task in tasks]


def see_task(session: Session, *, actor: Actor, task: Task) -> TaskView:
    """The view of one task."""
    return see_tasks(session, actor=actor, tasks=[task])[0]


class _Eyes:
    """What one actor may know of one task."""

    def __init__(self, actor: Actor, task: Task, elders: set[UUID]) -> None:
        self.volunteer_id = actor.person_id
        self.serves = any(p.volunteer_id == actor.person_id and p.status not in GONE for p in task.parts)
        self.benefits = task.elder_id is not None and task.elder_id in elders
        self.staff = actor.staff_role is not None
        organises = task.elder_id is None and actor.stewards(task.township_code)
        self.sees_code = self.benefits or organises or (self.staff and task.requested_by == actor.login_id)
        self.sees_people = self.serves or self.benefits or self.staff

    def parts(self, task: Task) -> list[Assignment]:
        """The parts the actor may look into: all for the organising and the helped side, else the own."""
        if self.staff or self.benefits:
            return list(task.parts)
        return [part for part in task.parts if part.volunteer_id == self.volunteer_id]


def _view(
    task: Task, eyes: _Eyes, types: dict[str, str], townships: dict[str, str], people: dict[UUID, Person]
) -> TaskView:
    parts = eyes.parts(task)
    paid = [
        p.payable_minutes for p in parts if p.status == AssignmentStatus.CONFIRMED and p.payable_minutes is not None
    ]
    elder = people.get(task.elder_id) if task.elder_id is not None else None
    return TaskView(
        task_id=task.id,
        status=task.status,
        status_name=STATUS_NAMES[TaskStatus(task.status)],
        service_type=task.service_type,
        service_type_name=types[task.service_type],
        township_code=task.township_code,
        township_name=townships[task.township_code],
        starts_at=task.starts_at,
        minutes=task.minutes,
        places=task.places,
        places_left=places_left(task.places, [part.status for part in task.parts]),
        note=task.note,
        beneficiary_id=task.elder_id if eyes.sees_people else None,
        beneficiary_name=(elder.name if eyes.sees_people else masked_name(elder.name)) if elder else None,
        back_filled=task.back_filled,
        evidence=task.evidence if eyes.sees_people else None,
        requested_by_name=task.requested_by_name if eyes.sees_people else masked_name(task.requested_by_name),
        requested_at=task.requested_at,
        payable_minutes=sum(paid) if paid else None,
        service_code=task.service_code if eyes.sees_code else None,
        assignments=[_part(part, people) for part in parts],
        ended_reason=task.ended_reason,
    )


def _part(part: Assignment, people: dict[UUID, Person]) -> PartView:
    return PartView(
        volunteer_id=part.volunteer_id,
        volunteer_name=people[part.volunteer_id].name,
        status=part.status,
        checked_in_at=part.checked_in_at,
        checked_out_at=part.checked_out_at,
        served_minutes=minutes_of(part) if part.checked_out_at is not None else None,
        payable_minutes=part.payable_minutes,
        confirmed_by_name=part.confirmed_by_name,
        rating=part.rating,
        comment=part.comment,
        dispute_reason=part.dispute_reason,
        ruling=part.ruling,
        ended_reason=part.ended_reason,
    )
