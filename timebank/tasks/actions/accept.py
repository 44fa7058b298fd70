"""Accepting 接单, withdrawing and cancelling 取消."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import cast, func, select
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import BankError, Conflict, NotAllowed, Refused
from timebank.core.ids import new_id
from timebank.notifications.actions import notify_person
from timebank.people.queries import acts_for, must_be_here, person
from timebank.people.rules import ProxyScope, must_be_of_age
from timebank.policies.queries import in_force
from timebank.tasks.actions.acting import acting_name
from timebank.tasks.models import Assignment, Task
from timebank.tasks.queries import lock_task
from timebank.tasks.rules import (
    FINISHED,
    GONE,
    NOT_BEGUN,
    PLANNED,
    AssignmentStatus,
    TaskStatus,
    after,
    places_left,
    reason_text,
    task_status,
    wrong_state,
)


def accept(session: Session, *, actor: Actor, task_id: UUID) -> Task:
    """Take a place in a task.

    Raises NotFound ``task_unknown``; NotAllowed ``registration_needed``; Conflict ``task_not_open``,
    ``task_already_accepted``, ``volunteer_busy``; Refused ``self_service``, ``volunteer_too_young``.
    """
    volunteer_id = actor.person()
    task = lock_task(session, task_id)
    volunteer = person(session, volunteer_id, for_update=True)
    must_be_here(volunteer)
    if task.elder_id is not None and acts_for(session, actor, task.elder_id, None):
        # A proxy sees the service code and confirms: serving too, nobody else would ever look.
        raise Refused("self_service", "不能接本人或自己代办的老人的任务")
    statuses = [part.status for part in task.parts]
    if task.status in FINISHED or task.back_filled or task.ends_at <= clock.now():
        raise Conflict("task_not_open", "这项任务已经不能接单", status=task.status)
    if any(p.volunteer_id == volunteer_id and p.status not in GONE for p in task.parts):
        raise Conflict("task_already_accepted", "您已经接下这项任务")
    if not places_left(task.places, statuses):
        raise Conflict("task_already_accepted", "这项任务已被接走")
    min_age = in_force(session, at=clock.now()).whole("volunteer_min_age", volunteer.township_code)
    must_be_of_age(
        volunteer.born_on, clock.today(), min_age, code="volunteer_too_young", title=f"志愿者须年满{min_age}周岁"
    )
    planned = Range(task.starts_at, task.ends_at)
    _must_be_free(session, volunteer_id, planned)
    task.parts.append(
        Assignment(
            id=new_id(),
            task_id=task.id,
            volunteer_id=volunteer_id,
            status=AssignmentStatus.ACCEPTED,
            planned_during=planned,
            accepted_at=clock.now(),
        )
    )
    settle_status(task)
    session.flush()
    return task


def cancel(session: Session, *, actor: Actor, task_id: UUID, reason: str | None = None, words: str = "") -> Task:
    """A volunteer withdraws before checking in; whoever requested the task, or a steward, calls it off.

    ``reason`` is a ``CancelReason``; with ``words`` it is told to the other side. Raises NotFound ``task_unknown``;
    NotAllowed ``not_your_task``; Conflict ``wrong_state``; Refused ``cancel_words_needed``.
    """
    said = reason_text(reason, words)
    task = lock_task(session, task_id)
    own = next((p for p in task.parts if p.volunteer_id == actor.person_id and p.status not in GONE), None)
    if own is not None:
        own.status = after("withdraw", own.status)
        own.ended_reason = said or None
        settle_status(task)
        if task.elder_id is not None:
            why = f"（{said}）" if said else ""
            body = f"{actor.name}不能前来{why}，任务重新开放。"
            notify_person(session, person_id=task.elder_id, title="志愿者取消了接单", body=body)
    elif _may_call_off(session, actor, task):
        _call_off(session, task, said, acting_name(session, actor, task))
        if actor.is_steward:
            note_down(session, actor=actor, action="task_called_off", subject=("task", task.id), reason=said)
    else:
        raise NotAllowed("not_your_task", "只有求助人、代办人、接单志愿者或管理员可以取消")
    session.flush()
    return task


def call_off_shift(session: Session, *, actor: Actor, task_id: UUID, reason: str) -> Task:
    """Call a shift off for those who asked for it by ``request_shift``; whoever had accepted is told.

    Raises NotFound ``task_unknown``; Conflict ``wrong_state``.
    """
    task = lock_task(session, task_id)
    _call_off(session, task, reason, actor.name)
    session.flush()
    return task


def settle_status(task: Task) -> None:
    """Bring the task's own status in step with its parts and the time."""
    over = task.ends_at <= clock.now()
    task.status = task_status(task.places, [part.status for part in task.parts], over=over)


def volunteer_busy() -> BankError:
    """The refusal of being in two places at once."""
    return Conflict("volunteer_busy", "这段时间志愿者已有其他服务")


def _may_call_off(session: Session, actor: Actor, task: Task) -> bool:
    if actor.stewards(task.township_code):
        return True
    return task.elder_id is not None and acts_for(session, actor, task.elder_id, ProxyScope.HELP)


def _call_off(session: Session, task: Task, reason: str, name: str) -> None:
    callable_off = task.status in (TaskStatus.OPEN, TaskStatus.ACCEPTED)
    if not callable_off or any(part.status not in NOT_BEGUN for part in task.parts):
        raise wrong_state(task.status)
    for part in task.parts:
        if part.status == AssignmentStatus.ACCEPTED:
            part.status = after("cancel", part.status)
            notify_person(
                session,
                person_id=part.volunteer_id,
                title="任务已取消",
                body=f"{name}取消了这项任务{f'：{reason}' if reason else '。'}",
            )
    task.status, task.ended_reason = TaskStatus.CANCELLED, reason or None


def _must_be_free(session: Session, volunteer_id: UUID, planned: Range[datetime]) -> None:
    overlapping = select(func.count()).where(
        Assignment.volunteer_id == volunteer_id,
        Assignment.status.in_(PLANNED),
        Assignment.planned_during.op("&&")(cast(planned, TSTZRANGE)),
    )
    if session.scalar(overlapping):
        raise volunteer_busy()
