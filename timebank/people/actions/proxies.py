"""Proxies 代办人: with the elder's consent, on paper before a steward or on the phone, for what was consented to.

A new consent for other things takes the place of the old one, which is ended and kept.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, NotFound, Refused
from timebank.core.ids import new_id
from timebank.people.actions.consent import (
    Asked,
    asked_index,
    keep_proposal,
    lock_people,
    mark_accepted,
    take_proposal,
)
from timebank.people.family_models import Proposal
from timebank.people.family_rules import ProposalKind
from timebank.people.models import Person, Proxy
from timebank.people.queries import must_be_here, person
from timebank.people.rules import USUAL_SCOPES, ProxyScope


def register_proxy(
    session: Session,
    *,
    actor: Actor,
    elder_id: UUID,
    proxy_id: UUID,
    relation: str,
    consent_evidence: str,
    scopes: Collection[ProxyScope] = USUAL_SCOPES,
) -> Proxy:
    """Let ``proxy_id`` act for ``elder_id`` in what ``scopes`` say, with the elder's consent on paper.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``person_unknown``; Refused ``proxy_is_oneself``,
    ``scopes_missing``; Conflict ``proxy_already_registered``, ``person_left``.
    """
    # Before anything is looked up, so that whoever is no steward learns nothing about who exists.
    actor.must_be_steward()
    people = lock_people(session, {elder_id, proxy_id})
    actor.must_steward(people[elder_id].township_code)
    if elder_id == proxy_id:
        raise _is_oneself()
    for one in people.values():
        must_be_here(one)
    return _begin(
        session,
        actor=actor,
        elder_id=elder_id,
        proxy_id=proxy_id,
        relation=relation,
        scopes=scopes,
        evidence=consent_evidence,
    )


def propose_proxy(
    session: Session, *, actor: Actor, asked: Asked, relation: str, scopes: Collection[ProxyScope]
) -> Proposal:
    """Ask somebody to act for the actor in what ``scopes`` say; ``relation`` is in the elder's own words.

    The answer does not tell whether the one asked is enrolled. Raises NotAllowed ``registration_needed``; Refused
    ``id_number_invalid``, ``asked_unnamed``, ``name_missing``, ``proxy_is_oneself``, ``scopes_missing``,
    ``too_many_proposals``; Conflict ``proxy_already_registered``, ``person_left``.
    """
    elder = lock_people(session, {actor.person()})[actor.person()]
    index = asked_index(session, asked)
    if index == elder.id_number_index:
        raise _is_oneself()
    wanted = _scopes(scopes)
    other = session.scalar(select(Person.id).where(Person.id_number_index == index))
    standing = None if other is None else _standing(session, elder.id, other)
    if standing is not None and standing.scopes == wanted:
        raise _already_registered()
    return keep_proposal(
        session,
        actor=actor,
        kind=ProposalKind.PROXY,
        proposer=elder,
        index=index,
        name=asked.name,
        relation=relation,
        scopes=wanted,
    )


def accept_proxy(session: Session, *, actor: Actor, proposal_id: UUID) -> Proxy:
    """Agree to act for whoever asked, from now on and in what was asked.

    Raises NotFound ``proposal_unknown``; Conflict ``proposal_ended``, ``proposal_expired``,
    ``proxy_already_registered``, ``person_left``; NotAllowed ``registration_needed``.
    """
    found, elder, me = take_proposal(session, actor=actor, proposal_id=proposal_id, kind=ProposalKind.PROXY)
    mark_accepted(session, found, actor=actor)
    asked_on, today = clock.local_date(found.proposed_at), clock.today()
    return _begin(
        session,
        actor=actor,
        elder_id=elder.id,
        proxy_id=me.id,
        relation=found.relation,
        scopes=[ProxyScope(scope) for scope in found.scopes or ()],
        evidence=f"手机确认：{elder.name}{asked_on:%Y-%m-%d}委托，{me.name}{today:%Y-%m-%d}接受",
    )


def end_proxy(session: Session, *, actor: Actor, registration_id: UUID) -> Proxy:
    """End a proxy's right to act: the elder, the proxy, or a steward of the elder's township.

    Raises NotFound ``proxy_unknown``; NotAllowed ``other_township``; Conflict ``proxy_ended``.
    """
    proxy = session.get(Proxy, registration_id, with_for_update=True)
    party = proxy is not None and actor.person_id in (proxy.elder_id, proxy.proxy_id)
    if proxy is None or not (party or actor.is_steward):
        raise NotFound("proxy_unknown", "没有这项代办登记")
    if not party:
        actor.must_steward(person(session, proxy.elder_id).township_code)
    if proxy.ended_at is not None:
        raise Conflict("proxy_ended", "这项代办登记已经终止")
    proxy.ended_at, proxy.ended_by = clock.now(), actor.login_id
    session.flush()
    return proxy


def _begin(
    session: Session,
    *,
    actor: Actor,
    elder_id: UUID,
    proxy_id: UUID,
    relation: str,
    scopes: Collection[ProxyScope],
    evidence: str,
) -> Proxy:
    """Write a consent down, in place of one of the pair for other things; both people's rows are locked."""
    wanted = _scopes(scopes)
    standing = _standing(session, elder_id, proxy_id)
    if standing is not None:
        if standing.scopes == wanted:
            raise _already_registered()
        standing.ended_at, standing.ended_by = clock.now(), actor.login_id
        session.flush()
    proxy = Proxy(
        id=new_id(),
        elder_id=elder_id,
        proxy_id=proxy_id,
        relation=relation,
        scopes=wanted,
        consent_evidence=evidence,
        registered_by=actor.login_id,
        registered_at=clock.now(),
    )
    session.add(proxy)
    session.flush()
    return proxy


def _standing(session: Session, elder_id: UUID, proxy_id: UUID) -> Proxy | None:
    query = select(Proxy).where(Proxy.elder_id == elder_id, Proxy.proxy_id == proxy_id, Proxy.ended_at.is_(None))
    return session.scalar(query.execution_options(populate_existing=True))


def _scopes(scopes: Collection[ProxyScope]) -> list[str]:
    """As they are kept: sorted, each once. Raises Refused ``scopes_missing``."""
    if not scopes:
        raise Refused("scopes_missing", "请至少选择一项代办范围", field="scopes")
    return sorted(str(scope) for scope in set(scopes))


def _is_oneself() -> Refused:
    return Refused("proxy_is_oneself", "代办人不能是本人")


def _already_registered() -> Conflict:
    return Conflict("proxy_already_registered", "这位代办人已经登记过")
