"""Changing a diner's file 变更: diet, canteen and address at once; ending it when somebody leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.diners.actions.taking import concerned, file_of
from timebank.canteens.diners.actions.wishes import write_wishes
from timebank.canteens.diners.models import Diner
from timebank.canteens.diners.queries import diners_by_ids
from timebank.canteens.diners.rules import DinerState, must_be_changeable
from timebank.core import clock
from timebank.core.actors import SYSTEM, Actor
from timebank.people.queries import must_be_here
from timebank.policies.queries import in_force


def change(session: Session, *, actor: Actor, person_id: UUID, wishes: Mapping[str, Any]) -> Diner:
    """Change diet, allergies, usual canteen and delivery; ``wishes`` has the fields that are to change.

    For oneself, as a proxy for meals, or as a steward. Orders made already keep what they were made with. Raises
    NotAllowed ``not_your_elder``, ``proxy_scope_missing``, ``other_township``; NotFound ``person_unknown``,
    ``diner_unknown``, ``canteen_unknown``; Refused ``diet_form_unknown``, ``allergen_unknown``,
    ``religious_diet_unknown``, ``place_incomplete``, ``place_far_away``, ``canteen_not_open``; Conflict
    ``wrong_state``, ``person_left``, ``person_frozen``.
    """
    holder = concerned(session, actor, person_id)
    must_be_here(holder)
    diner = file_of(session, person_id)
    must_be_changeable(diner.state)
    policies = in_force(session, at=clock.now())
    changed = write_wishes(session, diner, wishes, policies=policies, township_code=holder.township_code)
    session.flush()
    if changed:
        note_down(session, actor=actor, action="diner_changed", subject=("diner", person_id), fields=changed)
    return diner


def end_diner(session: Session, *, person_id: UUID, actor: Actor = SYSTEM) -> None:
    """End the file of somebody who leaves or has died; nothing where there is none, or it has ended already.

    To be called with the person's row locked.
    """
    diner = diners_by_ids(session, [person_id], lock=True).get(person_id)
    if diner is None or diner.state == DinerState.ENDED:
        return
    diner.state, diner.ended_at = DinerState.ENDED, clock.now()
    session.flush()
    note_down(session, actor=actor, action="diner_ended", subject=("diner", person_id))
