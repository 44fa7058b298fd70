"""Telling of proposals: who is asked for a consent hears of it, and who asked hears that it was given.

Proposals lie lower than notices and so are told by a job. One that asks for somebody who is not enrolled stays untold
until that person is.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.notifications.actions import notify_person
from timebank.people.family_models import Proposal
from timebank.people.family_queries import is_asked
from timebank.people.family_rules import RELATION_NAMES, ProposalKind, ProposalStatus, Relation, inverse
from timebank.people.models import Person
from timebank.people.rules import SCOPE_NAMES, ProxyScope


def untold_proposals(session: Session, *, limit: int) -> list[UUID]:
    """Proposals that somebody enrolled does not know of yet, oldest first."""
    told = Proposal.told_of.is_distinct_from(Proposal.status)
    asked = select(Proposal.id).join(
        Person, (Person.id_number_index == Proposal.asked_index) & (Person.name == Proposal.asked_name)
    )
    waiting = asked.where(Proposal.status == ProposalStatus.WAITING, Proposal.expires_at > clock.now(), told)
    accepted = select(Proposal.id).where(Proposal.status == ProposalStatus.ACCEPTED, told)
    return list(session.scalars(waiting.union(accepted).order_by("id").limit(limit)))


def tell_of_proposal(session: Session, *, proposal_id: UUID) -> bool:
    """Tell of one such proposal as it stands now; answers whether it was still to be told."""
    found = session.scalar(
        select(Proposal)
        .where(Proposal.id == proposal_id, Proposal.told_of.is_distinct_from(Proposal.status))
        .with_for_update(skip_locked=True)
    )
    if found is None:
        return False
    proposer = session.get_one(Person, found.proposer_id)
    asked = session.scalar(select(Person).where(Person.id_number_index == found.asked_index))
    if asked is None or not is_asked(asked, found):
        return False
    if found.status == ProposalStatus.WAITING and found.expires_at > clock.now():
        notify_person(session, person_id=asked.id, title="有请求待您确认", body=_question(found, proposer))
    elif found.status == ProposalStatus.ACCEPTED:
        notify_person(session, person_id=proposer.id, title="对方已确认", body=_answer(found, asked))
    else:
        return False
    found.told_of = found.status
    session.flush()
    return True


def _question(found: Proposal, proposer: Person) -> str:
    until = f"{clock.local_date(found.expires_at):%Y年%m月%d日}前有效"
    if found.kind == ProposalKind.PROXY:
        return f"{proposer.name}想请您代办{_scopes(found)}，请确认或谢绝，{until}。"
    seen = RELATION_NAMES[inverse(Relation(found.relation))]
    return f"{proposer.name}想登记为您的亲属（{seen}），请确认或谢绝，{until}。"


def _answer(found: Proposal, asked: Person) -> str:
    if found.kind == ProposalKind.PROXY:
        return f"{asked.name}已同意为您代办{_scopes(found)}。"
    return f"{asked.name}已确认与您的亲属关系。"


def _scopes(found: Proposal) -> str:
    return "、".join(SCOPE_NAMES[ProxyScope(scope)] for scope in found.scopes or ())
