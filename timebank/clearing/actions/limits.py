"""Limits of what a township may owe 头寸限额: at the hard one, new debt needs a district steward's override 放行."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.clearing.models import LimitOverride
from timebank.clearing.queries import override_minutes, owed_minutes
from timebank.clearing.rules import reason_given
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text, is_amount
from timebank.core.errors import Refused
from timebank.core.ids import new_id
from timebank.notifications.actions import notify_stewards
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.townships.queries import township


def must_be_within_limit(session: Session, *, township_code: str, policies: PolicyBook) -> None:
    """Whether this township's people may take on what other townships will be owed for.

    Raises Refused ``position_limit_reached`` where the hard limit, and what was granted beyond it, is reached.
    """
    hard = policies.whole("position_hard_limit_minutes", township_code)
    owed = owed_minutes(session, [township_code])[township_code]
    if owed < hard:
        return
    allowed = hard + override_minutes(session).get(township_code, 0)
    if owed >= allowed:
        name = township(session, township_code).name
        raise Refused(
            "position_limit_reached",
            f"{name}应付其他镇街的时长已到限额，跨镇街使用须由区级管理员放行；仍可购买只在本镇街使用的用餐券",
            township_code=township_code,
            owed_minutes=owed,
            limit_minutes=allowed,
        )


def grant_override(
    session: Session, *, actor: Actor, township_code: str, extra_minutes: int, valid_until: datetime, reason: str
) -> LimitOverride:
    """Let a township's people go on for some minutes beyond its hard limit, until a moment that policy allows.

    Raises NotAllowed ``district_only``; Refused ``township_unknown``, ``amount_invalid``, ``override_time_invalid``,
    ``reason_needed``.
    """
    actor.must_be_district()
    name = township(session, township_code).name
    now = clock.now()
    if not is_amount(extra_minutes):
        raise Refused("amount_invalid", "数量须为正整数", field="extra_minutes")
    longest = in_force(session, at=now).whole("limit_override_max_days", township_code)
    if not now < valid_until <= now + timedelta(days=longest):
        raise Refused("override_time_invalid", f"放行的截止时间须在将来{longest}天之内", field="valid_until")
    reason = reason_given(reason)
    granted = LimitOverride(
        id=new_id(),
        township_code=township_code,
        extra_minutes=extra_minutes,
        valid_until=valid_until,
        reason=reason,
        granted_at=now,
        granted_by=actor.login_id,
        granted_by_name=actor.name,
    )
    session.add(granted)
    session.flush()
    note_down(
        session,
        actor=actor,
        action="limit_override_granted",
        subject=("township", township_code),
        extra_minutes=extra_minutes,
        valid_until=valid_until.isoformat(),
        reason=granted.reason,
    )
    until = valid_until.astimezone(clock.LOCAL)
    body = f"{name}硬限额之外放行{hours_text(extra_minutes)}，到 {until:%Y-%m-%d %H:%M} 止：{granted.reason}"
    notify_stewards(session, township_code=township_code, title="头寸限额放行", body=body)
    return granted
