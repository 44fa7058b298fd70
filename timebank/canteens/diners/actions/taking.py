"""Taking a diner's file in hand: person and file locked, in this order, and whose business they are.

Whoever leaves locks the person before the file too.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.canteens.diners.models import Diner
from timebank.canteens.diners.queries import diner_unknown, diners_by_ids
from timebank.core.actors import Actor
from timebank.core.errors import NotAllowed
from timebank.people.models import Person
from timebank.people.queries import acts_for, person
from timebank.people.rules import ProxyScope


def concerned(session: Session, actor: Actor, person_id: UUID) -> Person:
    """The person, locked, for whom this actor may act: themselves, a proxy for meals, a steward of the township.

    Raises NotAllowed ``not_your_elder``, ``proxy_scope_missing``, ``other_township``; NotFound ``person_unknown``.
    """
    if not actor.is_steward and not acts_for(session, actor, person_id, ProxyScope.MEALS):
        raise NotAllowed("not_your_elder", "只能为本人或登记代办的老人办理")
    found = person(session, person_id, for_update=True)
    if actor.is_steward:
        actor.must_steward(found.township_code)
    return found


def stewarded(session: Session, actor: Actor, person_id: UUID) -> tuple[Person, Diner]:
    """A person and their file, locked, for a steward of the township.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``person_unknown``, ``diner_unknown``.
    """
    # Before anything is looked up, so that whoever is no steward learns nothing about who exists.
    actor.must_be_steward()
    found = person(session, person_id, for_update=True)
    actor.must_steward(found.township_code)
    return found, file_of(session, person_id)


def file_of(session: Session, person_id: UUID) -> Diner:
    """A person's file, locked. Raises NotFound ``diner_unknown``."""
    diner = diners_by_ids(session, [person_id], lock=True).get(person_id)
    if diner is None:
        raise diner_unknown(person_id)
    return diner
