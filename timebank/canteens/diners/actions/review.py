"""Reviewing an application 审核: a steward of the township approves it, or refuses it and says why."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.diners.actions.categories import Grant, grant_categories
from timebank.canteens.diners.actions.taking import stewarded
from timebank.canteens.diners.actions.telling import tell_diner
from timebank.canteens.diners.models import Diner
from timebank.canteens.diners.rules import after
from timebank.clearing.rules import reason_given
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.people.queries import must_be_here
from timebank.policies.queries import in_force


def review(
    session: Session,
    *,
    actor: Actor,
    person_id: UUID,
    approve: bool,
    reason: str = "",
    grants: Sequence[Grant] = (),
) -> Diner:
    """Approve an application, granting what of the claimed categories was shown, or refuse it with a reason.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``person_unknown``, ``diner_unknown``; Refused
    ``reason_needed``, ``category_unknown``, ``evidence_missing``, ``category_ends_too_soon``; Conflict
    ``wrong_state``, ``person_left``, ``person_frozen``, ``category_overlaps``.
    """
    asker, diner = stewarded(session, actor, person_id)
    state = after("approve" if approve else "refuse", diner.state)
    said = reason.strip() if approve else reason_given(reason)
    if approve:
        must_be_here(asker)
    diner.state = state
    mark_reviewed(diner, actor, reason=said)
    session.flush()
    if approve:
        policies = in_force(session, at=clock.now())
        grant_categories(session, actor=actor, diner=diner, grants=grants, policies=policies)
    note_down(session, actor=actor, action=f"diner_{state}", subject=("diner", person_id))
    if approve:
        tell_diner(session, diner, title="用餐申请已通过", body=f"{asker.name}已成为用餐对象，可以订餐。")
    else:
        tell_diner(session, diner, title="用餐申请未通过", body=f"{asker.name}的用餐申请未通过：{said}")
    return diner


def mark_reviewed(diner: Diner, actor: Actor, *, reason: str) -> None:
    """Write down who decided about a file, and when."""
    assert actor.login_id is not None
    diner.reviewed_at, diner.reviewed_by, diner.reviewed_by_name = clock.now(), actor.login_id, actor.name
    diner.review_reason = reason
