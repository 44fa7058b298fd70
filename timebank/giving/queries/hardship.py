"""Seeing requests for hardship help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from timebank.core.actors import Actor, StaffRole
from timebank.core.errors import NotAllowed
from timebank.giving.models import HardshipRequest
from timebank.ledger.models import Transfer
from timebank.people.models import Person


@dataclass(frozen=True, slots=True)
class HardshipSeen:
    """One request, and what became of it; ``reversed`` where what was granted was undone."""

    hardship_id: UUID
    person_id: UUID
    person_name: str
    township_code: str
    minutes: int
    reason: str
    evidence: str
    circumstances: Sequence[str]
    status: str
    requested_at: datetime
    requested_by_name: str
    decided_at: datetime | None
    decided_by_name: str | None
    decline_reason: str | None
    transfer_id: UUID | None
    expires_on: date | None
    reversed: bool


def hardship_requests(
    session: Session,
    *,
    actor: Actor,
    township_code: str | None = None,
    status: str | None = None,
    person_id: UUID | None = None,
    limit: int,
    before: UUID | None = None,
) -> list[HardshipSeen]:
    """Requests of the steward's township, newest first; of every township for the district and the auditor.

    Raises NotAllowed ``books_not_yours``, ``other_township``.
    """
    actor.must_see_books()
    if actor.staff_role is StaffRole.TOWNSHIP_STEWARD:
        if township_code not in (None, actor.township_code):
            raise NotAllowed("other_township", "只能查看本镇街的帮扶申请", township_code=township_code)
        township_code = actor.township_code
    query = select(HardshipRequest.id)
    wanted = {
        HardshipRequest.township_code: township_code,
        HardshipRequest.status: status,
        HardshipRequest.person_id: person_id,
    }
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(HardshipRequest.id < before)
    return _seen(session, session.scalars(query.order_by(HardshipRequest.id.desc()).limit(limit)).all())


def hardship_seen(session: Session, request: HardshipRequest) -> HardshipSeen:
    """One request."""
    return _seen(session, [request.id])[0]


def _seen(session: Session, ids: Sequence[UUID]) -> list[HardshipSeen]:
    undone = exists().where(Transfer.reverses_id == HardshipRequest.transfer_id)
    rows = session.execute(
        select(HardshipRequest, Person.name, undone)
        .join(Person, Person.id == HardshipRequest.person_id)
        .where(HardshipRequest.id.in_(ids))
        .order_by(HardshipRequest.id.desc())
    )
    return [_one(found, name, reversed_) for found, name, reversed_ in rows]


def _one(found: HardshipRequest, person_name: str, reversed_: bool) -> HardshipSeen:
    return HardshipSeen(
        hardship_id=found.id,
        person_id=found.person_id,
        person_name=person_name,
        township_code=found.township_code,
        minutes=found.minutes,
        reason=found.reason,
        evidence=found.evidence,
        circumstances=found.circumstances,
        status=found.status,
        requested_at=found.requested_at,
        requested_by_name=found.requested_by_name,
        decided_at=found.decided_at,
        decided_by_name=found.decided_by_name,
        decline_reason=found.decline_reason,
        transfer_id=found.transfer_id,
        expires_on=found.expires_on,
        reversed=reversed_,
    )
