"""Relatives: asked for, agreed to, registered on paper, ended; and the heir among them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.family.schemas import (
    EndedRelationAnswer,
    HeirAnswer,
    HeirBody,
    OfPersonQuery,
    ProposalItem,
    ProposalPage,
    ProposeRelationBody,
    RegisteredRelationAnswer,
    RegisterRelationBody,
    RelativeItem,
    RelativePage,
)
from app.api.fields import PageQuery, id_in_cursor
from app.api.operation import operation, page, page_of_all
from app.api.parser import Doors
from timebank.core.actors import Actor
from timebank.people import actions
from timebank.people import family_queries as queries
from timebank.people.actions import Asked
from timebank.people.family_models import FamilyRelation, Proposal
from timebank.people.family_queries import ProposalSeen, Relative
from timebank.people.family_rules import PROPOSAL_STATUS_NAMES, RELATION_NAMES, ProposalKind, Relation
from timebank.people.queries import oneself_or_stewarded
from timebank.people.rules import SCOPE_NAMES, ProxyScope

doors = Doors("family", __name__, url_prefix="/api/v1/family", description="亲属")

PROPOSAL = "/proposals/<uuid:proposal_id>"


@operation(
    doors, "/proposals", "family.propose", "请对方确认亲属关系",
    method="POST", body=ProposeRelationBody, answers=ProposalItem, status=201, key="optional",
)  # fmt: skip
def propose(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    relation = Relation(body.pop("relation"))
    found = actions.propose_relation(session, actor=actor, asked=Asked(**body), relation=relation)
    return proposal_answer(session, found, actor)


@operation(
    doors, f"{PROPOSAL}/accept", "family.accept", "确认亲属关系",
    method="POST", answers=RelativeItem, key="optional",
)  # fmt: skip
def accept(session: Session, actor: Actor, proposal_id: UUID) -> dict[str, Any]:
    made = actions.accept_relation(session, actor=actor, proposal_id=proposal_id)
    return _relative(queries.relative_view(session, made, actor.person()))


@operation(
    doors, f"{PROPOSAL}/decline", "family.decline", "谢绝亲属登记",
    method="POST", answers=ProposalItem, key="optional",
)  # fmt: skip
def decline(session: Session, actor: Actor, proposal_id: UUID) -> dict[str, Any]:
    kind = ProposalKind.RELATION
    found = actions.decline_proposal(session, actor=actor, proposal_id=proposal_id, kind=kind)
    return proposal_answer(session, found, actor)


@operation(
    doors, f"{PROPOSAL}/withdraw", "family.withdraw", "撤回亲属登记请求",
    method="POST", answers=ProposalItem, key="optional",
)  # fmt: skip
def withdraw(session: Session, actor: Actor, proposal_id: UUID) -> dict[str, Any]:
    kind = ProposalKind.RELATION
    found = actions.withdraw_proposal(session, actor=actor, proposal_id=proposal_id, kind=kind)
    return proposal_answer(session, found, actor)


@operation(doors, "/proposals", "family.proposals", "待确认的亲属登记", query=PageQuery, answers=ProposalPage)
def list_proposals(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    return proposal_page(session, actor, query, ProposalKind.RELATION)


@operation(doors, "", "family.list", "已登记的亲属", query=OfPersonQuery, answers=RelativePage)
def list_relatives(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    whose = oneself_or_stewarded(session, actor, query.get("person_id"))
    return page_of_all([_relative(one) for one in queries.relatives_of(session, whose)], query)


@operation(
    doors, "", "family.register", "凭纸质同意书登记亲属",
    method="POST", body=RegisterRelationBody, answers=RegisteredRelationAnswer, status=201, key="optional",
)  # fmt: skip
def register(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    body["relation"] = Relation(body["relation"])
    made = actions.register_relation(session, actor=actor, **body)
    return {
        "status": "registered" if made.relation is not None else "waiting",
        "relation_id": made.relation.id if made.relation is not None else None,
        "proposal_id": made.proposal.id if made.proposal is not None else None,
    }


@operation(
    doors, "/<uuid:relation_id>/end", "family.end", "终止亲属登记",
    method="POST", answers=EndedRelationAnswer, key="optional",
)  # fmt: skip
def end(session: Session, actor: Actor, relation_id: UUID) -> FamilyRelation:
    return actions.end_relation(session, actor=actor, relation_id=relation_id)


@operation(
    doors, "/heir", "family.name_heir", "指定继承人",
    method="PUT", body=HeirBody, answers=HeirAnswer, key="optional",
)  # fmt: skip
def name_heir(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    named = actions.name_heir(session, actor=actor, heir_id=body.pop("person_id"), **body)
    return {"person_id": named.heir_id if named is not None else None}


def proposal_answer(session: Session, found: Proposal, actor: Actor) -> dict[str, Any]:
    """One request for consent, as the actor sees it."""
    return _proposal(queries.proposal_view(session, found, actor.person_id))


def proposal_page(session: Session, actor: Actor, query: dict[str, Any], kind: ProposalKind) -> dict[str, Any]:
    """A page of requests of one kind."""
    before = id_in_cursor(query.get("cursor"))
    found = queries.proposals_seen_by(session, actor.person(), kind=kind, limit=query["limit"] + 1, before=before)
    answer = page(found, query["limit"], lambda one: one.proposal_id)
    return {**answer, "items": [_proposal(one) for one in answer["items"]]}


def _proposal(seen: ProposalSeen) -> dict[str, Any]:
    by_word = seen.kind == ProposalKind.RELATION
    return {
        **asdict(seen),
        "relation_name": RELATION_NAMES[Relation(seen.relation)] if by_word else seen.relation,
        "scope_names": [SCOPE_NAMES[ProxyScope(scope)] for scope in seen.scopes],
        "status_name": PROPOSAL_STATUS_NAMES[seen.status],
    }


def _relative(seen: Relative) -> dict[str, Any]:
    return {**asdict(seen), "relation_name": RELATION_NAMES[seen.relation]}
