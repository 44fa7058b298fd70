"""Proposals 待确认的请求: one side asks on the phone, the other accepts, declines, or lets it lapse.

Who is asked is named by identity number or by person, and by name. The answer is the same whether or not that is
somebody enrolled. Order of locks: people by id, then proposals, then what comes of them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.crypto import keyring
from timebank.core.errors import NotFound, Refused
from timebank.core.ids import new_id
from timebank.people.actions.enrol import read_id_number
from timebank.people.family_models import Proposal
from timebank.people.family_queries import is_asked
from timebank.people.family_rules import ProposalKind, ProposalStatus, must_be_waiting, proposal_ended
from timebank.people.models import Person
from timebank.people.queries import must_be_here, person
from timebank.people.rules import tidy_name
from timebank.policies.queries import in_force


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked: a name, and either an identity number or a person."""

    name: str
    id_number: str | None = None
    person_id: UUID | None = None


def asked_index(session: Session, asked: Asked) -> bytes:
    """The blind index of who is asked; of nobody's, where no such person is known.

    Raises Refused ``id_number_invalid``, ``asked_unnamed``, ``name_missing``.
    """
    if (asked.id_number is None) == (asked.person_id is None):
        raise Refused("asked_unnamed", "请填写对方的身份证号或编号（二选一）", field="id_number")
    if not tidy_name(asked.name):
        raise Refused("name_missing", "请填写姓名", field="name")
    if asked.id_number is not None:
        return keyring().blind_index(read_id_number(asked.id_number).value)
    known = session.scalar(select(Person.id_number_index).where(Person.id == asked.person_id))
    return known or keyring().blind_index(str(asked.person_id))


def lock_people(session: Session, ids: Collection[UUID]) -> dict[UUID, Person]:
    """These people, locked in the order of their ids. Raises NotFound ``person_unknown``."""
    query = select(Person).where(Person.id.in_(ids)).order_by(Person.id)
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = {one.id: one for one in session.scalars(locked)}
    for wanted in ids:
        if wanted not in found:
            raise NotFound("person_unknown", "没有这位登记人员", person_id=wanted)
    return found


def keep_proposal(
    session: Session,
    *,
    actor: Actor,
    kind: ProposalKind,
    proposer: Person,
    index: bytes,
    name: str,
    relation: str,
    scopes: Collection[str] | None = None,
    evidence: str | None = None,
) -> Proposal:
    """Write a proposal down, in place of one that still waits for the same answer; the proposer's row is locked.

    Raises Refused ``too_many_proposals``; Conflict ``person_left``.
    """
    must_be_here(proposer)
    now = clock.now()
    policies = in_force(session, at=now)
    for earlier in _open_proposals(session, proposer, kind, index):
        _end(earlier, ProposalStatus.WITHDRAWN, actor)
    session.flush()
    most = policies.whole("proposal_max_open", proposer.township_code)
    if _count_open(session, proposer) >= most:
        raise Refused("too_many_proposals", f"待对方确认的请求最多{most}份，请先撤回一些", max_proposals=most)
    proposal = Proposal(
        id=new_id(),
        kind=kind,
        proposer_id=proposer.id,
        asked_index=index,
        asked_name=tidy_name(name),
        relation=relation,
        scopes=None if scopes is None else sorted(set(scopes)),
        evidence=evidence,
        proposed_at=now,
        proposed_by=actor.login_id,
        proposed_by_name=actor.name,
        expires_at=now + timedelta(days=policies.whole("proposal_valid_days", proposer.township_code)),
        status=ProposalStatus.WAITING,
    )
    session.add(proposal)
    session.flush()
    return proposal


def take_proposal(
    session: Session, *, actor: Actor, proposal_id: UUID, kind: ProposalKind
) -> tuple[Proposal, Person, Person]:
    """A proposal that waits for the actor's answer, locked: with who made it and who is asked.

    Raises NotFound ``proposal_unknown``, also for whoever is not asked; Conflict ``proposal_ended``,
    ``proposal_expired``, ``person_left``; NotAllowed ``registration_needed``.
    """
    me = person(session, actor.person())
    found = session.get(Proposal, proposal_id)
    if found is None or found.kind != kind or not is_asked(me, found):
        raise _unknown(proposal_id)
    people = lock_people(session, {me.id, found.proposer_id})
    found = session.get_one(Proposal, proposal_id, with_for_update=True, populate_existing=True)
    must_be_waiting(found.status, found.expires_at, clock.now())
    proposer = people[found.proposer_id]
    must_be_here(me)
    must_be_here(proposer)
    return found, proposer, me


def mark_accepted(session: Session, proposal: Proposal, *, actor: Actor) -> None:
    """The asked one agrees; what follows is written by whoever calls."""
    _end(proposal, ProposalStatus.ACCEPTED, actor)
    session.flush()


def decline_proposal(session: Session, *, actor: Actor, proposal_id: UUID, kind: ProposalKind) -> Proposal:
    """The asked one does not agree; whoever made the proposal only sees it lapse. Raises as ``take_proposal``."""
    found, _, _ = take_proposal(session, actor=actor, proposal_id=proposal_id, kind=kind)
    _end(found, ProposalStatus.DECLINED, actor)
    session.flush()
    return found


def withdraw_proposal(session: Session, *, actor: Actor, proposal_id: UUID, kind: ProposalKind) -> Proposal:
    """Whoever made a proposal, or a steward of that township, takes it back; a declined one too, as if it waited.

    Raises NotFound ``proposal_unknown``; Conflict ``proposal_ended``.
    """
    found = session.get(Proposal, proposal_id)
    if found is None or found.kind != kind:
        raise _unknown(proposal_id)
    proposer = lock_people(session, {found.proposer_id})[found.proposer_id]
    if actor.person_id != proposer.id and not actor.stewards(proposer.township_code):
        raise _unknown(proposal_id)
    found = session.get_one(Proposal, proposal_id, with_for_update=True, populate_existing=True)
    if found.status not in _OPEN_TO_PROPOSER:
        raise proposal_ended(found.status)
    _end(found, ProposalStatus.WITHDRAWN, actor)
    session.flush()
    return found


_OPEN_TO_PROPOSER = (ProposalStatus.WAITING, ProposalStatus.DECLINED)


def _open_proposals(session: Session, proposer: Person, kind: ProposalKind, index: bytes) -> list[Proposal]:
    query = select(Proposal).where(
        Proposal.kind == kind,
        Proposal.proposer_id == proposer.id,
        Proposal.asked_index == index,
        Proposal.status == ProposalStatus.WAITING,
    )
    locked = query.order_by(Proposal.id).with_for_update().execution_options(populate_existing=True)
    return list(session.scalars(locked))


def _count_open(session: Session, proposer: Person) -> int:
    query = select(func.count()).where(
        Proposal.proposer_id == proposer.id,
        Proposal.status.in_(_OPEN_TO_PROPOSER),
        Proposal.expires_at > clock.now(),
    )
    return session.scalar(query) or 0


def _end(proposal: Proposal, status: ProposalStatus, actor: Actor) -> None:
    proposal.status, proposal.answered_at = status, clock.now()
    proposal.answered_by, proposal.answered_by_name = actor.login_id, actor.name


def _unknown(proposal_id: UUID) -> NotFound:
    return NotFound("proposal_unknown", "没有这份请求", proposal_id=proposal_id)
