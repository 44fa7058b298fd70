"""Paying for hours served: from the elder's own minutes, the pool or the township, in the order of policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.ids import new_id
from timebank.ledger.actions import ensure_accounts, township_accounts
from timebank.ledger.actions.post import lock_accounts, post_one
from timebank.ledger.models import Account
from timebank.ledger.rules import AccountKind, Movement
from timebank.people.models import Person
from timebank.policies.rules import PolicyBook
from timebank.tasks.caps import DAILY, Earned, Earning, Share, share_out
from timebank.tasks.honours import award_stars, earned_before
from timebank.tasks.models import Assignment, Task
from timebank.tasks.rules import split_payment

SURPLUS = "surplus"
"""The kind of transfer of what lies beyond a volunteer's cap."""


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
    day: date
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
        day=_day_of(part),
        kind="back_fill_credit" if task.back_filled else "service_credit",
        note=service_name + ("（补录）" if task.back_filled else ""),
        recorded_by=part.confirmed_by,
    )


def pay(session: Session, dues: Sequence[Due], policies: PolicyBook) -> dict[UUID, Share]:
    """Credit every volunteer, each from the sources that policy names for the paying township, in order.

    What lies beyond a volunteer's cap goes to the pool at home instead; answered is each part's share. The volunteers'
    rows are locked before the caps are looked at, so that of two confirmations at once the later one knows of the
    earlier, and whoever leaves does so before or after. One lock for all accounts, one posting for all dues; what an
    earlier due takes is not there for a later one.
    """
    dues = [due for due in dues if due.minutes > 0]
    if not dues:
        return {}
    shares = _share_out(session, dues, policies)
    savings = ensure_accounts(session, [(d.volunteer_id, d.volunteer_book) for d in dues], AccountKind.SAVINGS)
    capped = {due.volunteer_book for due in dues if shares[due.part_id].surplus_minutes}
    pools = township_accounts(session, capped, AccountKind.POOL) if capped else {}
    sources = _sources(session, dues, policies, credited={*savings.values(), *pools.values()})
    ids = {account_id for found in sources.values() for account_id in found} | {*savings.values(), *pools.values()}
    states = lock_accounts(session, ids)
    left = {state.id: state.available if state.floored else None for state in states.values()}
    movements: list[Movement] = []
    for due in dues:
        for target, minutes, kind in _targets(due, shares[due.part_id], savings, pools):
            # A pool does not pay into itself: for what it would get back the township issues minutes.
            paying = [(account_id, left[account_id]) for account_id in sources[due.part_id] if account_id != target]
            for account_id, part in split_payment(minutes, paying):
                # What a due brings can pay, later in the batch, for help that this volunteer was given.
                left[account_id], left[target] = _less(left[account_id], part), _less(left[target], -part)
                movements.append(_movement(due, account_id, target, part, kind, policies.version))
    post_one(session, tuple(movements))
    return shares


def _share_out(session: Session, dues: Sequence[Due], policies: PolicyBook) -> dict[UUID, Share]:
    """Each part's share, kept with the part; whoever reaches a star by it is told."""
    homes = {due.volunteer_id: due.volunteer_book for due in dues}
    session.execute(select(Person.id).where(Person.id.in_(homes)).order_by(Person.id).with_for_update(key_share=True))
    parts = [due.part_id for due in dues]
    days = {due.day for due in dues} if any(policies.whole(DAILY, home) for home in homes.values()) else set()
    before = earned_before(session, homes, without=parts, days=days)
    earnings = [Earning(d.part_id, d.volunteer_id, d.volunteer_book, d.day, d.minutes) for d in dues]
    shares = share_out(earnings, before, policies)
    honour: dict[UUID, tuple[int, int]] = {}
    for due in dues:
        had = before.get(due.volunteer_id, Earned()).honour_minutes
        honour[due.volunteer_id] = (had, honour.get(due.volunteer_id, (had, had))[1] + due.minutes)
        if shares[due.part_id].surplus_minutes:
            session.get_one(Assignment, due.part_id).surplus_minutes = shares[due.part_id].surplus_minutes
    award_stars(session, honour, homes, policies)
    return shares


def _targets(
    due: Due, share: Share, savings: Mapping[UUID, int], pools: Mapping[str, int]
) -> list[tuple[int, int, str]]:
    """Where a due's minutes go: the account, how many, and the kind of transfer."""
    targets = [(savings[due.volunteer_id], share.credited_minutes, due.kind)] if share.credited_minutes else []
    if share.surplus_minutes:
        targets.append((pools[due.volunteer_book], share.surplus_minutes, SURPLUS))
    return targets


def _day_of(part: Assignment) -> date:
    """The day of service: that on which it began."""
    begun = (part.served_during or part.planned_during).lower
    return clock.local_date(begun or part.accepted_at)


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


def _movement(
    due: Due, from_account_id: int, to_account_id: int, minutes: int, kind: str, policy_version: int
) -> Movement:
    return Movement(
        id=new_id(),
        from_account_id=from_account_id,
        to_account_id=to_account_id,
        amount=minutes,
        kind=kind,
        effective_at=due.served_at,
        cause_kind="assignment",
        cause_id=due.part_id,
        note=due.note + ("（超出上限部分）" if kind == SURPLUS else ""),
        policy_version=policy_version,
        recorded_by=due.recorded_by,
    )
