"""Leaving and deaths for tests, each step in a unit of work of its own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.people import XIWU, district, steward
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.leaving import actions as leaving
from timebank.leaving.actions.deaths import Death
from timebank.leaving.actions.leave import Wish
from timebank.leaving.models import DeathReport, Leaving
from timebank.ledger.models import Account
from timebank.people.models import Person


def leave(bank: Database, actor: Actor, **wish: Any) -> Leaving:
    """Leave, to the pool if nothing else is said."""
    with bank.unit_of_work() as session:
        return leaving.leave(session, actor=actor, wish=Wish(**{"to": "pool", **wish}))


def report(bank: Database, dead: Actor, *, by: Actor | None = None) -> DeathReport:
    """A steward of 西坞 reports a death of today."""
    with bank.unit_of_work() as session:
        death = Death(dead.person(), clock.today(), "死亡证明第9号")
        return leaving.report_death(session, actor=by or steward(XIWU), death=death)


def approve(bank: Database, report_id: UUID, *, by: Actor | None = None) -> DeathReport:
    """Another district steward agrees."""
    with bank.unit_of_work() as session:
        return leaving.approve_death(session, actor=by or district(), report_id=report_id)


def is_here(session: Session, person: Actor) -> bool:
    """Whether somebody has not left."""
    return session.get_one(Person, person.person()).left_at is None


def accounts_of(session: Session, person: Actor) -> list[tuple[str, int, bool]]:
    """A person's accounts: kind, minutes, and whether it is closed."""
    query = select(Account).where(Account.person_id == person.person_id).order_by(Account.kind, Account.id)
    return [(one.kind, one.posted, one.closed_at is not None) for one in session.scalars(query)]
