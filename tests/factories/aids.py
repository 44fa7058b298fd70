"""Aids for tests: items of townships, borrowers with minutes, loans in every state."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count

from sqlalchemy.orm import Session

from tests.factories.minutes import save_minutes
from tests.factories.people import XIWU, add_person, steward
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.redemption.aids.actions import NewItem, Wish, charge_day, charges_due, enter_item, lend, reserve
from timebank.redemption.aids.models import AidItem, AidLoan

_serials = count(1)


def add_aid(session: Session, township_code: str = XIWU, *, kind: str = "wheelchair", name: str = "轮椅") -> AidItem:
    """An aid in good condition, at home."""
    form = NewItem(f"FJ-{next(_serials):04}", kind, name, township_code, date(2026, 1, 5))
    return enter_item(session, actor=steward(township_code), form=form)


def borrower_with(session: Session, minutes: int, *, township_code: str = XIWU, age: int = 70) -> Actor:
    """Somebody old enough to redeem, with savings."""
    borrower = add_person(session, township_code, age=age, name="周桂芬")
    if minutes:
        save_minutes(session, borrower, minutes)
    return borrower


def reserved(
    bank: Database, *, days: int = 3, minutes: int | None = None, home: str = XIWU, at: str = XIWU
) -> tuple[Actor, AidLoan]:
    """A borrower of township ``home`` who has reserved an aid of township ``at``, with just the minutes needed."""
    with bank.unit_of_work() as session:
        borrower = borrower_with(session, 30 * days if minutes is None else minutes, township_code=home)
        item = add_aid(session, at)
        return borrower, reserve(session, actor=borrower, wish=Wish(days, item_id=item.id))


def lent(
    bank: Database, *, days: int = 3, minutes: int | None = None, home: str = XIWU, at: str = XIWU
) -> tuple[Actor, AidLoan]:
    """The same, handed over at once."""
    borrower, loan = reserved(bank, days=days, minutes=minutes, home=home, at=at)
    with bank.unit_of_work() as session:
        return borrower, lend(session, actor=steward(at), loan_id=loan.id, condition="good", code=loan.code)


def run_charges(bank: Database) -> int:
    """What the job does in one turn: each day found in a unit of work of its own; answers how many were charged."""
    with bank.session() as session:
        due = charges_due(session, limit=500)
    done = 0
    for loan_id, day in due:
        with bank.unit_of_work() as session:
            done += charge_day(session, loan_id=loan_id, day=day)
    return done


def days_pass(days: int) -> None:
    """The same hour, some days later."""
    clock.freeze(clock.now() + timedelta(days=days))
