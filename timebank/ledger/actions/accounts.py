"""Finding and opening accounts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import Text, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.amounts import Unit
from timebank.ledger.models import Account
from timebank.ledger.rules import FLOORED_KINDS, HOUSE, AccountKind

_OF_BOOKS = select(Account.book_code, Account.id).where(
    Account.book_code == any_(bindparam("book_codes", type_=ARRAY(Text))),
    Account.kind == bindparam("kind"),
    Account.unit == bindparam("unit"),
    Account.person_id.is_(None),
    Account.organisation_id.is_(None),
)


def ensure_accounts(
    session: Session,
    holders: Collection[tuple[UUID, str]],
    kind: AccountKind,
    unit: Unit = Unit.MINUTE,
    expires_on: date | None = None,
) -> dict[UUID, int]:
    """The account ids of people (``(person_id, book_code)``), opened where they are missing; three statements at most.

    Granted minutes have a lot for each last day ``expires_on``. Of two who open the same account at once, the later
    one waits and finds the earlier one's.
    """
    wanted = dict(holders)
    found = _accounts_of(session, wanted, kind, unit, expires_on)
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
                        "expires_on": expires_on,
                        "opened_at": clock.now(),
                    }
                    for person_id in missing
                ]
            )
            .on_conflict_do_nothing()
        )
        found = _accounts_of(session, wanted, kind, unit, expires_on)
    return found


def ensure_lot(session: Session, *, person_id: UUID, book_code: str, expires_on: date) -> int:
    """The account of granted minutes that a person has in this book until the end of ``expires_on``."""
    holder = [(person_id, book_code)]
    return ensure_accounts(session, holder, AccountKind.GRANTED, expires_on=expires_on)[person_id]


def township_accounts(
    session: Session, book_codes: Collection[str], kind: AccountKind, unit: Unit = Unit.MINUTE
) -> dict[str, int]:
    """The account ids of these books' own account of one kind."""
    asked = {"book_codes": list(book_codes), "kind": kind, "unit": unit}
    return {row.book_code: row.id for row in session.execute(_OF_BOOKS, asked)}


def house_account(session: Session, kind: AccountKind, unit: Unit = Unit.FEN) -> int:
    """The account id of the house's own account of one kind."""
    return township_accounts(session, [HOUSE], kind, unit)[HOUSE]


def ensure_organisation_accounts(
    session: Session, organisation_ids: Collection[UUID], kind: AccountKind
) -> dict[UUID, int]:
    """The money accounts of one kind that canteens have in the house's book, opened where they are missing."""
    return ensure_accounts_of_kinds(session, organisation_ids, [kind])[kind]


def ensure_accounts_of_kinds(
    session: Session, organisation_ids: Collection[UUID], kinds: Collection[AccountKind]
) -> dict[AccountKind, dict[UUID, int]]:
    """The money accounts of several kinds that canteens have in the house's book; three statements at most."""
    wanted = sorted(set(organisation_ids))
    found = _of_organisations(session, wanted, kinds)
    missing = [(kind, one) for kind in sorted(kinds) for one in wanted if one not in found[kind]]
    if missing:
        rows = [
            {
                "book_code": HOUSE,
                "unit": Unit.FEN,
                "kind": kind,
                "floored": kind in FLOORED_KINDS,
                "organisation_id": organisation_id,
                "opened_at": clock.now(),
            }
            for kind, organisation_id in missing
        ]
        session.execute(insert(Account).values(rows).on_conflict_do_nothing())
        found = _of_organisations(session, wanted, kinds)
    return found


def _of_organisations(
    session: Session, wanted: Collection[UUID], kinds: Collection[AccountKind]
) -> dict[AccountKind, dict[UUID, int]]:
    query = select(Account.kind, Account.organisation_id, Account.id).where(
        Account.organisation_id.in_(wanted), Account.kind.in_(kinds), Account.closed_at.is_(None)
    )
    found: dict[AccountKind, dict[UUID, int]] = {kind: {} for kind in kinds}
    for row in session.execute(query):
        if row.organisation_id is not None:
            found[AccountKind(row.kind)][row.organisation_id] = row.id
    return found


def _accounts_of(
    session: Session, wanted: dict[UUID, str], kind: AccountKind, unit: Unit, expires_on: date | None
) -> dict[UUID, int]:
    query = select(Account.person_id, Account.book_code, Account.id).where(
        Account.person_id.in_(wanted),
        Account.kind == kind,
        Account.unit == unit,
        Account.expires_on.is_not_distinct_from(expires_on),
        Account.closed_at.is_(None),
    )
    return {row.person_id: row.id for row in session.execute(query) if wanted[row.person_id] == row.book_code}
