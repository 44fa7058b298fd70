"""Proxies on the phone: the elder asks, the proxy agrees; who acts for whom."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.family.routes import PROPOSAL, proposal_answer, proposal_page
from app.api.family.schemas import OfPersonQuery, ProposalItem, ProposalPage
from app.api.fields import PageQuery
from app.api.operation import operation, page_of_all
from app.api.parser import Doors
from app.api.people.proxy_schemas import ProposeProxyBody, ProxyPage
from app.api.people.schemas import ProxyAnswer
from timebank.core.actors import Actor
from timebank.people import actions
from timebank.people.actions import Asked
from timebank.people.family_queries import proxies_seen_by
from timebank.people.family_rules import ProposalKind
from timebank.people.models import Proxy
from timebank.people.queries import oneself_or_stewarded
from timebank.people.rules import SCOPE_NAMES, ProxyScope

doors = Doors("proxies", __name__, url_prefix="/api/v1/proxies", description="代办人")


@operation(
    doors, "/proposals", "proxies.propose", "请对方代办",
    method="POST", body=ProposeProxyBody, answers=ProposalItem, status=201, key="optional",
)  # fmt: skip
def propose(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    relation, scopes = body.pop("relation"), body.pop("scopes")
    asked = Asked(**body)
    found = actions.propose_proxy(session, actor=actor, asked=asked, relation=relation, scopes=scopes)
    return proposal_answer(session, found, actor)


@operation(
    doors, f"{PROPOSAL}/accept", "proxies.accept", "同意代办",
    method="POST", answers=ProxyAnswer, key="optional",
)  # fmt: skip
def accept(session: Session, actor: Actor, proposal_id: UUID) -> Proxy:
    return actions.accept_proxy(session, actor=actor, proposal_id=proposal_id)


@operation(
    doors, f"{PROPOSAL}/decline", "proxies.decline", "谢绝代办",
    method="POST", answers=ProposalItem, key="optional",
)  # fmt: skip
def decline(session: Session, actor: Actor, proposal_id: UUID) -> dict[str, Any]:
    found = actions.decline_proposal(session, actor=actor, proposal_id=proposal_id, kind=ProposalKind.PROXY)
    return proposal_answer(session, found, actor)


@operation(
    doors, f"{PROPOSAL}/withdraw", "proxies.withdraw", "撤回代办请求",
    method="POST", answers=ProposalItem, key="optional",
)  # fmt: skip
def withdraw(session: Session, actor: Actor, proposal_id: UUID) -> dict[str, Any]:
    found = actions.withdraw_proposal(session, actor=actor, proposal_id=proposal_id, kind=ProposalKind.PROXY)
    return proposal_answer(session, found, actor)


@operation(doors, "/proposals", "proxies.proposals", "待确认的代办请求", query=PageQuery, answers=ProposalPage)
def list_proposals(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    return proposal_page(session, actor, query, ProposalKind.PROXY)


@operation(doors, "", "proxies.list", "谁代我办、我代谁办", query=OfPersonQuery, answers=ProxyPage)
def list_proxies(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    found = proxies_seen_by(session, oneself_or_stewarded(session, actor, query.get("person_id")))
    items = [{**asdict(one), "scope_names": [SCOPE_NAMES[ProxyScope(s)] for s in one.scopes]} for one in found]
    return page_of_all(items, query)
