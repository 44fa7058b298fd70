"""Paying for hours served: from the elder's own minutes, the pool or the township, in the order of policy."""

from __future__ import annotations

from collections.abc import Sequence
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


def pay(session: Session, dues: Sequence[Due], policies: PolicyBook) -> None:
    """Credit every volunteer, each from the sources that policy names for the paying township, in order.

    One lock for all accounts, one posting for all dues; what an earlier due takes is not there for a later one.
    """
    dues = [due for due in dues if due.minutes > 0]
    if not dues:
        return
    savings = ensure_accounts(session, [(d.volunteer_id, d.volunteer_book) for d in dues], AccountKind.SAVINGS)
    sources = {due.part_id: _sources(session, due, policies) for due in dues}
    ids = {account_id for found in sources.values() for account_id in found} | set(savings.values())
    states = lock_accounts(session, ids)
    left = {state.id: state.available if state.floored else None for state in states.values()}
    movements: list[Movement] = []
    for due in dues:
        for account_id, minutes in split_payment(due.minutes, [(a, left[a]) for a in sources[due.part_id]]):
            available = left[account_id]
            left[account_id] = None if available is None else available - minutes
            movements.append(_movement(due, account_id, savings[due.volunteer_id], minutes, policies.version))
    post_one(session, tuple(movements))


def _sources(session: Session, due: Due, policies: PolicyBook) -> list[int]:
    """The accounts that may pay, in the order of policy; those that stand empty are left out, and so never locked."""
    rows = session.execute(
        select(Account.id, Account.kind, Account.person_id, Account.expires_on)
        .where(
            Account.unit == "minute",
            Account.closed_at.is_(None),
            (Account.kind == AccountKind.ISSUANCE) | (Account.posted > Account.held),
            (
                (Account.book_code == due.paying_book)
                & Account.person_id.is_(None)
                & Account.kind.in_([AccountKind.POOL, AccountKind.ISSUANCE])
            )
            | (
                (Account.person_id == due.elder_id)
                & Account.kind.in_([AccountKind.GRANTED, AccountKind.SAVINGS])
                & (Account.expires_on.is_(None) | (Account.expires_on >= clock.today()))
            ),
        )
        .order_by(Account.expires_on.nulls_last(), Account.id)
    ).all()
    return [row.id for payer in policies.payment_order(due.paying_book) for row in rows if row.kind == payer]


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
