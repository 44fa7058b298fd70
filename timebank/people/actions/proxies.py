"""Proxies 代办人: registered before a steward, with the elder's consent on paper, and ended the same way."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, NotFound, Refused
from timebank.core.ids import new_id
from timebank.people.models import Proxy
from timebank.people.queries import person


def register_proxy(
    session: Session, *, actor: Actor, elder_id: UUID, proxy_id: UUID, relation: str, consent_evidence: str
) -> Proxy:
    """Let ``proxy_id`` act for ``elder_id``.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``person_unknown``; Refused ``proxy_is_oneself``;
    Conflict ``proxy_already_registered``.
    """
    # Before anything is looked up, so that whoever is no steward learns nothing about who exists.
    actor.must_be_steward()
    elder = person(session, elder_id, for_update=True)
    actor.must_steward(elder.township_code)
    person(session, proxy_id)
    if elder_id == proxy_id:
        raise Refused("proxy_is_oneself", "代办人不能是本人")
    if session.scalar(
        select(Proxy.id).where(Proxy.elder_id == elder_id, Proxy.proxy_id == proxy_id, Proxy.ended_at.is_(None))
    ):
        raise Conflict("proxy_already_registered", "这位代办人已经登记过")
    proxy = Proxy(
        id=new_id(),
        elder_id=elder_id,
        proxy_id=proxy_id,
        relation=relation,
        consent_evidence=consent_evidence,
        registered_by=actor.login_id,
        registered_at=clock.now(),
    )
    session.add(proxy)
    session.flush()
    return proxy


def end_proxy(session: Session, *, actor: Actor, registration_id: UUID) -> Proxy:
    """End a proxy's right to act. Raises NotAllowed; NotFound ``proxy_unknown``; Conflict ``proxy_ended``."""
    actor.must_be_steward()
    proxy = session.get(Proxy, registration_id, with_for_update=True)
    if proxy is None:
        raise NotFound("proxy_unknown", "没有这项代办登记")
    actor.must_steward(person(session, proxy.elder_id).township_code)
    if proxy.ended_at is not None:
        raise Conflict("proxy_ended", "这项代办登记已经终止")
    proxy.ended_at, proxy.ended_by = clock.now(), actor.login_id
    session.flush()
    return proxy
