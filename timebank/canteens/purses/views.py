"""What people see of purses and drawers: balance, statement, and what a drawer should hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session

from timebank.canteens.network.queries import organisation_of
from timebank.canteens.pricing.rules import MEAL_NAMES, Meal
from timebank.canteens.purses.models import PurseSlip, TillHandIn
from timebank.canteens.purses.queries import Purse, drawer_fen, purse_account, purses_of
from timebank.canteens.purses.rules import LineFacts, line_sentence, not_your_purse, till_not_yours
from timebank.core.actors import Actor, StaffRole
from timebank.ledger.queries import TRANSFER_KIND_NAMES
from timebank.people.models import Person
from timebank.people.queries import acts_for, person
from timebank.people.rules import ProxyScope


@dataclass(frozen=True, slots=True)
class PurseLine:
    """One line of a purse: ``fen`` is signed, ``balance_fen`` what was in it afterwards, ``sentence`` why."""

    transfer_id: UUID
    posted_at: datetime
    kind: str
    kind_name: str
    fen: int
    balance_fen: int
    version: int
    order_id: UUID | None
    canteen_id: UUID | None
    canteen_name: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Till:
    """A canteen's drawer: what it should hold, in fen, and what was last handed in."""

    canteen_id: UUID
    canteen_name: str
    drawer_fen: int
    hand_ins: Sequence[TillHandIn]


def purse_for(session: Session, *, actor: Actor, person_id: UUID | None = None) -> tuple[Person, Purse]:
    """Somebody's purse: for the holder, a proxy for meals, stewards of the home township, auditors, and the clerk of
    a counter at which cash was taken from or paid to this person.

    Raises NotFound ``purse_unknown``; NotAllowed ``registration_needed``, ``proxy_scope_missing``.
    """
    holder = _holder(session, actor, person_id)
    return holder, purses_of(session, [holder.id])[holder.id]


# Each side is one walk backwards along its own unique index (account, version).
_LINES = text("""
SELECT l.id, l.recorded_at, l.kind, l.fen, l.balance, l.version, l.note,
       CASE l.cause_kind WHEN 'meal_order' THEN l.cause_id END AS order_id,
       other.organisation_id AS canteen_id, o.name AS canteen_name, m.served_on, m.meal
FROM (
    (SELECT id, recorded_at, kind, -amount AS fen, from_balance AS balance, from_version AS version, note,
            cause_kind, cause_id, to_account_id AS other_id
     FROM ledger_transfer WHERE from_account_id = :account_id AND from_version < :before
     ORDER BY from_version DESC LIMIT :most)
    UNION ALL
    (SELECT id, recorded_at, kind, amount, to_balance, to_version, note, cause_kind, cause_id, from_account_id
     FROM ledger_transfer WHERE to_account_id = :account_id AND to_version < :before
     ORDER BY to_version DESC LIMIT :most)
) l
JOIN ledger_account other ON other.id = l.other_id
LEFT JOIN organisation o ON o.id = other.organisation_id
LEFT JOIN meal_order m ON l.cause_kind = 'meal_order' AND m.id = l.cause_id
ORDER BY l.version DESC LIMIT :most
""")

_FIRST_PAGE = 2**62


def statement_for(
    session: Session, *, actor: Actor, person_id: UUID | None, limit: int, before: int | None = None
) -> list[PurseLine]:
    """A purse's lines, newest first, at most ``limit`` before the version ``before``.

    For the holder, a proxy for meals, stewards of the home township and auditors. Raises what ``purse_for`` raises.
    """
    if actor.staff_role is StaffRole.CANTEEN_CLERK:
        raise not_your_purse()
    account_id = purse_account(session, _holder(session, actor, person_id).id)
    if account_id is None:
        return []
    wanted = {"account_id": account_id, "before": before or _FIRST_PAGE, "most": limit}
    return [_line(row) for row in session.execute(_LINES, wanted)]


def _line(row: Any) -> PurseLine:
    meal_name = MEAL_NAMES[Meal(row.meal)] if row.meal is not None else None
    said = LineFacts(row.kind, row.fen, row.canteen_name, row.served_on, meal_name, row.note)
    return PurseLine(
        transfer_id=row.id,
        posted_at=row.recorded_at,
        kind=row.kind,
        kind_name=TRANSFER_KIND_NAMES.get(row.kind, row.kind),
        fen=row.fen,
        balance_fen=row.balance,
        version=row.version,
        order_id=row.order_id,
        canteen_id=row.canteen_id,
        canteen_name=row.canteen_name,
        sentence=line_sentence(said),
    )


def _holder(session: Session, actor: Actor, person_id: UUID | None) -> Person:
    """Whose purse is meant, where the actor may see it; who may not does not learn whether there is one."""
    if person_id is None or person_id == actor.person_id:
        return person(session, actor.person())
    holder = session.get(Person, person_id)
    if holder is None or not _may_see(session, actor, holder):
        raise not_your_purse()
    return holder


def _may_see(session: Session, actor: Actor, holder: Person) -> bool:
    if actor.staff_role is StaffRole.AUDITOR or actor.stewards(holder.township_code):
        return True
    if actor.staff_role is StaffRole.CANTEEN_CLERK:
        here = (PurseSlip.person_id == holder.id, PurseSlip.canteen_id == actor.organisation_id)
        return bool(session.scalar(select(exists().where(*here))))
    return acts_for(session, actor, holder.id, ProxyScope.MEALS)


_LATELY = 20
"""Hand-ins shown with a drawer."""


def till_for(session: Session, *, actor: Actor, canteen_id: UUID | None = None) -> Till:
    """What a canteen's drawer should hold, for its clerks, stewards of its township, and auditors.

    Raises NotAllowed ``till_not_yours``; NotFound ``canteen_unknown``.
    """
    wanted = canteen_id or actor.organisation_id
    if wanted is None:
        raise till_not_yours()
    is_clerk = actor.staff_role is StaffRole.CANTEEN_CLERK
    if (is_clerk and wanted != actor.organisation_id) or not (is_clerk or actor.is_steward or _audits(actor)):
        raise till_not_yours()
    place = organisation_of(session, wanted)
    if actor.is_steward and not actor.stewards(place.township_code):
        raise till_not_yours()
    lately = select(TillHandIn).where(TillHandIn.canteen_id == wanted).order_by(TillHandIn.id.desc()).limit(_LATELY)
    return Till(wanted, place.name, drawer_fen(session, wanted), session.scalars(lately).all())


def _audits(actor: Actor) -> bool:
    return actor.staff_role is StaffRole.AUDITOR


def slips_of(session: Session, canteen_id: UUID, day: date) -> Sequence[PurseSlip]:
    """The slips that one counter made on one day, in order."""
    query = select(PurseSlip).where(PurseSlip.canteen_id == canteen_id, PurseSlip.on_day == day)
    return session.scalars(query.order_by(PurseSlip.id)).all()
