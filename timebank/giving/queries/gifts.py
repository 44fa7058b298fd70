"""Seeing gifts, from the giver's and the receiver's side, and donations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from timebank.core.actors import Actor
from timebank.core.errors import NotAllowed
from timebank.giving.models import Donation, Gift
from timebank.ledger.models import Transfer
from timebank.people.family_rules import Relation, inverse
from timebank.people.models import Person
from timebank.people.queries import acts_for
from timebank.people.rules import ProxyScope
from timebank.townships.models import Township

Direction = Literal["given", "received"]


@dataclass(frozen=True, slots=True)
class GiftSeen:
    """A gift as one side sees it; ``name`` and ``relation`` are of the other side, ``reversed`` where it was undone."""

    gift_id: UUID
    direction: Direction
    person_id: UUID
    name: str
    relation: Relation
    minutes: int
    note: str
    given_at: datetime
    given_by_name: str
    transfer_id: UUID
    reversed: bool


@dataclass(frozen=True, slots=True)
class DonationSeen:
    """A donation, and whether it was undone."""

    donation_id: UUID
    township_code: str
    township_name: str
    minutes: int
    from_group: str | None
    note: str
    donated_at: datetime
    donated_by_name: str
    transfer_id: UUID
    reversed: bool


def gifts_of(
    session: Session,
    *,
    actor: Actor,
    for_person_id: UUID | None = None,
    direction: Direction | None = None,
    limit: int,
    before: UUID | None = None,
) -> list[GiftSeen]:
    """Gifts that somebody gave and received, newest first: one's own, or as a proxy an elder's.

    Raises NotAllowed ``registration_needed``, ``not_your_elder``, ``proxy_scope_missing``.
    """
    viewer_id = for_person_id or actor.person()
    if not acts_for(session, actor, viewer_id, ProxyScope.GIFTS):
        raise NotAllowed("not_your_elder", "只能查看本人或委托您代办赠与的老人的赠与")
    sides = {"given": Gift.giver_id == viewer_id, "received": Gift.receiver_id == viewer_id}
    query = _gifts(viewer_id).where(or_(*sides.values()) if direction is None else sides[direction])
    if before is not None:
        query = query.where(Gift.id < before)
    rows = session.execute(query.order_by(Gift.id.desc()).limit(limit))
    return [_gift(found, other, reversed_, viewer_id) for found, other, reversed_ in rows]


def gift_seen(session: Session, gift: Gift, *, viewer_id: UUID) -> GiftSeen:
    """One gift, as this side of it sees it."""
    found, other, reversed_ = session.execute(_gifts(viewer_id).where(Gift.id == gift.id)).one()
    return _gift(found, other, reversed_, viewer_id)


def donations_of(
    session: Session, *, actor: Actor, limit: int, before: UUID | None = None
) -> tuple[list[DonationSeen], int]:
    """One's own donations, newest first, and what all of them come to, in minutes; one undone counts for nothing.

    Raises NotAllowed ``registration_needed``.
    """
    donor_id = actor.person()
    query = _donations().where(Donation.donor_id == donor_id)
    if before is not None:
        query = query.where(Donation.id < before)
    rows = session.execute(query.order_by(Donation.id.desc()).limit(limit))
    standing = select(func.coalesce(func.sum(Donation.minutes), 0)).where(Donation.donor_id == donor_id)
    total = session.scalar(standing.where(~_undone(Donation.transfer_id)))
    return [_donation(*row) for row in rows], int(total or 0)


def donation_seen(session: Session, donation: Donation) -> DonationSeen:
    """One donation."""
    return _donation(*session.execute(_donations().where(Donation.id == donation.id)).one())


def _undone(transfer_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Whether the movement of this first leg was reversed."""
    return exists().where(Transfer.reverses_id == transfer_id)


def _gifts(viewer_id: UUID) -> Select[Gift, str, bool]:
    other = case((Gift.giver_id == viewer_id, Gift.receiver_id), else_=Gift.giver_id)
    return select(Gift, Person.name, _undone(Gift.transfer_id)).join(Person, Person.id == other)


def _donations() -> Select[Donation, str, bool]:
    query = select(Donation, Township.name, _undone(Donation.transfer_id))
    return query.join(Township, Township.code == Donation.township_code)


def _gift(found: Gift, other: str, reversed_: bool, viewer_id: UUID) -> GiftSeen:
    given = found.giver_id == viewer_id
    relation = Relation(found.relation)
    return GiftSeen(
        gift_id=found.id,
        direction="given" if given else "received",
        person_id=found.receiver_id if given else found.giver_id,
        name=other,
        relation=relation if given else inverse(relation),
        minutes=found.minutes,
        note=found.note,
        given_at=found.given_at,
        given_by_name=found.given_by_name,
        transfer_id=found.transfer_id,
        reversed=reversed_,
    )


def _donation(found: Donation, township_name: str, reversed_: bool) -> DonationSeen:
    return DonationSeen(
        donation_id=found.id,
        township_code=found.township_code,
        township_name=township_name,
        minutes=found.minutes,
        from_group=found.from_group,
        note=found.note,
        donated_at=found.donated_at,
        donated_by_name=found.donated_by_name,
        transfer_id=found.transfer_id,
        reversed=reversed_,
    )
