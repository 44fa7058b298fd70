"""Households 同户: who lives together shares what is given once a household; stewards say who does."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.diners.actions.taking import stewarded
from timebank.canteens.diners.models import Diner
from timebank.canteens.diners.queries import diner_unknown, diners_by_ids
from timebank.canteens.diners.rules import evidence_given, must_be_changeable
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, Refused
from timebank.core.ids import new_id
from timebank.people.models import Person
from timebank.people.queries import must_be_here, people_by_ids


def join_household(session: Session, *, actor: Actor, person_id: UUID, with_person_id: UUID, evidence: str) -> Diner:
    """Put a diner into another one's household; both are of the steward's township.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``diner_unknown``; Refused
    ``household_with_oneself``, ``evidence_missing``; Conflict ``already_same_household``, ``wrong_state``,
    ``person_left``, ``person_frozen``.
    """
    # Before anything is looked up, so that whoever is no steward learns nothing about who exists.
    actor.must_be_steward()
    said = evidence_given(evidence)
    people = _lock_people(session, actor, {person_id, with_person_id})
    if person_id == with_person_id:
        raise Refused("household_with_oneself", "不能与本人并为一户", field="with_person_id")
    diners = diners_by_ids(session, people, lock=True)
    for one in (person_id, with_person_id):
        if one not in diners:
            raise diner_unknown(one)
        must_be_here(people[one])
        must_be_changeable(diners[one].state)
    joining, host = diners[person_id], diners[with_person_id]
    if joining.household_id == host.household_id:
        raise Conflict("already_same_household", "两人已登记为同一户")
    _move(session, actor, joining, host.household_id, "diner_household_joined", said)
    return joining


def leave_household(session: Session, *, actor: Actor, person_id: UUID, evidence: str) -> Diner:
    """Give a diner a household of their own.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``person_unknown``, ``diner_unknown``; Refused
    ``evidence_missing``; Conflict ``wrong_state``.
    """
    _, diner = stewarded(session, actor, person_id)
    must_be_changeable(diner.state)
    _move(session, actor, diner, new_id(), "diner_household_left", evidence_given(evidence))
    return diner


def _lock_people(session: Session, actor: Actor, ids: set[UUID]) -> dict[UUID, Person]:
    people = people_by_ids(session, ids)
    for person_id in sorted(ids):
        if person_id not in people:
            raise diner_unknown(person_id)
        session.refresh(people[person_id], with_for_update={"key_share": True})
        actor.must_steward(people[person_id].township_code)
    return people


def _move(session: Session, actor: Actor, diner: Diner, household_id: UUID, action: str, evidence: str) -> None:
    left, diner.household_id = diner.household_id, household_id
    session.flush()
    households = {"from_household_id": str(left), "to_household_id": str(household_id)}
    note_down(session, actor=actor, action=action, subject=("diner", diner.person_id), evidence=evidence, **households)
