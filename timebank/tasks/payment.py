"""Paying for hours served: from the elder's own minutes, the pool or the township, in the order of policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.ids import new_id
from timebank.ledger.actions import ensure_accounts
from timebank.ledger.actions.post import lock_accounts, post_one
from timebank.ledger.models import Account
from timebank.ledger.rules import AccountKind, Movement
from timebank.policies.rules import PolicyBook
from timebank.tasks.models import Assignment, Task
from timebank.tasks.rules import split_payment


@dataclass(frozen=True, slots=True)
class Due:
    """Minutes due to one volunteer for one part in one task."""

    part_id: UUID
    volunteer_id: UUID
    volunteer_book: str
    elder_id: UUID | None
    paying_book: str
    minutes: int
    served_at: datetime
    kind: str
    note: str
    recorded_by: UUID | None


def due_of(task: Task, part: Assignment, *, volunteer_book: str, service_name: str) -> Due:
    """What a confirmed part of a task makes due, to the volunteer's book at home."""
    return Due(
        part_id=part.id,
        volunteer_id=part.volunteer_id,
        volunteer_book=volunteer_book,
        elder_id=task.elder_id,
        paying_book=task.township_code,
        minutes=part.payable_minutes or 0,
        served_at=part.checked_out_at or clock.now(),
        kind="back_fill_credit" if task.back_filled else "service_credit",
        note=service_name + ("（补录）" if task.back_filled else ""),
        recorded_by=part.confirmed_by,
    )


def pay(session: Session, dues: Sequence[Due], policies: PolicyBook) -> None:
    """Credit every volunteer, each from the sources that policy names for the paying township, in order.

    One lock for all accounts, one posting for all dues; what an earlier due takes is not there for a later one.
    """
    dues = [due for due in dues if due.minutes > 0]
    if not dues:
        return
    savings = ensure_accounts(session, [(d.volunteer_id, d.volunteer_book) for d in dues], AccountKind.SAVINGS)
    sources = _sources(session, dues, policies, credited=set(savings.values()))
    ids = {account_id for found in sources.values() for account_id in found} | set(savings.values())
    states = lock_accounts(session, ids)
    left = {state.id: state.available if state.floored else None for state in states.values()}
    movements: list[Movement] = []
    for due in dues:
        target = savings[due.volunteer_id]
        for account_id, minutes in split_payment(due.minutes, [(a, left[a]) for a in sources[due.part_id]]):
            # What a due brings a volunteer can pay for help that this volunteer was given, later in the batch.
            left[account_id], left[target] = _less(left[account_id], minutes), _less(left[target], -minutes)
            movements.append(_movement(due, account_id, target, minutes, policies.version))
    post_one(session, tuple(movements))


def _less(available: int | None, minutes: int) -> int | None:
    return None if available is None else available - minutes


def _sources(
    session: Session, dues: Sequence[Due], policies: PolicyBook, *, credited: set[int]
) -> dict[UUID, list[int]]:
    """For each part the accounts that may pay, in the order of policy.

    Those that stand empty, and are not ``credited`` in this batch, are left out, and so never locked.
    """
    own = Account.person_id.in_({due.elder_id for due in dues if due.elder_id is not None}) & Account.kind.in_(
        [AccountKind.GRANTED, AccountKind.SAVINGS]
    )
    shared = Account.book_code.in_({due.paying_book for due in dues}) & Account.kind.in_(
        [AccountKind.POOL, AccountKind.ISSUANCE]
    )
    rows = session.execute(
        select(Account.id, Account.kind, Account.person_id, Account.book_code)
        .where(
            Account.unit == "minute",
            Account.closed_at.is_(None),
            Account.expires_on.is_(None) | (Account.expires_on >= clock.today()),
            (Account.kind == AccountKind.ISSUANCE) | (Account.posted > Account.held) | Account.id.in_(credited),
            own | shared,
        )
        .order_by(Account.expires_on.nulls_last(), Account.id)
    ).all()
    found: dict[tuple[str, UUID | str], list[int]] = {}
    for row in rows:
        found.setdefault((row.kind, row.person_id or row.book_code), []).append(row.id)
    return {due.part_id: _in_order(due, policies, found) for due in dues}


def _in_order(due: Due, policies: PolicyBook, found: Mapping[tuple[str, UUID | str], list[int]]) -> list[int]:
    ordered: list[int] = []
    for payer in policies.payment_order(due.paying_book):
        owner = due.elder_id if payer in (AccountKind.GRANTED, AccountKind.SAVINGS) else due.paying_book
        ordered += found.get((payer, owner), []) if owner is not None else []
    return ordered


def _movement(due: Due, from_account_id: int, to_account_id: int, minutes: int, policy_version: int) -> Movement:
    return Movement(
        id=new_id(),
        from_account_id=from_account_id,
        to_account_id=to_account_id,
        amount=minutes,
        kind=due.kind,
        effective_at=due.served_at,
        cause_kind="assignment",
        cause_id=due.part_id,
        note=due.note,
        policy_version=policy_version,
        recorded_by=due.recorded_by,
    )
