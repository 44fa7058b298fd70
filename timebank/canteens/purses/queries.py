"""Seeing purses and drawers as other parts of the meal programme do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from timebank.core.amounts import Unit
from timebank.ledger.actions.accounts import ensure_accounts, ensure_organisation_accounts
from timebank.ledger.models import Account
from timebank.ledger.queries import BALANCES
from timebank.ledger.rules import HOUSE, AccountKind


@dataclass(frozen=True, slots=True)
class Purse:
    """What a person has for meals, in fen: all of it, what is held for meals ordered, what may be used."""

    balance_fen: int
    held_fen: int

    @property
    def available_fen(self) -> int:
        """What may be spent or paid back."""
        return self.balance_fen - self.held_fen


def purse_accounts(session: Session, person_ids: Collection[UUID]) -> dict[UUID, int]:
    """The account ids of people's purses, all in the house's book, opened where they are missing."""
    return ensure_accounts(session, [(i, HOUSE) for i in person_ids], AccountKind.PURSE, Unit.FEN)


def purses_of(session: Session, person_ids: Collection[UUID]) -> dict[UUID, Purse]:
    """What people have; nobody is left out, and no account is opened."""
    rows = session.execute(
        select(Account.person_id, Account.posted, Account.held).where(
            Account.person_id.in_(person_ids), Account.kind == AccountKind.PURSE, Account.closed_at.is_(None)
        )
    )
    found = {row.person_id: Purse(row.posted, row.held) for row in rows}
    return {person_id: found.get(person_id, Purse(0, 0)) for person_id in person_ids}


def purse_account(session: Session, person_id: UUID) -> int | None:
    """The account of a person's purse; None where nothing was ever put in."""
    return session.scalar(
        select(Account.id).where(
            Account.person_id == person_id, Account.kind == AccountKind.PURSE, Account.closed_at.is_(None)
        )
    )


def till_account(session: Session, canteen_id: UUID) -> int:
    """The account of a canteen's drawer, opened where it is missing."""
    return ensure_organisation_accounts(session, [canteen_id], AccountKind.TILL)[canteen_id]


_BALANCE = text(f"SELECT b.balance FROM ({BALANCES}) b WHERE b.id = :account_id")


def drawer_fen(session: Session, canteen_id: UUID) -> int:
    """The cash that a canteen's drawer should hold, in fen; its account falls below zero by that much."""
    wanted = {"account_id": till_account(session, canteen_id), "unit": Unit.FEN}
    return -int(session.execute(_BALANCE, wanted).scalar_one())
