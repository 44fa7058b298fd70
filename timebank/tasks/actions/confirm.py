"""Confirming 确认: by the elder, a proxy or the organiser, or by the bank itself when policy's time has passed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import SYSTEM, Actor
from timebank.core.errors import BankError, NotAllowed, NotFound, Refused
from timebank.notifications.actions import notify_person
from timebank.people.queries import acts_for, nobody_moves, people_by_ids, proxies_of
from timebank.people.rules import ProxyScope
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.tasks.actions.accept import settle_status
from timebank.tasks.actions.acting import acting_name
from timebank.tasks.actions.attend import mark_disputed, minutes_of
from timebank.tasks.caps import Share, credit_said
from timebank.tasks.models import Assignment, ServiceType, Task
from timebank.tasks.payment import due_of, pay
from timebank.tasks.queries import lock_tasks
from timebank.tasks.rules import AssignmentStatus, after, at_rate, may, payable_minutes, wrong_state


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One confirmation: of all parts that await it, or of one volunteer's."""

    task_id: UUID
    actor: Actor
    rating: int | None = None
    comment: str | None = None
    volunteer_id: UUID | None = None


def confirm(session: Session, *, confirmation: Confirmation) -> Task:
    """Confirm one task.

    Raises NotFound ``task_unknown``; NotAllowed ``not_your_elder``; Conflict ``wrong_state``; Refused
    ``self_service`` for a proxy who served the elder.
    """
    result = confirm_many(session, [confirmation])[0]
    if isinstance(result, BankError):
        raise result
    return result


def confirm_many(session: Session, confirmations: Sequence[Confirmation]) -> list[Task | BankError]:
    """Confirm many, each with its own answer or refusal, credited in one posting."""
    tasks = lock_tasks(session, [c.task_id for c in confirmations])
    policies = in_force(session, at=clock.now())
    results: list[Task | BankError] = []
    credited: list[tuple[Task, Assignment]] = []
    for confirmation in confirmations:
        task = tasks.get(confirmation.task_id)
        try:
            parts = _confirm_parts(session, task, confirmation, policies)
        except BankError as refusal:
            results.append(refusal)
            continue
        assert task is not None
        credited += [(task, part) for part in parts]
        results.append(task)
    credit(session, credited, policies)
    return results


def confirmations_due(session: Session, *, limit: int) -> list[UUID]:
    """Tasks whose elder has let policy's time pass since check-out, oldest first."""
    now = clock.now()
    policies = in_force(session, at=now)
    waiting = select(Task.id, Task.township_code, func.min(Assignment.checked_out_at).label("since"))
    waiting = waiting.join(Assignment, Assignment.task_id == Task.id).where(
        Assignment.status == AssignmentStatus.CHECKED_OUT
    )
    # Cut to the limit last: what still waits in a patient township must not keep an impatient one's from being found.
    rows = session.execute(waiting.group_by(Task.id).order_by("since"))
    return [row.id for row in rows if row.since <= now - _patience(policies, row.township_code)][:limit]


def credit(session: Session, credited: Sequence[tuple[Task, Assignment]], policies: PolicyBook) -> None:
    """Pay confirmed parts and tell the volunteers."""
    nobody_moves(session)
    volunteers = people_by_ids(session, {part.volunteer_id for _, part in credited})
    names = {row.code: row.name for row in session.scalars(select(ServiceType))} if credited else {}
    dues = [
        due_of(
            task,
            part,
            volunteer_book=volunteers[part.volunteer_id].township_code,
            service_name=names[task.service_type],
        )
        for task, part in credited
    ]
    shares = pay(session, dues, policies)
    for due in dues:
        title, body = credit_said(due.note, due.minutes, shares.get(due.part_id, Share(0)))
        notify_person(session, person_id=due.volunteer_id, title=title, body=body)


def mark_confirmed(part: Assignment, *, step: str, minutes: int, actor: Actor, name: str | None = None) -> None:
    """Bring one part to confirmed with the minutes to be paid; ``name`` where the actor's own does not say enough."""
    part.status = after(step, part.status)
    part.payable_minutes = minutes
    part.confirmed_at = clock.now()
    part.confirmed_by, part.confirmed_by_name = actor.login_id, name or actor.name


def payable(task: Task, part: Assignment, policies: PolicyBook) -> int:
    """What one part of a task earns under these policies, in minutes."""
    rate = policies.rate_percent(task.service_type, task.township_code)
    if task.back_filled:
        return at_rate(minutes_of(part), rate)
    tolerance = policies.whole("tolerance_minutes", task.township_code)
    return payable_minutes(minutes_of(part), agreed=task.minutes, tolerance=tolerance, rate_percent=rate)


def _confirm_parts(
    session: Session, task: Task | None, confirmation: Confirmation, policies: PolicyBook
) -> list[Assignment]:
    if task is None:
        raise NotFound("task_unknown", "没有这项任务", task_id=confirmation.task_id)
    if confirmation.actor is not SYSTEM:
        must_answer_for(session, confirmation.actor, task)
    overdue = clock.now() - _patience(policies, task.township_code)
    parts = [
        part
        for part in task.parts
        if may("confirm", part.status)
        and confirmation.volunteer_id in (None, part.volunteer_id)
        and (confirmation.actor is not SYSTEM or (part.checked_out_at is not None and part.checked_out_at <= overdue))
    ]
    if not parts:
        raise wrong_state(task.status)
    if any(part.volunteer_id == confirmation.actor.person_id for part in parts):
        raise Refused("self_service", "代办人不能确认自己的服务，请老人本人确认")
    if confirmation.actor is SYSTEM:
        parts = _hold_back_proxies(session, task, parts)
    actor, name = confirmation.actor, acting_name(session, confirmation.actor, task)
    for part in parts:
        part.rating, part.comment = confirmation.rating, confirmation.comment
        mark_confirmed(part, step="confirm", minutes=payable(task, part, policies), actor=actor, name=name)
    settle_status(task)
    return parts


def _hold_back_proxies(session: Session, task: Task, parts: list[Assignment]) -> list[Assignment]:
    """Nobody looked: what the elder's own proxy served goes to a steward instead of being paid by the clock."""
    proxies = proxies_of(session, task.elder_id) if task.elder_id is not None else set()
    for part in parts:
        if part.volunteer_id in proxies:
            mark_disputed(part, actor=SYSTEM, reason="志愿者是老人的代办人，请镇街核实")
    return [part for part in parts if part.volunteer_id not in proxies]


def must_answer_for(session: Session, actor: Actor, task: Task) -> None:
    """Only the elder, a proxy, or for a shift a steward of its township. Raises NotAllowed ``not_your_elder``."""
    if task.elder_id is not None and acts_for(session, actor, task.elder_id, ProxyScope.HELP):
        return
    if task.elder_id is None and actor.stewards(task.township_code):
        return
    raise NotAllowed("not_your_elder", "只有老人本人、代办人或组织者可以确认")


def _patience(policies: PolicyBook, township_code: str) -> timedelta:
    return timedelta(minutes=policies.whole("auto_confirm_after_minutes", township_code))
