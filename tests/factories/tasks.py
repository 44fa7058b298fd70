"""Tasks for tests: asked for, served and waiting to be confirmed, each step in a unit of work of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from tests.factories.people import XIWU, steward
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.clock import LOCAL
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.tasks import actions as tasks
from timebank.tasks.actions import BackFill, Confirmation, Request
from timebank.tasks.models import Assignment, Task
from timebank.tasks.queries import lock_task

NINE = datetime(2026, 3, 10, 9, tzinfo=LOCAL)
"""A Tuesday morning in Fenghua, at which most tests begin."""


def ask(session: Session, elder: Actor, *, starts_at: datetime | None = None, minutes: int = 60) -> Task:
    """One hour of company for an elder, an hour from now if nothing else is said."""
    starts_at = starts_at or clock.now() + timedelta(hours=1)
    return tasks.request(session, actor=elder, wanted=Request("companionship", starts_at, minutes))


def ask_for_shift(session: Session, *, places: int, starts_at: datetime, minutes: int = 180) -> Task:
    """A shift at a canteen of 西坞."""
    wanted = Request("canteen_shift", starts_at, minutes, township_code=XIWU, places=places)
    return tasks.request(session, actor=steward(XIWU), wanted=wanted)


def accept(bank: Database, volunteer: Actor, task: Task) -> Task:
    """Take a place."""
    with bank.unit_of_work() as session:
        return tasks.accept(session, actor=volunteer, task_id=task.id)


def check_in(bank: Database, volunteer: Actor, task: Task, *, at: datetime | None = None) -> Task:
    """Check in with the right service code, the clock set to the start of the task or to ``at``."""
    clock.freeze(at or task.starts_at)
    assert task.service_code is not None
    with bank.unit_of_work() as session:
        answer = tasks.check_in(session, actor=volunteer, task_id=task.id, service_code=task.service_code)
    assert not isinstance(answer, BankError), answer
    return answer


def check_out(bank: Database, volunteer: Actor, task: Task, *, after: timedelta) -> Task:
    """Check out, the clock set to so long after the present moment."""
    clock.freeze(clock.now() + after)
    with bank.unit_of_work() as session:
        return tasks.check_out(session, actor=volunteer, task_id=task.id)


def serve(bank: Database, volunteer: Actor, task: Task, *, minutes: float = 60) -> Task:
    """Accept, check in at the start and check out after so many minutes."""
    accept(bank, volunteer, task)
    check_in(bank, volunteer, task)
    return check_out(bank, volunteer, task, after=timedelta(minutes=minutes))


def serve_shift(bank: Database, volunteers: Sequence[Actor], shift: Task, *, minutes: float) -> None:
    """All of them come at the start of the shift and leave together after so many minutes."""
    for volunteer in volunteers:
        accept(bank, volunteer, shift)
    for volunteer in volunteers:
        check_in(bank, volunteer, shift)
    leaving = timedelta(minutes=minutes)
    for volunteer in volunteers:
        check_out(bank, volunteer, shift, after=leaving)
        leaving = timedelta()


def confirm(bank: Database, actor: Actor, task: Task, *, volunteer_id: UUID | None = None) -> Task:
    """Confirm what awaits it."""
    with bank.unit_of_work() as session:
        return tasks.confirm(session, confirmation=Confirmation(task.id, actor, rating=5, volunteer_id=volunteer_id))


def past_service(
    volunteer: Actor, elder: Actor, *, ended_at: datetime, minutes: int = 60, evidence: str = "签到表第3页"
) -> BackFill:
    """A form for hours that were served in the past."""
    started_at = ended_at - timedelta(minutes=minutes)
    return BackFill("companionship", volunteer.person(), elder.person(), started_at, ended_at, evidence)


def as_it_stands(bank: Database, task: Task) -> Task:
    """The task with its parts, read afresh."""
    with bank.session() as session:
        return lock_task(session, task.id)


def only_part(task: Task) -> Assignment:
    """The part of a task that has one."""
    assert len(task.parts) == 1
    return task.parts[0]
