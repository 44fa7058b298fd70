"""Seeing why a service brought what it brought: the part, its transfers and the policies of its moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.errors import NotFound
from timebank.explaining.rules import Explanation, rules_said
from timebank.explaining.services import Service, explain_service, rules_of_service
from timebank.ledger.actions.post import transfers_by_cause
from timebank.ledger.models import Account, Transfer
from timebank.policies.in_words import PAYER_NAMES
from timebank.policies.queries import in_force, rules_in_force
from timebank.tasks.models import Assignment, ServiceType, Task
from timebank.tasks.rules import AssignmentStatus
from timebank.townships.models import Township


@dataclass(frozen=True, slots=True)
class _Paid:
    """What was posted for a part: who paid, what went to the pool, why it was taken back."""

    paid_by: tuple[str, ...]
    surplus_minutes: int
    reversal_reason: str | None
    policy_version: int | None


def part_of(session: Session, *, person_id: UUID, task_id: UUID) -> Assignment:
    """A volunteer's newest part in a task. Raises NotFound ``task_unknown``."""
    query = select(Assignment).where(Assignment.task_id == task_id, Assignment.volunteer_id == person_id)
    part = session.scalars(query.order_by(Assignment.id.desc()).limit(1)).first()
    if part is None:
        raise NotFound("task_unknown", "没有这项任务", task_id=task_id)
    return part


def explain_part(session: Session, part: Assignment) -> Explanation:
    """Why one volunteer's part in a task brought so many minutes, or none."""
    task = session.get_one(Task, part.task_id)
    paid = _paid(session, part)
    at = part.confirmed_at or clock.now()
    status = AssignmentStatus(part.status)
    wanted = rules_of_service(task.service_type, status, capped=paid.surplus_minutes > 0)
    found = rules_in_force(session, [one.key for one in wanted], township_code=task.township_code, at=at)
    return explain_service(_service(session, task, part, paid, at), rules_said(wanted, found), paid.policy_version)


def _service(session: Session, task: Task, part: Assignment, paid: _Paid, at: datetime) -> Service:
    policies = in_force(session, at=at)
    return Service(
        service_name=session.get_one(ServiceType, task.service_type).name,
        status=AssignmentStatus(part.status),
        agreed_minutes=task.minutes,
        starts_at=task.starts_at,
        ends_at=task.ends_at,
        back_filled=task.back_filled,
        township_name=session.get_one(Township, task.township_code).name,
        accepted_at=part.accepted_at,
        checked_in_at=part.checked_in_at,
        checked_out_at=part.checked_out_at,
        confirmed_at=part.confirmed_at,
        confirmed_by_name=part.confirmed_by_name,
        by_itself=part.confirmed_at is not None and part.confirmed_by is None,
        payable_minutes=part.payable_minutes,
        surplus_minutes=paid.surplus_minutes,
        disputed_by_name=part.disputed_by_name,
        dispute_reason=part.dispute_reason,
        ruling=part.ruling,
        reversal_reason=paid.reversal_reason,
        rate_percent=policies.rate_percent(task.service_type, task.township_code),
        tolerance_minutes=policies.whole("tolerance_minutes", task.township_code),
        patience=timedelta(minutes=policies.whole("auto_confirm_after_minutes", task.township_code)),
        paid_by=paid.paid_by,
    )


def _paid(session: Session, part: Assignment) -> _Paid:
    posted = [leg for leg in transfers_by_cause(session, part.id) if leg.link_id in (None, leg.id)]
    given = [leg for leg in posted if leg.reverses_id is None]
    undone = [leg for leg in posted if leg.reverses_id is not None]
    return _Paid(
        paid_by=_payers(session, given),
        surplus_minutes=sum(leg.amount for leg in given if leg.kind == "surplus"),
        reversal_reason=undone[-1].note if undone else None,
        policy_version=given[-1].policy_version if given else None,
    )


def _payers(session: Session, given: Sequence[Transfer]) -> tuple[str, ...]:
    """Who paid, in words, each once, in the order of policy."""
    kinds = session.execute(select(Account.id, Account.kind).where(Account.id.in_({t.from_account_id for t in given})))
    kind_of = {row.id: row.kind for row in kinds}
    names = [PAYER_NAMES[kind_of[t.from_account_id]] for t in given if kind_of[t.from_account_id] in PAYER_NAMES]
    return tuple(dict.fromkeys(names))
