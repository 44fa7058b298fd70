"""Late minutes: what reaches somebody after leaving, such as hours recorded afterwards, follows the savings."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from timebank.core import clock
from timebank.core.amounts import hours_text
from timebank.core.ids import new_id
from timebank.leaving.actions.settle import open_accounts, post_what_is_left
from timebank.leaving.models import LateMinutes, Leaving
from timebank.ledger.actions import ensure_accounts, township_accounts
from timebank.ledger.actions.post import lock_accounts
from timebank.ledger.models import Account
from timebank.ledger.rules import AccountKind
from timebank.notifications.actions import notify_person
from timebank.people.actions.consent import lock_people
from timebank.people.models import Person
from timebank.people.queries import nobody_moves

_KINDS = (AccountKind.SAVINGS, AccountKind.GRANTED)


def left_overs(session: Session, *, limit: int) -> list[UUID]:
    """People who have left and have minutes all the same; not while the relative they go to is only reported dead."""
    goes_to = (
        select(Leaving.to_person_id)
        .where(Leaving.person_id == Person.id)
        .order_by(Leaving.left_at.desc())
        .limit(1)
        .correlate(Person)
        .scalar_subquery()
    )
    receiver = aliased(Person)
    waits = exists().where(receiver.id == goes_to, receiver.left_at.is_(None), receiver.death_reported_at.is_not(None))
    query = (
        select(Account.person_id)
        .join(Person, Person.id == Account.person_id)
        .where(
            Person.left_at.is_not(None),
            Account.closed_at.is_(None),
            Account.kind.in_(_KINDS),
            Account.unit == "minute",
            Account.posted > Account.held,
            ~waits,
        )
        .distinct()
    )
    return [person_id for person_id in session.scalars(query.limit(limit)) if person_id is not None]


def follow(session: Session, *, person_id: UUID) -> int:
    """Send what somebody who has left got since to where the savings went, and close the accounts again.

    To the pool where the relative has left or died as well. Answers the minutes, 0 for whoever has come back
    meanwhile and while the relative's death is only reported: a wrong report must not cost the relative anything.
    """
    nobody_moves(session)
    last = session.scalars(
        select(Leaving).where(Leaving.person_id == person_id).order_by(Leaving.left_at.desc()).limit(1)
    ).first()
    people = lock_people(session, {one for one in (person_id, last.to_person_id if last else None) if one is not None})
    leaver = people[person_id]
    if last is None or leaver.left_at is None:
        return 0
    receiver = people[last.to_person_id] if last.to_person_id is not None else None
    if receiver is not None and receiver.left_at is not None:
        receiver = None
    elif receiver is not None and receiver.death_reported_at is not None:
        return 0
    savings = None
    if receiver is not None:
        holder = [(receiver.id, receiver.township_code)]
        savings = ensure_accounts(session, holder, AccountKind.SAVINGS)[receiver.id]
    own = open_accounts(session, person_id)
    pools = township_accounts(session, set(own.values()), AccountKind.POOL)
    locked = lock_accounts(session, {*own, *pools.values(), *([savings] if savings is not None else [])})
    states = {account_id: locked[account_id] for account_id in own if locked[account_id].kind in _KINDS}
    late = LateMinutes(id=new_id(), leaving_id=last.id, moved_at=clock.now())
    late.minutes = post_what_is_left(session, None, late.id, states, savings, pools, "leaving_late")
    if late.minutes == 0:
        return 0
    session.add(late)
    empty = [account_id for account_id, state in states.items() if state.held == 0]
    session.execute(update(Account).where(Account.id.in_(empty)).values(closed_at=clock.now()))
    if receiver is not None:
        body = f"{leaver.name}补记的{hours_text(late.minutes)}已转入您的时间账户。"
        notify_person(session, person_id=receiver.id, title="亲属时长已转入", body=body)
    session.flush()
    return late.minutes
