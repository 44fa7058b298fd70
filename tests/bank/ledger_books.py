"""Accounts and movements for tests of the ledger: people of two townships with money in the unit under test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.factories.people import SHANGTIAN, XIWU
from timebank.core import clock
from timebank.core.amounts import Unit
from timebank.core.ids import new_id
from timebank.ledger.actions import post_one, township_accounts
from timebank.ledger.models import Account, Transfer
from timebank.ledger.rules import FLOORED_KINDS, AccountKind, Movement
from timebank.people.models import Person

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
"""Noon in Fenghua on an ordinary day."""

SOURCE = {Unit.MINUTE: AccountKind.ISSUANCE, Unit.FEN: AccountKind.CASH}
"""Where each unit comes from: an account without a floor in every book."""

OWN = {Unit.MINUTE: AccountKind.SAVINGS, Unit.FEN: AccountKind.PURSE}
"""What a person keeps each unit in."""

SHARED = {Unit.MINUTE: AccountKind.POOL, Unit.FEN: AccountKind.FUND}
"""The floored account of each unit that belongs to a book, not to a person."""


@dataclass(frozen=True, slots=True)
class Side:
    """The accounts of one unit in one book: the book's own, and those of two people."""

    book: str
    source: int
    clearing: int
    shared: int
    mei: int
    lin: int


@dataclass(frozen=True, slots=True)
class Scene:
    """Two books in one unit."""

    unit: Unit
    here: Side
    there: Side


def open_person(session: Session, township_code: str = XIWU) -> UUID:
    """A person without a login."""
    person_id = new_id()
    session.add(
        Person(
            id=person_id,
            name="王梅",
            id_number=person_id.hex[:18],
            id_number_index=person_id.bytes,
            born_on=date(1950, 1, 1),
            sex="F",
            phone=None,
            township_code=township_code,
            enrolled_at=clock.now(),
            enrolled_by=None,
        )
    )
    session.flush()
    return person_id


def open_account(
    session: Session,
    book: str,
    kind: AccountKind,
    unit: Unit = Unit.MINUTE,
    *,
    person_id: UUID | None = None,
    expires_on: date | None = None,
) -> int:
    """An empty account; of a new person where none is named."""
    account = Account(
        book_code=book,
        unit=unit,
        kind=kind,
        floored=kind in FLOORED_KINDS,
        person_id=person_id or open_person(session, book),
        expires_on=expires_on,
        opened_at=clock.now(),
    )
    session.add(account)
    session.flush()
    return account.id


def open_scene(session: Session, unit: Unit = Unit.MINUTE, *, each: int = 100) -> Scene:
    """Two books with two people each, every person and every book's shared account holding ``each``."""
    return Scene(unit, _side(session, XIWU, unit, each), _side(session, SHANGTIAN, unit, each))


def _side(session: Session, book: str, unit: Unit, each: int) -> Side:
    own = {
        kind: township_accounts(session, [book], kind, unit)[book]
        for kind in (SOURCE[unit], AccountKind.CLEARING, SHARED[unit])
    }
    mei, lin = (open_account(session, book, OWN[unit], unit) for _ in range(2))
    side = Side(book, own[SOURCE[unit]], own[AccountKind.CLEARING], own[SHARED[unit]], mei, lin)
    if each:
        fill(session, side, {side.shared: each, mei: each, lin: each})
    return side


def fill(session: Session, side: Side, amounts: Mapping[int, int]) -> None:
    """Move amounts from the book's source into accounts."""
    post_one(session, tuple(move(side.source, account_id, amount) for account_id, amount in amounts.items()))


def move(source: int, target: int, amount: int, **fields: Any) -> Movement:
    """A movement with a fresh id; any field may be given."""
    base = Movement(new_id(), source, target, amount, kind="service_credit", effective_at=clock.now())
    return replace(base, **fields)


def posted(session: Session, account_id: int) -> int:
    """The balance on a floored account's row."""
    return account_row(session, account_id)[0]


def account_row(session: Session, account_id: int) -> tuple[int, int, int]:
    """Posted, held and version on an account's row, as the database has them now."""
    found = session.execute(text("SELECT posted, held, version FROM ledger_account WHERE id = :id"), {"id": account_id})
    row = found.one()
    return row.posted, row.held, row.version


def net_of(session: Session, account_ids: Sequence[int]) -> int:
    """What the transfers make of these accounts together, from the raw rows."""
    query = text("""
        SELECT coalesce(sum(CASE WHEN to_account_id = ANY(:ids) THEN amount ELSE 0 END), 0)
             - coalesce(sum(CASE WHEN from_account_id = ANY(:ids) THEN amount ELSE 0 END), 0)
        FROM ledger_transfer""")
    return int(session.execute(query, {"ids": list(account_ids)}).scalar_one())


def clearing_sum(session: Session, unit: Unit) -> int:
    """The sum of all books' clearing accounts of one unit, from the raw rows: zero, always."""
    query = text("SELECT id FROM ledger_account WHERE kind = 'clearing' AND unit = :unit")
    return net_of(session, list(session.scalars(query, {"unit": unit})))


def count_of(session: Session, *ids: UUID) -> int:
    """How many rows these transfer ids have."""
    return int(session.query(Transfer).filter(Transfer.id.in_(ids)).count())
