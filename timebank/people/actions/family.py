"""Family 亲属: relations registered with the consent of both sides, ended by either, and heirs 继承人 named among them.

Order of locks: people by id, then proposals, then relations, then heirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.people.actions.consent import (
    Asked,
    asked_index,
    keep_proposal,
    lock_people,
    mark_accepted,
    take_proposal,
)
from timebank.people.family_models import FamilyRelation, Heir, Proposal
from timebank.people.family_queries import has_phone, relation_between
from timebank.people.family_rules import Consent, Pair, ProposalKind, Relation, inverse
from timebank.people.models import Person
from timebank.people.queries import must_be_here, people_by_ids, person


@dataclass(frozen=True, slots=True)
class Registered:
    """What came of registering before a steward: the relation, or a proposal that waits for the side with a phone."""

    relation: FamilyRelation | None = None
    proposal: Proposal | None = None


def propose_relation(session: Session, *, actor: Actor, asked: Asked, relation: Relation) -> Proposal:
    """Ask somebody to be registered as a relative; ``relation`` is what they are to the actor.

    The answer does not tell whether the one asked is enrolled. Raises NotAllowed ``registration_needed``; Refused
    ``id_number_invalid``, ``asked_unnamed``, ``name_missing``, ``relation_with_oneself``, ``too_many_proposals``;
    Conflict ``already_relatives``, ``person_left``.
    """
    proposer = lock_people(session, {actor.person()})[actor.person()]
    index = asked_index(session, asked)
    if index == proposer.id_number_index:
        raise _with_oneself()
    other = session.scalar(select(Person.id).where(Person.id_number_index == index))
    if other is not None and relation_between(session, proposer.id, other) is not None:
        raise _already_relatives()
    return keep_proposal(
        session,
        actor=actor,
        kind=ProposalKind.RELATION,
        proposer=proposer,
        index=index,
        name=asked.name,
        relation=relation,
    )


def accept_relation(session: Session, *, actor: Actor, proposal_id: UUID) -> FamilyRelation:
    """Agree to be registered as a relative.

    Raises NotFound ``proposal_unknown``; Conflict ``proposal_ended``, ``proposal_expired``, ``already_relatives``,
    ``person_left``; NotAllowed ``registration_needed``.
    """
    found, proposer, me = take_proposal(session, actor=actor, proposal_id=proposal_id, kind=ProposalKind.RELATION)
    mark_accepted(session, found, actor=actor)
    by_proposer = Consent.PAPER if found.evidence is not None else Consent.PHONE
    return _register(
        session,
        actor=actor,
        pair=Pair.of(proposer.id, me.id, Relation(found.relation)),
        consents={proposer.id: by_proposer, me.id: Consent.PHONE},
        evidence=found.evidence,
        proposal_id=found.id,
    )


def register_relation(
    session: Session, *, actor: Actor, person_id: UUID, relative_id: UUID, relation: Relation, consent_evidence: str
) -> Registered:
    """Register a relation before a steward of either side; ``relation`` is what the relative is to the person.

    A side without a phone consents on paper, ``consent_evidence`` saying where it lies and who signed; a side with a
    phone is asked there. Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``person_unknown``; Refused
    ``relation_with_oneself``, ``evidence_missing``, ``both_have_phones``, ``too_many_proposals``; Conflict
    ``already_relatives``, ``person_left``.
    """
    # Before anything is looked up, so that whoever is no steward learns nothing about who exists.
    actor.must_be_steward()
    if person_id == relative_id:
        raise _with_oneself()
    people = lock_people(session, {person_id, relative_id})
    if not any(actor.stewards(one.township_code) for one in people.values()):
        raise NotAllowed("other_township", "只能登记本镇街人员的亲属关系")
    for one in people.values():
        must_be_here(one)
    if relation_between(session, person_id, relative_id) is not None:
        raise _already_relatives()
    evidence = _evidence(consent_evidence)
    pair = Pair.of(person_id, relative_id, relation)
    on_paper = [one for one in people.values() if not has_phone(session, one.id)]
    if len(on_paper) == 2:
        consents = dict.fromkeys(people, Consent.PAPER)
        return Registered(_register(session, actor=actor, pair=pair, consents=consents, evidence=evidence))
    if not on_paper:
        raise Refused("both_have_phones", "双方都有手机，请在手机上提出并确认")
    return Registered(proposal=_ask_the_other(session, actor, people, pair, on_paper[0], evidence))


def end_relation(session: Session, *, actor: Actor, relation_id: UUID) -> FamilyRelation:
    """End a relation: either side, or a steward of either's township; an heir named under it is one no longer.

    Raises NotFound ``relation_unknown``; Conflict ``relation_ended``.
    """
    found = session.get(FamilyRelation, relation_id, with_for_update=True)
    if found is None or not _concerns(session, actor, found):
        raise NotFound("relation_unknown", "没有这项亲属登记", relation_id=relation_id)
    if found.ended_at is not None:
        raise Conflict("relation_ended", "这项亲属登记已经终止")
    sides = (found.person_id, found.relative_id)
    heirs = select(Heir).where(Heir.person_id.in_(sides), Heir.heir_id.in_(sides), Heir.ended_at.is_(None))
    for heir in session.scalars(heirs.order_by(Heir.id).with_for_update()):
        _end_heir(heir, actor)
    session.flush()
    found.ended_at, found.ended_by, found.ended_by_name = clock.now(), actor.login_id, actor.name
    session.flush()
    return found


def name_heir(
    session: Session,
    *,
    actor: Actor,
    heir_id: UUID | None,
    of_person_id: UUID | None = None,
    evidence: str | None = None,
) -> Heir | None:
    """Name a registered relative as heir, in place of whoever was; None names nobody.

    A person does it on the phone; for somebody without one (``of_person_id``) a steward of the township, with the
    evidence on paper. Raises NotAllowed ``registration_needed``, ``steward_only``, ``other_township``; NotFound
    ``person_unknown``; Refused ``not_relatives``, ``evidence_missing``, ``consent_by_phone``; Conflict
    ``person_left``.
    """
    owner, paper = _who_names(session, actor, of_person_id, evidence)
    if heir_id is not None:
        if heir_id == owner.id or relation_between(session, owner.id, heir_id, keep=True) is None:
            raise not_relatives()
        must_be_here(person(session, heir_id))
    standing = session.scalar(select(Heir).where(Heir.person_id == owner.id, Heir.ended_at.is_(None)).with_for_update())
    if standing is not None:
        if standing.heir_id == heir_id:
            return standing
        _end_heir(standing, actor)
        session.flush()
    if heir_id is None:
        return None
    named = Heir(
        id=new_id(),
        person_id=owner.id,
        heir_id=heir_id,
        evidence=paper,
        named_at=clock.now(),
        named_by=actor.login_id,
        named_by_name=actor.name,
    )
    session.add(named)
    session.flush()
    return named


def not_relatives() -> Refused:
    """The refusal for somebody who is no registered relative, enrolled or not."""
    return Refused("not_relatives", "你们没有登记亲属关系，请先登记并由双方确认")


def _register(
    session: Session,
    *,
    actor: Actor,
    pair: Pair,
    consents: dict[UUID, Consent],
    evidence: str | None,
    proposal_id: UUID | None = None,
) -> FamilyRelation:
    """Write a relation that both sides agree to; both people's rows are locked."""
    if relation_between(session, pair.person_id, pair.relative_id) is not None:
        raise _already_relatives()
    made = FamilyRelation(
        id=new_id(),
        person_id=pair.person_id,
        relative_id=pair.relative_id,
        relation=pair.relation,
        person_consent=consents[pair.person_id],
        relative_consent=consents[pair.relative_id],
        evidence=evidence,
        proposal_id=proposal_id,
        registered_at=clock.now(),
        registered_by=actor.login_id,
        registered_by_name=actor.name,
    )
    session.add(made)
    session.flush()
    return made


