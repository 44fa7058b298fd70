"""Gifts, pools and help for tests."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.family import in_hardship, make_relatives
from tests.factories.minutes import balance_at, save_minutes
from tests.factories.people import SHANGTIAN, XIWU, add_elder, add_person, steward
from timebank.core.actors import Actor
from timebank.giving.actions import request_hardship
from timebank.giving.models import HardshipRequest
from timebank.ledger.actions import township_accounts
from timebank.ledger.models import Transfer
from timebank.ledger.rules import AccountKind
from timebank.people.family_rules import Relation


def giver_and_receiver(
    session: Session, *, minutes: int = 300, home: str = SHANGTIAN, there: str = XIWU, age: int = 45
) -> tuple[Actor, Actor]:
    """A daughter with savings and her mother, registered as such."""
    daughter = add_person(session, home, age=age, name="周小敏")
    mother = add_elder(session, there, name="周桂芬")
    make_relatives(session, daughter, mother, Relation.PARENT)
    save_minutes(session, daughter, minutes)
    return daughter, mother


def asked_for(
    session: Session, elder: Actor, minutes: int = 120, *, township_code: str = XIWU, by: Actor | None = None
) -> HardshipRequest:
    """Help asked for by a steward of the elder's township, for an elder on low income."""
    in_hardship(session, elder, "低保", "独居")
    return request_hardship(
        session,
        actor=by or steward(township_code),
        person_id=elder.person(),
        minutes=minutes,
        reason="独居且行动不便",
        evidence="入户核查表3号",
    )


def pool_of(session: Session, township_code: str) -> int:
    """Minutes in a township's pool."""
    return balance_at(session, township_accounts(session, [township_code], AccountKind.POOL)[township_code])


def moved_for(session: Session, cause_id: UUID) -> list[tuple[str, str, int]]:
    """The legs that one cause has moved: book, kind, minutes."""
    query = select(Transfer.book_code, Transfer.kind, Transfer.amount).where(Transfer.cause_id == cause_id)
    return [(book, kind, amount) for book, kind, amount in session.execute(query.order_by(Transfer.seq))]
