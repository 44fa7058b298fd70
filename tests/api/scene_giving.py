"""The part of the scene with family in it: a relation, proposals that wait for consent, help asked for."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from tests.factories.family import asked, make_relatives
from tests.factories.giving import asked_for
from timebank.core.actors import Actor
from timebank.people.actions import propose_proxy, propose_relation
from timebank.people.family_rules import Relation
from timebank.people.rules import ProxyScope


def add_family(session: Session, people: Mapping[str, Actor]) -> tuple[UUID, dict[str, UUID], UUID]:
    """The elder's child is the proxy; a stranger asks to be a relative, the elder asks a volunteer to act for her.

    Answers the relation, the proposals by kind, and the request for help.
    """
    elder, child, stranger, volunteer = (people[who] for who in ("elder", "proxy", "stranger", "volunteer"))
    relation = make_relatives(session, elder, child, Relation.CHILD)
    wanted = asked(session, elder)
    proposals = {
        "relation": propose_relation(session, actor=stranger, asked=wanted, relation=Relation.OTHER).id,
        "proxy": propose_proxy(
            session, actor=elder, asked=asked(session, volunteer), relation="邻居", scopes=[ProxyScope.CARE]
        ).id,
    }
    return relation.id, proposals, asked_for(session, elder, 30).id
