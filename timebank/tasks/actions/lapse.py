"""Letting time pass: requests expire, who never came is marked, a forgotten check-out goes to a steward."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import SYSTEM
from timebank.notifications.actions import notify_person, notify_stewards
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.tasks.actions.accept import settle_status
from timebank.tasks.actions.attend import mark_disputed
from timebank.tasks.models import Assignment, Task
from timebank.tasks.queries import lock_task
from timebank.tasks.rules import GONE, PLANNED, AssignmentStatus, TaskStatus, after


def lapsing(session: Session, *, limit: int) -> list[UUID]:
    """Tasks whose agreed end has passed while something in them still waits to begin or to end."""
    serving = Assignment.task_id == Task.id, Assignment.status.in_(PLANNED)
    query = select(Task.id).where(
        Task.ends_at <= clock.now(),
        Task.status.in_([TaskStatus.OPEN, TaskStatus.ACCEPTED, TaskStatus.CHECKED_IN])
        # One volunteer's dispute must not keep the others of a shift from being looked after.
        | ((Task.status == TaskStatus.DISPUTED) & exists().where(*serving)),
    )
    policies = in_force(session, at=clock.now())
    rows = session.execute(query.add_columns(Task.status, Task.ends_at, Task.township_code).order_by(Task.ends_at))
    due = [
        row.id for row in rows if row.ends_at + _shortest_wait(policies, row.status, row.township_code) <= clock.now()
    ]
    return due[:limit]


def lapse(session: Session, *, task_id: UUID) -> bool:
    """Do what is due on one task; answers whether anything was."""
    task = lock_task(session, task_id)
    now = clock.now()
    policies = in_force(session, at=now)
    changed = _mark_missing(session, task, policies) | _call_forgotten(session, task, policies)
    over = task.ends_at <= now
    if changed or (over and task.status == TaskStatus.OPEN):
        before = task.status
        settle_status(task)
        changed = changed or task.status != before
    if task.status == TaskStatus.OPEN and over and all(p.status in GONE for p in task.parts):
        task.status, task.ended_reason, changed = TaskStatus.EXPIRED, "到期无人完成", True
        if task.elder_id is not None:
            notify_person(
                session, person_id=task.elder_id, title="求助已过期", body="没有志愿者完成这次服务，请重新发布。"
            )
    session.flush()
    return changed


def _mark_missing(session: Session, task: Task, policies: PolicyBook) -> bool:
    late = task.ends_at + timedelta(minutes=policies.whole("no_show_after_minutes", task.township_code))
    missing = [p for p in task.parts if p.status == AssignmentStatus.ACCEPTED] if clock.now() >= late else []
    for part in missing:
        part.status = after("miss", part.status)
        notify_person(session, person_id=part.volunteer_id, title="未签到", body="您接的任务没有签到，已作未到处理。")
    return bool(missing)


def _call_forgotten(session: Session, task: Task, policies: PolicyBook) -> bool:
    wait = timedelta(minutes=policies.whole("check_out_forgotten_after_minutes", task.township_code))
    late = task.ends_at + wait
    forgotten = [p for p in task.parts if p.status == AssignmentStatus.CHECKED_IN] if clock.now() >= late else []
    for part in forgotten:
        mark_disputed(part, actor=SYSTEM, reason="签到后没有签退，请核实服务时长")
        notify_stewards(
            session, township_code=task.township_code, title="有服务忘记签退", body=part.dispute_reason or ""
        )
    return bool(forgotten)


def _shortest_wait(policies: PolicyBook, status: str, township_code: str) -> timedelta:
    if status == TaskStatus.OPEN:
        return timedelta()
    keys = ["no_show_after_minutes"]
    if status != TaskStatus.ACCEPTED:
        keys.append("check_out_forgotten_after_minutes")
    return timedelta(minutes=min(policies.whole(key, township_code) for key in keys))
