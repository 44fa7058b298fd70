"""Which movements put a break right: judged one by one when one is named, and looked for so that one can be chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from timebank.clearing.curing import Complaint, Remedy, cures
from timebank.clearing.queries.breaks import must_concern
from timebank.clearing.reconciliation_models import Break
from timebank.clearing.township_lists import BreakType
from timebank.core.actors import Actor
from timebank.core.errors import NotFound
from timebank.ledger.models import Transfer
from timebank.ledger.queries import TRANSFER_KIND_NAMES
from timebank.ledger.rules import SETTLING_KINDS

MOST_CURES = 50
"""Among more nobody finds the right one by looking; whoever knows its id can still name it."""


@dataclass(frozen=True, slots=True)
class Cure:
    """A movement that would put a break right; minutes are signed as the township sees them that handed in the list."""

    transfer_id: UUID
    recorded_at: datetime
    effective_at: datetime
    kind_name: str
    minutes: int
    counterpart_township_code: str
    undoes: bool
    note: str


def break_for(session: Session, actor: Actor, break_id: UUID) -> Break:
    """One break for whom it concerns. Raises NotAllowed ``books_not_yours``; NotFound ``break_unknown``."""
    found = session.get(Break, break_id)
    if found is None:
        raise NotFound("break_unknown", "没有这项差异", break_id=break_id)
    must_concern(actor, found)
    return found


def possible_cures(session: Session, found: Break) -> list[Cure]:
    """Movements recorded since the break was found that would put it right, oldest first; at most ``MOST_CURES``."""
    if found.cured_at is not None or found.ended_at is not None:
        return []
    complaint, own = complaint_of(found), found.township_code
    difference = (found.minutes_there or 0) - (found.minutes_here or 0)
    amounts = {abs(minutes) for minutes in (difference, found.minutes_here, found.minutes_there) if minutes}
    first = select(Transfer).where(
        Transfer.id == Transfer.link_id,
        Transfer.unit == "minute",
        Transfer.recorded_at > found.opened_at,
        Transfer.amount.in_(amounts),
        or_(Transfer.book_code == own, Transfer.counterpart_book_code == own),
        Transfer.kind.not_in(SETTLING_KINDS),
    )
    possible: list[Cure] = []
    for leg in session.scalars(first.order_by(Transfer.seq).execution_options(yield_per=200)):
        remedy = remedy_of(session, leg)
        if cures(complaint, remedy) and not spent(session, found, leg.id):
            possible.append(_cure(leg, remedy, own))
        if len(possible) == MOST_CURES:
            break
    return possible


def complaint_of(found: Break) -> Complaint:
    """A break as its cure is measured by."""
    return Complaint(
        type=BreakType(found.type),
        township_code=found.township_code,
        counterpart=found.counterpart_code,
        minutes_here=found.minutes_here,
        minutes_there=found.minutes_there,
        line_id=found.transfer_id,
        opened_at=found.opened_at,
    )


def remedy_of(session: Session, first: Transfer) -> Remedy:
    """A movement between books, by its first leg, as a cure."""
    assert first.counterpart_book_code is not None
    reversed_leg = session.get(Transfer, first.reverses_id) if first.reverses_id is not None else None
    return Remedy(
        debtor=first.book_code,
        creditor=first.counterpart_book_code,
        minutes=first.amount,
        kind=first.kind,
        reverses_id=reversed_leg.link_id if reversed_leg is not None else None,
        recorded_at=first.recorded_at,
    )


def spent(session: Session, found: Break, transfer_id: UUID) -> bool:
    """Whether the movement has cured another break of the township's lists: it makes up one difference, not two."""
    query = select(Break.id).where(
        Break.township_code == found.township_code, Break.cured_by_transfer_id == transfer_id
    )
    return session.scalar(query) is not None


def _cure(leg: Transfer, remedy: Remedy, own: str) -> Cure:
    owed = remedy.creditor == own
    return Cure(
        transfer_id=leg.id,
        recorded_at=leg.recorded_at,
        effective_at=leg.effective_at,
        kind_name=TRANSFER_KIND_NAMES.get(leg.kind, leg.kind),
        minutes=remedy.minutes if owed else -remedy.minutes,
        counterpart_township_code=remedy.debtor if owed else remedy.creditor,
        undoes=remedy.reverses_id is not None,
        note=leg.note,
    )
