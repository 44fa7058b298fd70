"""Changing policies: one person proposes, another approves, and the change lies in the future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, NotAllowed, NotFound, Refused
from timebank.policies.meal_rule_categories import check_categories
from timebank.policies.models import PolicyChange, PolicyValue
from timebank.policies.queries import in_force
from timebank.policies.rules import check_effective, check_limits, check_rates, check_value


@dataclass(frozen=True, slots=True)
class NewValue:
    """What one policy shall be, for the district (``township_code`` None) or one township."""

    key: str
    value: Any
    township_code: str | None = None


def propose_change(
    session: Session, *, actor: Actor, values: Sequence[NewValue], effective_at: datetime, reason: str, source: str
) -> PolicyChange:
    """Put a change forward 提出办法变更; it binds nobody until a second person approves it.

    Raises NotAllowed ``district_only``; Refused ``policy_unknown``, ``policy_value_invalid``,
    ``policy_district_only``, ``policy_in_the_past``, ``policy_repeated``.
    """
    actor.must_be_district()
    check_effective(effective_at, clock.now())
    now_in_force = in_force(session, at=clock.now())
    rates = now_in_force.value("service_rates_percent")
    for wanted in values:
        check_value(wanted.key, wanted.value, wanted.township_code)
        if wanted.key == "service_rates_percent":
            check_rates(wanted.value, rates, partly=wanted.township_code is not None)
    changed = {(v.key, v.township_code): v.value for v in values}
    check_limits(changed, now_in_force)
    check_categories(changed, now_in_force)
    if len({(v.key, v.township_code) for v in values}) != len(values):
        raise Refused("policy_repeated", "同一项办法在一次变更中出现了两次")
    change = PolicyChange(
        effective_at=effective_at,
        reason=reason,
        source=source,
        proposed_by=actor.login_id,
        proposed_by_name=actor.name,
        proposed_at=clock.now(),
    )
    session.add(change)
    session.flush()
    session.add_all(
        PolicyValue(change_id=change.id, key=v.key, township_code=v.township_code, value=v.value) for v in values
    )
    session.flush()
    return change


def approve_change(session: Session, *, actor: Actor, change_id: int) -> PolicyChange:
    """Approve a change 批准办法变更; its values are in force from its date on.

    Raises NotFound ``policy_change_unknown``; NotAllowed ``district_only``, ``second_person_needed``;
    Conflict ``policy_already_approved``; Refused ``policy_in_the_past``.
    """
    actor.must_be_district()
    change = session.get(PolicyChange, change_id, with_for_update=True)
    if change is None:
        raise NotFound("policy_change_unknown", "没有这项办法变更", change_id=change_id)
    if change.approved_at is not None:
        raise Conflict("policy_already_approved", "这项办法变更已经批准", change_id=change_id)
    if change.proposed_by == actor.login_id:
        raise NotAllowed("second_person_needed", "须由另一位管理员批准")
    now = clock.now()
    check_effective(change.effective_at, now)
    # One approval at a time, so that two of them cannot both follow the same predecessor.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("policy_change"))))
    change.approved_by, change.approved_by_name, change.approved_at = actor.login_id, actor.name, now
    values = session.scalars(select(PolicyValue).where(PolicyValue.change_id == change_id))
    for value in values.all():
        _put_in_force(session, value, change.effective_at)
    return change


def _put_in_force(session: Session, value: PolicyValue, effective_at: datetime) -> None:
    same = select(PolicyValue).where(
        PolicyValue.key == value.key, PolicyValue.scope == value.scope, PolicyValue.valid_from.is_not(None)
    )
    at_the_time = session.scalars(
        same.where(
            PolicyValue.valid_from <= effective_at,
            PolicyValue.valid_to.is_(None) | (PolicyValue.valid_to > effective_at),
        )
    ).first()
    following = session.scalars(
        same.where(PolicyValue.valid_from > effective_at).order_by(PolicyValue.valid_from)
    ).first()
    if at_the_time is not None:
        if at_the_time.valid_from == effective_at:
            raise Conflict("policy_same_moment", "同一时刻已有另一项变更生效", key=value.key)
        at_the_time.valid_to = effective_at
        session.flush()
    value.valid_from = effective_at
    value.valid_to = following.valid_from if following is not None else None
    session.flush()
