"""Minutes in accounts for tests: savings, grants that expire, a township's pool. All of it issued by the township."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.ids import new_id
from timebank.ledger.actions import ensure_accounts, post_one, township_accounts
from timebank.ledger.models import Account
from timebank.ledger.rules import AccountKind, Movement


def save_minutes(session: Session, person: Actor, minutes: int) -> int:
    """Savings of a person, as a transfer of the person's own township; answers the account."""
    book = book_of(person)
    account_id = ensure_accounts(session, [(person.person(), book)], AccountKind.SAVINGS)[person.person()]
    _issue(session, book, account_id, minutes)
    return account_id


def grant_minutes(session: Session, person: Actor, minutes: int, *, expires_on: date) -> int:
    """An allotment that expires, in an account of its own; answers the account."""
    book = book_of(person)
    lot = Account(
        book_code=book,
        unit="minute",
        kind=AccountKind.GRANTED,
        floored=True,
        person_id=person.person(),
        expires_on=expires_on,
        opened_at=clock.now(),
    )
    session.add(lot)
    session.flush()
    _issue(session, book, lot.id, minutes)
    return lot.id


def fill_pool(session: Session, township_code: str, minutes: int) -> int:
    """Minutes in a township's pool; answers the account."""
    pool = township_accounts(session, [township_code], AccountKind.POOL)[township_code]
    _issue(session, township_code, pool, minutes)
    return pool


def posted_in(session: Session, kind: AccountKind, person: Actor) -> int:
    """Minutes in all accounts of one kind of a person, held ones included."""
    query = select(func.coalesce(func.sum(Account.posted), 0))
    return int(session.scalar(query.where(Account.person_id == person.person_id, Account.kind == kind)) or 0)


def balance_at(session: Session, account_id: int) -> int:
    """Minutes in one account with a floor."""
    return session.scalars(select(Account.posted).where(Account.id == account_id)).one()


def book_of(person: Actor) -> str:
    """The township in whose book a person's accounts lie."""
    assert person.township_code is not None
    return person.township_code


def _issue(session: Session, book: str, account_id: int, minutes: int) -> None:
    issuance = township_accounts(session, [book], AccountKind.ISSUANCE)[book]
    movement = Movement(new_id(), issuance, account_id, minutes, "opening", clock.now())
    post_one(session, (movement,))
