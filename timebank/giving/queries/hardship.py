"""Seeing requests for hardship help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from timebank.core.actors import Actor, StaffRole
from timebank.core.chinese_order import by_pinyin
from timebank.core.errors import NotAllowed
from timebank.core.sorting import Orders, Part, Slice, by_course, slice_of, within_days
from timebank.giving.models import HardshipRequest
from timebank.giving.rules import HardshipStatus
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


HARDSHIP_ORDERS = Orders(
    of="hardship",
    by={
        "requested_at": HardshipRequest.id,
        "name": by_pinyin(Person.name),
        "township": HardshipRequest.township_code,
        "minutes": HardshipRequest.minutes,
        "decided_at": HardshipRequest.decided_at,
        "status": by_course(HardshipRequest.status, list(HardshipStatus)),
    },
    tie=HardshipRequest.id,
    usual="-requested_at",
)


@dataclass(frozen=True, slots=True)
class HardshipFilter:
    """Which requests are wanted; days are those on which they were made."""

    township_code: str | None = None
    status: str | None = None
    person_id: UUID | None = None
    since: date | None = None
    until: date | None = None


def hardship_requests(session: Session, *, actor: Actor, wanted: HardshipFilter, part: Part) -> Slice[HardshipSeen]:
    """Requests of the steward's township; of every township for the district and the auditor.

    Newest first where ``part`` asks for no other order.

    Raises NotAllowed ``books_not_yours``, ``other_township``.
    """
    actor.must_see_books()
    township_code = wanted.township_code
    if actor.staff_role is StaffRole.TOWNSHIP_STEWARD:
        if township_code not in (None, actor.township_code):
            raise NotAllowed("other_township", "只能查看本镇街的帮扶申请", township_code=township_code)
        township_code = actor.township_code
    query = _requests().where(*within_days(HardshipRequest.requested_at, wanted.since, wanted.until))
    exactly = {
        HardshipRequest.township_code: township_code,
        HardshipRequest.status: wanted.status,
        HardshipRequest.person_id: wanted.person_id,
    }
    for column, value in exactly.items():
        if value is not None:
            query = query.where(column == value)
    found = slice_of(session, query, HARDSHIP_ORDERS, part)
    return found.holding([_one(*row) for row in found.items])


def hardship_seen(session: Session, request: HardshipRequest) -> HardshipSeen:
    """One request."""
    return _one(*session.execute(_requests().where(HardshipRequest.id == request.id)).one())


def _requests() -> Select[HardshipRequest, str, bool]:
    undone = exists().where(Transfer.reverses_id == HardshipRequest.transfer_id)
    return select(HardshipRequest, Person.name, undone).join(Person, Person.id == HardshipRequest.person_id)


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
