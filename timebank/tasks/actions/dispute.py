"""Disputes 申诉: either side objects with a reason, a steward of the township rules."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import NotAllowed, Refused
from timebank.notifications.actions import notify_person, notify_stewards
from timebank.people.queries import acts_for
from timebank.people.rules import ProxyScope
from timebank.policies.queries import in_force
from timebank.tasks.actions.accept import settle_status
from timebank.tasks.actions.acting import acting_name
from timebank.tasks.actions.attend import mark_disputed
from timebank.tasks.actions.confirm import credit, mark_confirmed
from timebank.tasks.models import Assignment, Task
from timebank.tasks.queries import lock_task
from timebank.tasks.rules import may, wrong_state


def dispute(session: Session, *, actor: Actor, task_id: UUID, reason: str, volunteer_id: UUID | None = None) -> Task:
    """Object to the minutes of a part that is not yet confirmed.

    The volunteer objects to the own part; the elder, a proxy or a steward of the township, whom an elder without a
    phone may have told, to one volunteer's or all. Raises NotFound ``task_unknown``; NotAllowed ``not_your_task``;
    Conflict ``wrong_state``.
    """
    task = lock_task(session, task_id)
    for part in _disputed_parts(session, actor, task, volunteer_id):
        served = part.volunteer_id == actor.person_id
        name = actor.name if served else acting_name(session, actor, task)
        mark_disputed(part, actor=actor, reason=reason, name=name)
    settle_status(task)
    notify_stewards(session, township_code=task.township_code, title="有服务申诉待裁定", body=reason)
    session.flush()
    return task


def rule(session: Session, *, actor: Actor, task_id: UUID, volunteer_id: UUID, minutes: int, reason: str) -> Task:
    """A steward decides how many minutes a disputed part earns, 0 included; the volunteer is credited.

    Raises NotFound ``task_unknown``; NotAllowed ``steward_only``, ``other_township``, ``second_person_needed`` for the
    steward who raised the dispute; Conflict ``wrong_state``; Refused ``amount_invalid``, ``minutes_too_many``.
    """
    actor.must_be_steward()
    task = lock_task(session, task_id)
    actor.must_steward(task.township_code)
    part = next((p for p in task.parts if p.volunteer_id == volunteer_id and may("rule", p.status)), None)
    if part is None:
        raise wrong_state(task.status)
    if part.disputed_by == actor.login_id:
        raise NotAllowed("second_person_needed", "须由另一位管理员裁定")
    policies = in_force(session, at=clock.now())
    most = policies.whole("task_max_minutes", task.township_code)
    if minutes < 0:
        raise Refused("amount_invalid", "裁定的分钟数不能为负", field="minutes")
    if minutes > most:
        raise Refused("minutes_too_many", f"单次服务最长{most}分钟", field="minutes", max_minutes=most)
    part.ruling = reason
    mark_confirmed(part, step="rule", minutes=minutes, actor=actor)
    settle_status(task)
    note_down(
        session, actor=actor, action="dispute_ruled", subject=("assignment", part.id), minutes=minutes, reason=reason
    )
    credit(session, [(task, part)], policies)
    if task.elder_id is not None:
        notify_person(session, person_id=task.elder_id, title="申诉已裁定", body=f"裁定{minutes}分钟：{reason}")
    session.flush()
    return task


def _disputed_parts(session: Session, actor: Actor, task: Task, volunteer_id: UUID | None) -> list[Assignment]:
    own = [p for p in task.parts if actor.person_id is not None and p.volunteer_id == actor.person_id]
    if own:
        parts = own
    elif actor.stewards(task.township_code) or (
        task.elder_id and acts_for(session, actor, task.elder_id, ProxyScope.HELP)
    ):
        parts = [p for p in task.parts if volunteer_id in (None, p.volunteer_id)]
    else:
        raise NotAllowed("not_your_task", "只有双方当事人和本镇街管理员可以申诉")
    parts = [p for p in parts if may("dispute", p.status)]
    if not parts:
        raise wrong_state(task.status)
    return parts
