"""Granting: minutes issued by the home township into lots that expire, for many people in a few statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.allotments.models import Allotment, SeedGrant
from timebank.core import clock
from timebank.core.ids import new_id
from timebank.ledger.actions import ensure_accounts, post_one, township_accounts
from timebank.ledger.rules import AccountKind, Movement
from timebank.people.models import Person


@dataclass(frozen=True, slots=True)
class Grant:
    """Minutes for one person, from the township in whose book they will lie, good through ``expires_on``."""

    cause_id: UUID
    person_id: UUID
    township_code: str
    minutes: int
    expires_on: date
    note: str

    @classmethod
    def of(cls, row: Allotment | SeedGrant, note: str) -> Grant:
        """What one row grants."""
        return cls(row.id, row.person_id, row.township_code, row.minutes, row.expires_on, note)


@dataclass(frozen=True, slots=True)
class Home:
    """Where somebody lives who is here and alive."""

    person_id: UUID
    township_code: str
    born_on: date


def keep_here(session: Session, people: Sequence[UUID]) -> dict[UUID, Home]:
    """Those of these people who are here, and stay until the unit of work ends; nobody's number is unsealed for it."""
    rows = session.execute(
        select(Person.id, Person.township_code, Person.born_on)
        .where(Person.id.in_(people), Person.left_at.is_(None), Person.death_reported_at.is_(None))
        .order_by(Person.id)
        .with_for_update(read=True)
    )
    return {row.id: Home(row.id, row.township_code, row.born_on) for row in rows}


def issue(session: Session, grants: Sequence[Grant], *, kind: str, policy_version: int) -> None:
    """Post all grants at once, each out of its township's issuance into a lot of its own last day."""
    if not grants:
        return
    issuing = township_accounts(session, {grant.township_code for grant in grants}, AccountKind.ISSUANCE)
    lots: dict[date, dict[UUID, int]] = {}
    for last_day in {grant.expires_on for grant in grants}:
        holders = [(g.person_id, g.township_code) for g in grants if g.expires_on == last_day]
        lots[last_day] = ensure_accounts(session, holders, AccountKind.GRANTED, expires_on=last_day)
    now = clock.now()
    post_one(
        session,
        tuple(
            Movement(
                id=new_id(),
                from_account_id=issuing[grant.township_code],
                to_account_id=lots[grant.expires_on][grant.person_id],
                amount=grant.minutes,
                kind=kind,
                effective_at=now,
                cause_kind=kind,
                cause_id=grant.cause_id,
                note=grant.note,
                policy_version=policy_version,
            )
            for grant in grants
        ),
    )
