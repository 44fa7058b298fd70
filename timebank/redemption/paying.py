"""Paying with minutes 扣付时长: at once, or set aside first and captured when what was ordered has been given.

Granted minutes are spent before savings, and of those what expires first. Every function locks all accounts it needs
in one call, sorted, so that nobody waits for anybody in a ring.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.errors import Conflict
from timebank.core.ids import new_id
from timebank.ledger.actions import place_hold
from timebank.ledger.actions.holds import capture_hold, end_hold
from timebank.ledger.actions.post import lock_accounts, post_one
from timebank.ledger.models import Account, Hold
from timebank.ledger.rules import AccountKind, Movement, insufficient
from timebank.people.models import ElderFile, Person
from timebank.people.queries import must_be_here
from timebank.people.rules import must_be_of_age
from timebank.policies.rules import PolicyBook
from timebank.redemption.vesting import Served, Vesting, redeeming_age
from timebank.tasks.queries import served_in_all
from timebank.tasks.rules import split_payment


def must_be_of_redeeming_age(session: Session, holder: Person, policies: PolicyBook) -> None:
    """Whether somebody may redeem for oneself. Raises Refused ``too_young_to_redeem``; Conflict ``person_left``."""
    must_be_here(holder)
    file = session.get(ElderFile, holder.id)
    min_age = redeeming_age(policies, holder.township_code, file.circumstances if file else ())
    title = f"本人兑换须年满{min_age}周岁"
    must_be_of_age(holder.born_on, clock.today(), min_age, code="too_young_to_redeem", title=title)


def choose_sources(
    session: Session, *, holder: Person, minutes: int, policies: PolicyBook, also_lock: Collection[int] = ()
) -> list[tuple[int, int]]:
    """Which account pays how many minutes, ``(account_id, minutes)``; all of them, and ``also_lock``, locked.

    Raises Refused ``insufficient_minutes``, ``not_vested_yet``; Conflict ``person_left``.
    """
    must_be_here(holder)
    granted, savings = _spendable(session, holder.id)
    states = lock_accounts(session, [*granted, *savings, *also_lock])
    available = {account_id: states[account_id].available for account_id in [*granted, *savings]}
    of_grants = sum(available[account_id] for account_id in granted)
    if sum(available.values()) < minutes:
        raise insufficient("minute", available=sum(available.values()), needed=minutes)
    if of_grants < minutes:
        vesting, served = Vesting.of(policies, holder.township_code), Served(*served_in_all(session, holder.id))
        if not vesting.is_met(served, clock.today()):
            raise vesting.refusal(served, available=of_grants, needed=minutes)
    return split_payment(minutes, available.items())


def hold_minutes(
    session: Session,
    *,
    holder: Person,
    minutes: int,
    cause_kind: str,
    cause_id: UUID,
    expires_at: datetime,
    policies: PolicyBook,
) -> list[Hold]:
    """Set ``minutes`` aside until ``expires_at``; one hold for each account that pays.

    Raises what ``choose_sources`` raises.
    """
    return [
        place_hold(
            session,
            hold_id=new_id(),
            account_id=account_id,
            amount=amount,
            expires_at=expires_at,
            cause_kind=cause_kind,
            cause_id=cause_id,
        )
        for account_id, amount in choose_sources(session, holder=holder, minutes=minutes, policies=policies)
    ]


def capture_minutes(
    session: Session,
    *,
    cause_id: UUID,
    cause_kind: str,
    minutes: int,
    to_account_id: int,
    kind: str,
    note: str,
    policy_version: int,
    recorded_by: UUID | None,
    effective_at: datetime,
) -> list[UUID]:
    """Move ``minutes`` of what is held for this cause, granted ones first, and release the rest.

    Answers the transfers. Raises Conflict ``hold_ended`` where less than that is still held.
    """
    holds = _lock_holds(session, cause_id, also=[to_account_id])
    held = sum(hold.amount for hold in holds)
    if held < minutes:
        raise Conflict("hold_ended", "冻结的时长已经解冻", held_minutes=held, needed_minutes=minutes)
    parts = dict(split_payment(minutes, [(place, hold.amount) for place, hold in enumerate(holds)])) if minutes else {}
    made = []
    for place, hold in enumerate(holds):
        if place not in parts:
            end_hold(session, hold_id=hold.id)
            continue
        movement = Movement(
            id=new_id(),
            from_account_id=hold.account_id,
            to_account_id=to_account_id,
            amount=parts[place],
            kind=kind,
            effective_at=effective_at,
            cause_kind=cause_kind,
            cause_id=cause_id,
            note=note,
            policy_version=policy_version,
            recorded_by=recorded_by,
        )
        capture_hold(session, hold_id=hold.id, movement=movement)
        made.append(movement.id)
    return made


def release_minutes(session: Session, *, cause_id: UUID) -> int:
    """Release whatever is still held for this cause; answers the minutes."""
    holds = _lock_holds(session, cause_id)
    for hold in holds:
        end_hold(session, hold_id=hold.id)
    return sum(hold.amount for hold in holds)


def charge_minutes(
    session: Session,
    *,
    holder: Person,
    minutes: int,
    to_account_id: int,
    kind: str,
    cause_kind: str,
    cause_id: UUID,
    note: str,
    policies: PolicyBook,
    recorded_by: UUID | None,
) -> list[UUID]:
    """Move ``minutes`` without a hold; answers the transfers. Raises what ``choose_sources`` raises."""
    paid = choose_sources(session, holder=holder, minutes=minutes, policies=policies, also_lock=[to_account_id])
    movements = tuple(
        Movement(
            id=new_id(),
            from_account_id=account_id,
            to_account_id=to_account_id,
            amount=amount,
            kind=kind,
            effective_at=clock.now(),
            cause_kind=cause_kind,
            cause_id=cause_id,
            note=note,
            policy_version=policies.version,
            recorded_by=recorded_by,
        )
        for account_id, amount in paid
    )
    post_one(session, movements)
    return [movement.id for movement in movements]


def books_of(session: Session, account_ids: Collection[int]) -> set[str]:
    """The books in which these accounts lie: the townships that will owe what they pay elsewhere."""
    return set(session.scalars(select(Account.book_code).where(Account.id.in_(account_ids))))


def _spendable(session: Session, person_id: UUID) -> tuple[list[int], list[int]]:
    """A person's lots that have not expired, what expires first foremost, and savings."""
    rows = session.execute(
        select(Account.id, Account.kind)
        .where(
            Account.person_id == person_id,
            Account.unit == "minute",
            Account.kind.in_([AccountKind.GRANTED, AccountKind.SAVINGS]),
            Account.closed_at.is_(None),
            Account.expires_on.is_(None) | (Account.expires_on >= clock.today()),
        )
        .order_by(Account.expires_on.nulls_last(), Account.id)
    ).all()
    granted = [row.id for row in rows if row.kind == AccountKind.GRANTED]
    return granted, [row.id for row in rows if row.kind == AccountKind.SAVINGS]


def _lock_holds(session: Session, cause_id: UUID, also: Sequence[int] = ()) -> list[Hold]:
    """What is still held for a cause, the accounts locked first; granted minutes before savings."""
    accounts = session.scalars(select(Hold.account_id).where(Hold.cause_id == cause_id, Hold.state == "placed")).all()
    if not accounts:
        return []
    lock_accounts(session, [*accounts, *also])
    query = (
        select(Hold)
        .join(Account, Account.id == Hold.account_id)
        .where(Hold.cause_id == cause_id, Hold.state == "placed")
        .order_by(Account.expires_on.nulls_last(), Hold.id)
    )
    return list(session.scalars(query.execution_options(populate_existing=True)))
