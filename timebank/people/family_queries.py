"""Seeing family: relations from either side, the named heir, proxies, and proposals that wait for consent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, case, or_, select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.people.family_models import FamilyRelation, Heir, Proposal
from timebank.people.family_rules import Pair, ProposalKind, ProposalStatus, Relation, inverse, shown_status
from timebank.people.login_models import Login
from timebank.people.models import Person, Proxy
from timebank.people.queries import person
from timebank.people.rules import tidy_name


@dataclass(frozen=True, slots=True)
class Relative:
    """A relative as one person sees them; ``relation`` is what they are to that person."""

    relation_id: UUID
    person_id: UUID
    name: str
    relation: Relation
    registered_at: datetime
    registered_by_name: str
    is_heir: bool


@dataclass(frozen=True, slots=True)
class ProxySeen:
    """A consent in force as one side of it sees it: ``acts_for_me``, or else I act for the other."""

    registration_id: UUID
    acts_for_me: bool
    person_id: UUID
    name: str
    relation: str
    scopes: Sequence[str]
    registered_at: datetime
    township_code: str | None


@dataclass(frozen=True, slots=True)
class ProposalSeen:
    """A proposal as one side of it sees it; ``name`` is the other side's."""

    proposal_id: UUID
    kind: str
    received: bool
    name: str
    relation: str
    scopes: Sequence[str]
    status: str
    proposed_at: datetime
    expires_at: datetime


def relation_between(session: Session, one: UUID, other: UUID, *, keep: bool = False) -> FamilyRelation | None:
    """The registered relation of two people, whichever is named first; with ``keep`` nobody ends it meanwhile."""
    pair = Pair.of(one, other, Relation.OTHER)
    query = select(FamilyRelation).where(
        FamilyRelation.person_id == pair.person_id,
        FamilyRelation.relative_id == pair.relative_id,
        FamilyRelation.ended_at.is_(None),
    )
    return session.scalar(query.with_for_update(read=True) if keep else query)


def seen_from(relation: FamilyRelation, person_id: UUID) -> Relation:
    """What the other one is to ``person_id``."""
    word = Relation(relation.relation)
    return word if relation.person_id == person_id else inverse(word)


def are_relatives(session: Session, one: UUID, other: UUID) -> bool:
    """Whether two people are registered as relatives, both having consented."""
    return relation_between(session, one, other) is not None


def relatives_of(session: Session, person_id: UUID) -> list[Relative]:
    """A person's registered relatives, by when they were registered."""
    other = case((FamilyRelation.person_id == person_id, FamilyRelation.relative_id), else_=FamilyRelation.person_id)
    rows = session.execute(
        select(FamilyRelation, Person.id, Person.name)
        .join(Person, Person.id == other)
        .where(
            or_(FamilyRelation.person_id == person_id, FamilyRelation.relative_id == person_id),
            FamilyRelation.ended_at.is_(None),
        )
        .order_by(FamilyRelation.registered_at, FamilyRelation.id)
    )
    heir = heir_of(session, person_id)
    return [
        Relative(
            relation_id=found.id,
            person_id=relative_id,
            name=name,
            relation=seen_from(found, person_id),
            registered_at=found.registered_at,
            registered_by_name=found.registered_by_name,
            is_heir=relative_id == heir,
        )
        for found, relative_id, name in rows
    ]


def heir_of(session: Session, person_id: UUID) -> UUID | None:
    """Whom a person has named as heir; None where nobody is."""
    return session.scalar(select(Heir.heir_id).where(Heir.person_id == person_id, Heir.ended_at.is_(None)))


def has_phone(session: Session, person_id: UUID) -> bool:
    """Whether somebody can be asked on the phone: has a login over WeChat that is open."""
    query = select(Login.id).where(Login.person_id == person_id, Login.openid.is_not(None), Login.disabled_at.is_(None))
    return session.scalar(query) is not None


def proxies_seen_by(session: Session, person_id: UUID) -> list[ProxySeen]:
    """Who acts for a person and for whom this person acts, by when it was registered."""
    for_me = Proxy.elder_id == person_id
    rows = session.execute(
        select(Proxy, for_me, Person.id, Person.name, Person.township_code)
        .join(Person, Person.id == case((for_me, Proxy.proxy_id), else_=Proxy.elder_id))
        .where(or_(for_me, Proxy.proxy_id == person_id), Proxy.ended_at.is_(None))
        .order_by(Proxy.registered_at, Proxy.id)
    )
    return [
        ProxySeen(
            found.id,
            mine,
            other_id,
            name,
            found.relation,
            found.scopes,
            found.registered_at,
            # Whoever acts for an elder reckons by the rules of where the elder lives.
            None if mine else township_code,
        )
        for found, mine, other_id, name, township_code in rows
    ]


def is_asked(someone: Person, proposal: Proposal) -> bool:
    """Whether a proposal is for this person: the number, and the name as far as a name can be the same."""
    return proposal.asked_index == someone.id_number_index and proposal.asked_name == tidy_name(someone.name)


def proposals_seen_by(
    session: Session, person_id: UUID, *, kind: ProposalKind, limit: int, before: UUID | None = None
) -> list[ProposalSeen]:
    """Proposals that a person made and those that wait for the person's answer, newest first."""
    me, now = person(session, person_id), clock.now()
    waiting = and_(
        Proposal.asked_index == me.id_number_index,
        # As ``is_asked``: with a wrong name it is nobody's to see.
        Proposal.asked_name == tidy_name(me.name),
        Proposal.status == ProposalStatus.WAITING,
        Proposal.expires_at > now,
    )
    query = (
        select(Proposal, Person.name)
        .join(Person, Person.id == Proposal.proposer_id)
        .where(Proposal.kind == kind, or_(Proposal.proposer_id == me.id, waiting))
        .order_by(Proposal.id.desc())
    )
    if before is not None:
        query = query.where(Proposal.id < before)
    return [proposal_seen(found, me, name) for found, name in session.execute(query.limit(limit))]


def proposal_view(session: Session, found: Proposal, viewer_id: UUID | None) -> ProposalSeen:
    """One proposal as the viewer sees it; whoever is no side of it sees what its proposer does."""
    proposer = person(session, found.proposer_id)
    asked = viewer_id is not None and viewer_id != proposer.id and is_asked(person(session, viewer_id), found)
    return proposal_seen(found, person(session, viewer_id) if asked and viewer_id else proposer, proposer.name)


def relative_view(session: Session, relation: FamilyRelation, person_id: UUID) -> Relative:
    """One relation that stands, as this side of it sees it."""
    return next(one for one in relatives_of(session, person_id) if one.relation_id == relation.id)


def proposal_seen(found: Proposal, viewer: Person, proposer_name: str) -> ProposalSeen:
    """One proposal, as the side that asked or the side that was asked sees it."""
    received = found.proposer_id != viewer.id
    return ProposalSeen(
        proposal_id=found.id,
        kind=found.kind,
        received=received,
        name=proposer_name if received else found.asked_name,
        relation=_relation_seen(found, received),
        scopes=found.scopes or [],
        status=shown_status(found.status, found.expires_at, clock.now(), to_proposer=not received),
        proposed_at=found.proposed_at,
        expires_at=found.expires_at,
    )


def _relation_seen(found: Proposal, received: bool) -> str:
    """The relation as the viewer reads it: what the other is to the viewer; a proxy's stays in the elder's words."""
    if found.kind == ProposalKind.PROXY or not received:
        return found.relation
    return inverse(Relation(found.relation))
