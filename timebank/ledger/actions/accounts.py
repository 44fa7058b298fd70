"""Finding and opening accounts."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.amounts import Unit
from timebank.ledger.models import Account
from timebank.ledger.rules import FLOORED_KINDS, AccountKind


def ensure_accounts(
    session: Session, holders: Collection[tuple[UUID, str]], kind: AccountKind, unit: Unit = Unit.MINUTE
) -> dict[UUID, int]:
    """The account ids of people (``(person_id, book_code)``), opened where they are missing; two statements at most."""
    wanted = dict(holders)
    found = _accounts_of(session, wanted, kind, unit)
    missing = sorted(set(wanted) - set(found))
    if missing:
        session.execute(
            insert(Account)
            .values(
                [
                    {
                        "book_code": wanted[person_id],
                        "unit": unit,
                        "kind": kind,
                        "floored": kind in FLOORED_KINDS,
                        "person_id": person_id,
                        "opened_at": clock.now(),
                    }
                    for person_id in missing
                ]
            )
            .on_conflict_do_nothing()
        )
        found = _accounts_of(session, wanted, kind, unit)
    return found


def township_accounts(
    session: Session, book_codes: Collection[str], kind: AccountKind, unit: Unit = Unit.MINUTE
) -> dict[str, int]:
    """The account ids of these books' own account of one kind."""
    query = select(Account.book_code, Account.id).where(
        Account.book_code.in_(book_codes), Account.kind == kind, Account.unit == unit, Account.person_id.is_(None)
    )
    return {row.book_code: row.id for row in session.execute(query)}


def _accounts_of(session: Session, wanted: dict[UUID, str], kind: AccountKind, unit: Unit) -> dict[UUID, int]:
    query = select(Account.person_id, Account.book_code, Account.id).where(
        Account.person_id.in_(wanted), Account.kind == kind, Account.unit == unit, Account.closed_at.is_(None)
    )
    return {row.person_id: row.id for row in session.execute(query) if wanted[row.person_id] == row.book_code}