def _ask_the_other(
    session: Session, actor: Actor, people: dict[UUID, Person], pair: Pair, on_paper: Person, evidence: str
) -> Proposal:
    """A proposal in the name of the side that signed, to the side that has a phone."""
    other = next(one for one in people.values() if one.id != on_paper.id)
    seen = pair.relation if on_paper.id == pair.person_id else inverse(pair.relation)
    return keep_proposal(
        session,
        actor=actor,
        kind=ProposalKind.RELATION,
        proposer=on_paper,
        index=other.id_number_index,
        name=other.name,
        relation=seen,
        evidence=evidence,
    )


def _who_names(
    session: Session, actor: Actor, of_person_id: UUID | None, evidence: str | None
) -> tuple[Person, str | None]:
    """Whose heir it is, locked, and the paper where it is done before a steward."""
    if of_person_id is None or of_person_id == actor.person_id:
        owner = lock_people(session, {actor.person()})[actor.person()]
        must_be_here(owner)
        return owner, None
    actor.must_be_steward()
    owner = lock_people(session, {of_person_id})[of_person_id]
    actor.must_steward(owner.township_code)
    must_be_here(owner)
    if has_phone(session, owner.id):
        raise Refused("consent_by_phone", "本人有手机，请本人在手机上办理")
    return owner, _evidence(evidence or "")


def _concerns(session: Session, actor: Actor, found: FamilyRelation) -> bool:
    sides = (found.person_id, found.relative_id)
    if actor.person_id in sides:
        return True
    return actor.is_steward and any(actor.stewards(one.township_code) for one in people_by_ids(session, sides).values())


def _end_heir(heir: Heir, actor: Actor) -> None:
    heir.ended_at, heir.ended_by, heir.ended_by_name = clock.now(), actor.login_id, actor.name


def _evidence(text: str) -> str:
    evidence = text.strip()
    if not evidence:
        raise Refused("evidence_missing", "请写明同意书存放在哪里、由谁签字", field="consent_evidence")
    return evidence


def _with_oneself() -> Refused:
    return Refused("relation_with_oneself", "不能登记本人为自己的亲属")


def _already_relatives() -> Conflict:
    return Conflict("already_relatives", "你们已经登记为亲属")
