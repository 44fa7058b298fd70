"""Families for tests: people who have registered each other, with and without phones."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.factories.people import district
from timebank.core.actors import Actor
from timebank.core.clock import now
from timebank.people.actions import Asked, accept_relation, propose_relation, register_relation
from timebank.people.family_models import FamilyRelation
from timebank.people.family_rules import Relation
from timebank.people.login_models import Login
from timebank.people.models import ElderFile, Person


def asked(session: Session, who: Actor, *, name: str | None = None) -> Asked:
    """Somebody as they are named by whoever knows the identity number."""
    known = session.get_one(Person, who.person())
    return Asked(name or known.name, known.id_number)


def make_relatives(session: Session, one: Actor, other: Actor, relation: Relation = Relation.CHILD) -> FamilyRelation:
    """``other`` becomes the registered ``relation`` of ``one``, on the phone."""
    proposal = propose_relation(session, actor=one, asked=asked(session, other), relation=relation)
    return accept_relation(session, actor=other, proposal_id=proposal.id)


def without_phone(session: Session, *people: Actor) -> None:
    """From now on these people have no login over WeChat."""
    ids = [one.person() for one in people]
    session.execute(update(Login).where(Login.person_id.in_(ids)).values(disabled_at=now()))


def on_paper(session: Session, one: Actor, other: Actor, relation: Relation = Relation.SPOUSE) -> FamilyRelation:
    """Two people without phones, registered before the district's steward."""
    made = register_relation(
        session,
        actor=district(),
        person_id=one.person(),
        relative_id=other.person(),
        relation=relation,
        consent_evidence="同意书第7号，双方签字",
    )
    assert made.relation is not None
    return made.relation


def in_hardship(session: Session, who: Actor, *circumstances: str) -> UUID:
    """Circumstances in the elder's file; answers the person."""
    file = session.get(ElderFile, who.person())
    if file is None:
        session.add(ElderFile(person_id=who.person(), circumstances=list(circumstances)))
    else:
        file.circumstances = list(circumstances)
    session.flush()
    return who.person()


def relations(session: Session) -> list[FamilyRelation]:
    """Every relation there ever was, oldest first."""
    return list(session.scalars(select(FamilyRelation).order_by(FamilyRelation.registered_at, FamilyRelation.id)))
