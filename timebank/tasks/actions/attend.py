"""Checking in 签到 and out 签退."""

from __future__ import annotations

import hmac
import unicodedata
from datetime import timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, NotAllowed, Refused
from timebank.notifications.actions import notify_person
from timebank.people.queries import person
from timebank.policies.queries import in_force
from timebank.tasks.actions.accept import settle_status, volunteer_busy
from timebank.tasks.models import Assignment, Task
from timebank.tasks.queries import lock_task, overlapping_part
from timebank.tasks.rules import GONE, AssignmentStatus, after, served_minutes, wrong_state


def check_in(
    session: Session,
    *,
    actor: Actor,
    task_id: UUID,
    service_code: str,
    latitude: float | None = None,
    longitude: float | None = None,
) -> Task | Refused:
    """Begin serving; the elder reads the six-digit service code out, which shows that both are there.

    A wrong code comes back as a value, Refused ``service_code_wrong``, because it must be counted, and so may not undo
    its unit of work; after as many as policy allows, ``service_code_blocked``. Raises NotFound ``task_unknown``;
    NotAllowed ``not_your_task``; Conflict ``wrong_state``, ``volunteer_busy``; Refused ``too_early``.
    """
    task, part = own_part(session, actor, task_id)
    status = after("check_in", part.status)
    now = clock.now()
    policies = in_force(session, at=now)
    early = policies.whole("check_in_early_minutes", task.township_code)
    if now < task.starts_at - timedelta(minutes=early):
        raise Refused("too_early", f"最早可在开始前{early}分钟签到", starts_at=task.starts_at)
    most_misses = policies.whole("service_code_most_misses", task.township_code)
    # All of the volunteer's parts count: withdrawing and accepting again gives no new tries.
    misses = sum(p.service_code_misses for p in task.parts if p.volunteer_id == part.volunteer_id)
    if misses >= most_misses:
        return Refused("service_code_blocked", "服务码错误次数太多，请联系镇街管理员", field="service_code")
    if task.service_code is None or not hmac.compare_digest(task.service_code.encode(), _tidy(service_code)):
        part.service_code_misses += 1
        session.flush()
        left = most_misses - misses - 1
        return Refused("service_code_wrong", "服务码不对，请老人再念一遍", field="service_code", tries_left=left)
    # Whoever already serves elsewhere has a span that is still open, and so overlaps everything from now on.
    person(session, part.volunteer_id, for_update=True)
    served = Range(now, None)
    if overlapping_part(session, part.volunteer_id, served) is not None:
        raise volunteer_busy()
    part.status, part.checked_in_at, part.served_during = status, now, served
    part.latitude, part.longitude = latitude, longitude
    settle_status(task)
    session.flush()
    return task


def _tidy(code: str) -> bytes:
    """A code as it was typed: full-width digits and blanks evened out."""
    return "".join(unicodedata.normalize("NFKC", code).split()).encode()


def check_out(session: Session, *, actor: Actor, task_id: UUID) -> Task:
    """End serving; from now on the elder can confirm.

    Raises NotFound ``task_unknown``; NotAllowed ``not_your_task``; Conflict ``wrong_state``.
    """
    task, part = own_part(session, actor, task_id)
    part.status = after("check_out", part.status)
    end_service(part)
    settle_status(task)
    if task.elder_id is not None:
        notify_person(
            session,
            person_id=task.elder_id,
            title="请确认服务",
            body=f"{actor.name}服务了{minutes_of(part)}分钟，请确认或提出异议。",
        )
    session.flush()
    return task


def own_part(session: Session, actor: Actor, task_id: UUID) -> tuple[Task, Assignment]:
    """The task, locked, and the volunteer's own part. Raises NotAllowed ``not_your_task``; Conflict ``wrong_state``."""
    volunteer_id = actor.person()
    task = lock_task(session, task_id)
    parts = [p for p in task.parts if p.volunteer_id == volunteer_id]
    if not parts:
        raise NotAllowed("not_your_task", "您没有接这项任务")
    # Whoever withdrew may have come back: one part at most is not gone.
    part = next((p for p in parts if p.status not in GONE), None)
    if part is None:
        raise wrong_state(task.status)
    return task, part


def mark_disputed(part: Assignment, *, actor: Actor, reason: str, name: str | None = None) -> None:
    """Bring one part before a steward; whoever has not checked out yet is checked out.

    ``name`` is given where the actor's own does not say enough.
    """
    status = after("dispute", part.status)
    if part.status == AssignmentStatus.CHECKED_IN:
        end_service(part)
    part.status, part.dispute_reason = status, reason
    part.disputed_by, part.disputed_by_name = actor.login_id, name or actor.name


def end_service(part: Assignment) -> None:
    """Close the span that check-in opened; at least a microsecond long, as an empty span would be no presence."""
    if part.checked_in_at is None:
        raise Conflict("wrong_state", "还没有签到", status=part.status)
    part.checked_out_at = max(clock.now(), part.checked_in_at + timedelta(microseconds=1))
    part.served_during = Range(part.checked_in_at, part.checked_out_at)


def minutes_of(part: Assignment) -> int:
    """Minutes actually served, from check-in to check-out. Raises Conflict ``wrong_state`` before both are there."""
    if part.checked_in_at is None or part.checked_out_at is None:
        raise Conflict("wrong_state", "还没有签退", status=part.status)
    return served_minutes(part.checked_in_at, part.checked_out_at)
