"""Back-filling 补录: hours recorded afterwards by one steward, approved by another, and marked as such for ever."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import NotAllowed, Refused
from timebank.core.ids import new_id
from timebank.people.actions.consent import lock_people
from timebank.people.models import Person
from timebank.people.queries import people_by_ids
from timebank.people.rules import must_be_of_age, must_have_been_here
from timebank.policies.queries import in_force
from timebank.tasks.actions.accept import settle_status, volunteer_busy
from timebank.tasks.actions.confirm import credit, mark_confirmed, payable
from timebank.tasks.actions.request import must_be_helped, service_type
from timebank.tasks.models import Assignment, Task
from timebank.tasks.queries import lock_task, overlapping_part
from timebank.tasks.rules import AssignmentStatus, TaskStatus, after, check_span, may, served_minutes, wrong_state


@dataclass(frozen=True, slots=True)
class BackFill:
    """Hours as they are recorded afterwards, with the evidence for them."""

    service_type: str
    volunteer_id: UUID
    elder_id: UUID
    started_at: datetime
    ended_at: datetime
    evidence: str
    note: str = ""


def record(session: Session, *, actor: Actor, form: BackFill) -> Task:
    """Record hours served in the past; nothing is credited before a second person approves.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``person_unknown``; Conflict ``volunteer_busy``,
    ``person_left``; Refused ``service_type_unknown``, ``self_service``, ``times_invalid``, ``date_in_future``,
    ``after_death``, ``volunteer_too_young``, ``too_young_for_help``.
    """
    actor.must_be_steward()
    # Both, so that neither leaves while hours are recorded that have to be approved first.
    people = lock_people(session, {form.volunteer_id, form.elder_id})
    volunteer, elder = people[form.volunteer_id], people[form.elder_id]
    must_concern(actor, volunteer, elder)
    service_type(session, form.service_type)
    _check(session, form, volunteer, elder)
    if overlapping_part(session, volunteer.id, Range(form.started_at, form.ended_at)) is not None:
        raise volunteer_busy()
    task = recorded_task(
        form,
        task_id=new_id(),
        township_code=elder.township_code,
        recorded_by=actor.login_id,
        recorder_name=actor.name,
    )
    session.add(task)
    session.flush()
    note_down(session, actor=actor, action="back_fill_recorded", subject=("task", task.id), evidence=form.evidence)
    return task


def approve_record(session: Session, *, actor: Actor, task_id: UUID) -> Task:
    """Approve back-filled hours and credit them: another steward, of whatever township, or the district's.

    Raises NotAllowed ``steward_only``, ``second_person_needed``; NotFound ``task_unknown``;
    Conflict ``wrong_state``, ``person_left``; Refused ``after_death``, where that became known after the recording.
    """
    task, part = _recorded(session, actor, task_id)
    helped = [task.elder_id] if task.elder_id is not None else []
    _must_have_been_here(people_by_ids(session, [part.volunteer_id, *helped]).values(), task.starts_at)
    policies = in_force(session, at=clock.now())
    mark_confirmed(part, step="approve_record", minutes=payable(task, part, policies), actor=actor)
    settle_status(task)
    note_down(session, actor=actor, action="back_fill_approved", subject=("task", task.id))
    credit(session, [(task, part)], policies)
    session.flush()
    return task


def reject_record(session: Session, *, actor: Actor, task_id: UUID, reason: str) -> Task:
    """Turn back-filled hours down, with the reason.

    Raises NotAllowed ``steward_only``, ``second_person_needed``; NotFound ``task_unknown``; Conflict ``wrong_state``.
    """
    task, part = _recorded(session, actor, task_id)
    part.status, part.ruling = after("reject_record", part.status), reason
    task.ended_reason = reason
    settle_status(task)
    note_down(session, actor=actor, action="back_fill_rejected", subject=("task", task.id), reason=reason)
    session.flush()
    return task


def must_concern(actor: Actor, volunteer: Person, elder: Person) -> None:
    """谁组织谁记录: a steward of the elder's or the volunteer's township. Raises NotAllowed ``other_township``."""
    if not (actor.stewards(elder.township_code) or actor.stewards(volunteer.township_code)):
        raise NotAllowed("other_township", "只能补录与本镇街有关的服务")


def _check(session: Session, form: BackFill, volunteer: Person, elder: Person) -> None:
    if volunteer.id == elder.id:
        raise Refused("self_service", "不能为自己服务")
    check_span(form.started_at, form.ended_at, clock.now())
    _must_have_been_here((volunteer, elder), form.started_at)
    policies = in_force(session, at=clock.now())
    min_age = policies.whole("volunteer_min_age", volunteer.township_code)
    served_on = clock.local_date(form.started_at)
    title = f"服务当日志愿者未满{min_age}周岁"
    must_be_of_age(volunteer.born_on, served_on, min_age, code="volunteer_too_young", title=title)
    must_be_helped(session, elder, policies)


def _must_have_been_here(people: Iterable[Person], at: datetime) -> None:
    for someone in people:
        must_have_been_here(someone.name, at, left_at=someone.left_at, died_on=someone.died_on)


def _recorded(session: Session, actor: Actor, task_id: UUID) -> tuple[Task, Assignment]:
    actor.must_be_steward()
    task = lock_task(session, task_id)
    part = task.parts[0] if task.parts else None
    if not task.back_filled or part is None or task.elder_id is None:
        raise wrong_state(task.status)
    if task.requested_by == actor.login_id:
        raise NotAllowed("second_person_needed", "须由另一位管理员审批")
    if not may("approve_record", part.status):
        raise wrong_state(task.status)
    return task, part


def recorded_task(
    form: BackFill, *, task_id: UUID, township_code: str, recorded_by: UUID | None, recorder_name: str
) -> Task:
    """A back-filled task with its one part, awaiting approval; marked as back-filled for ever."""
    now, served = clock.now(), Range(form.started_at, form.ended_at)
    part = Assignment(
        id=new_id(),
        task_id=task_id,
        volunteer_id=form.volunteer_id,
        status=AssignmentStatus.RECORDED,
        planned_during=served,
        served_during=served,
        accepted_at=now,
        checked_in_at=form.started_at,
        checked_out_at=form.ended_at,
    )
    return Task(
        id=task_id,
        service_type=form.service_type,
        elder_id=form.elder_id,
        township_code=township_code,
        starts_at=form.started_at,
        ends_at=form.ended_at,
        minutes=served_minutes(form.started_at, form.ended_at),
        places=1,
        note=form.note,
        status=TaskStatus.RECORDED,
        back_filled=True,
        evidence=form.evidence,
        requested_by=recorded_by,
        requested_by_name=recorder_name,
        requested_at=now,
        parts=[part],
    )
