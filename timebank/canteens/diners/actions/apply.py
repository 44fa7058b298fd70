"""Applying to eat in the meal programme 申请用餐: the diner or a proxy asks, a steward enters and approves at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.diners.actions.categories import Grant, grant_categories
from timebank.canteens.diners.actions.review import mark_reviewed
from timebank.canteens.diners.actions.taking import concerned
from timebank.canteens.diners.actions.telling import tell_diner
from timebank.canteens.diners.actions.wishes import PLAIN, write_wishes
from timebank.canteens.diners.models import Diner
from timebank.canteens.diners.queries import diners_by_ids
from timebank.canteens.diners.rules import DinerState, after, must_be_known, must_be_worth_a_look
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import NotAllowed
from timebank.core.ids import new_id
from timebank.notifications.actions import notify_stewards
from timebank.people.id_numbers import age_on
from timebank.people.models import Person
from timebank.people.queries import must_be_here, spoken_name
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook


@dataclass(frozen=True, slots=True)
class Application:
    """An application for the actor, or for ``person_id``.

    ``wishes`` has fields of a file (see ``PLAIN``); ``categories`` are claimed, with what shows them; ``grants`` are
    decided at once, by stewards only.
    """

    person_id: UUID | None = None
    wishes: Mapping[str, Any] = field(default_factory=dict)
    categories: Sequence[str] = ()
    evidence: str = ""
    grants: Sequence[Grant] = ()


def apply(session: Session, *, actor: Actor, form: Application) -> Diner:
    """Open a file, or ask anew where it was refused or has ended; a steward's is approved at once.

    Raises NotAllowed ``registration_needed``, ``not_your_elder``, ``proxy_scope_missing``, ``other_township``,
    ``steward_only`` for grants; NotFound ``person_unknown``, ``canteen_unknown``; Refused ``diner_too_young``,
    ``category_unknown``, ``diet_form_unknown``, ``allergen_unknown``, ``religious_diet_unknown``,
    ``place_incomplete``, ``place_far_away``, ``canteen_not_open``, ``evidence_missing``,
    ``category_ends_too_soon``; Conflict ``person_left``, ``person_frozen``, ``wrong_state``, ``category_overlaps``.
    """
    asker = concerned(session, actor, form.person_id or actor.person())
    must_be_here(asker)
    if form.grants and not actor.is_steward:
        raise NotAllowed("steward_only", "特殊类别由镇街核定，申请时请填写申报的类别")
    policies = in_force(session, at=clock.now())
    _must_be_good(actor, asker, form, policies)
    found = diners_by_ids(session, [asker.id], lock=True).get(asker.id)
    state = after("enter" if actor.is_steward else "apply", found.state if found else None)
    diner = found or Diner(person_id=asker.id, household_id=new_id(), **PLAIN)
    # Asked anew, only what is said anew changes: the rest of the file is as it was.
    write_wishes(session, diner, form.wishes, policies=policies, township_code=asker.township_code)
    _mark_applied(diner, actor, asker, form)
    diner.state, diner.ended_at = state, None
    if actor.is_steward:
        mark_reviewed(diner, actor, reason="")
    session.add(diner)
    session.flush()
    grant_categories(session, actor=actor, diner=diner, grants=form.grants, policies=policies)
    note_down(session, actor=actor, action=f"diner_{state}", subject=("diner", diner.person_id))
    _tell(session, diner, asker)
    return diner


def _must_be_good(actor: Actor, asker: Person, form: Application, policies: PolicyBook) -> None:
    known = policies.value("diner_categories", asker.township_code)
    must_be_known(form.categories, known, code="category_unknown", title="没有这种特殊类别", field="categories")
    if not actor.is_steward:
        must_be_worth_a_look(
            age_on(asker.born_on, clock.today()),
            min_age=policies.whole("diner_min_age", asker.township_code),
            child_below_age=policies.whole("diner_child_below_age", asker.township_code),
            categories=form.categories,
        )


def _mark_applied(diner: Diner, actor: Actor, asker: Person, form: Application) -> None:
    assert actor.login_id is not None
    diner.applied_at, diner.applied_by = clock.now(), actor.login_id
    diner.applied_by_name = actor.name if actor.is_steward else spoken_name(actor, asker)
    diner.proposed_categories, diner.proposal_evidence = sorted(set(form.categories)), form.evidence.strip()
    diner.reviewed_at = diner.reviewed_by = diner.reviewed_by_name = None
    diner.review_reason = ""


def _tell(session: Session, diner: Diner, asker: Person) -> None:
    if diner.state == DinerState.APPLIED:
        title = "有新的用餐申请待审核"
        body = f"{asker.name}申请成为用餐对象，请审核。"
        notify_stewards(session, township_code=asker.township_code, title=title, body=body)
    else:
        tell_diner(session, diner, title="用餐档案已建立", body=f"{asker.name}已成为用餐对象，可以订餐。")
