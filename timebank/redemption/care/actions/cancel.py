"""Cancelling 取消: in time all minutes come back; late, policy says how much the provider keeps."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.core.errors import Conflict
from timebank.notifications.actions import notify_stewards
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.redemption.care.actions.acts import (
    not_your_booking,
    of_the_provider,
    on_elders_side,
    reason_said,
    stewarded,
    tell_elder,
    when,
)
from timebank.redemption.care.actions.settle import NOTHING, End, end_booking
from timebank.redemption.care.models import CareBooking
from timebank.redemption.care.queries.bookings import lock_booking
from timebank.redemption.care.rules import CareStatus, Charge, after, is_late
from timebank.tasks.rules import at_rate


def cancel(session: Session, *, actor: Actor, booking_id: UUID, reason: str = "") -> CareBooking:
    """Call a visit off before it begins.

    The elder or a proxy pays what policy says where a provider was sent and it is late, and waits for the provider once
    the time has come: where nobody comes, everything is given back anyway. A steward or the provider calls off at any
    time, with a reason, and everything is given back. Raises NotFound ``care_booking_unknown``; NotAllowed
    ``not_your_booking``, ``proxy_scope_missing``; Conflict ``wrong_state``, ``visit_time_passed``, ``hold_ended``;
    Refused ``reason_needed``.
    """
    booking = lock_booking(session, booking_id)
    own = on_elders_side(session, actor, booking)
    by_provider = of_the_provider(actor, booking.provider_id)
    if not (own or by_provider or stewarded(session, actor, booking)):
        raise not_your_booking()
    _call_off(session, booking, actor, reason, own=own)
    if by_provider:
        said = f"机构取消了{when(booking)}的上门服务：{reason.strip()}"
        notify_stewards(session, township_code=booking.township_code, title="机构取消上门服务", body=said)
    return booking


def cancel_for_leaver(session: Session, *, actor: Actor, booking_id: UUID, reason: str) -> None:
    """Call a visit off because the elder leaves; whoever may do that, may do this.

    It costs the elder what ``cancel`` would, nothing where a steward does it. Raises NotFound
    ``care_booking_unknown``; Conflict ``wrong_state``, ``visit_time_passed``, ``hold_ended``.
    """
    booking = lock_booking(session, booking_id)
    _call_off(session, booking, actor, reason, own=actor.person_id == booking.elder_id)


def _call_off(session: Session, booking: CareBooking, actor: Actor, reason: str, *, own: bool) -> None:
    after("cancel", booking.status)
    policies = in_force(session, at=clock.now())
    charge = _fee(booking, policies) if own else NOTHING
    end = End("cancel", charge, "late_cancel", actor, reason if own else reason_said(reason))
    end_booking(session, booking, end, policies)
    body = f"扣{hours_text(charge.held)}，" if charge.held else ""
    body += f"退回{hours_text(booking.held_minutes - charge.held)}。"
    tell_elder(session, booking, "上门服务已取消", body if own else f"{end.reason}。{body}")


def _fee(booking: CareBooking, policies: PolicyBook) -> Charge:
    """What cancelling now costs the elder; nothing before anybody was sent."""
    if booking.status != CareStatus.ASSIGNED:
        return NOTHING
    now = clock.now()
    if now >= booking.starts_at:
        title = "预约时间已到，不能再取消；机构未到的，时长会全部退回"
        raise Conflict("visit_time_passed", title, starts_at=booking.starts_at)
    free = policies.whole("care_cancel_free_minutes", booking.township_code)
    if not is_late(now, booking.starts_at, free):
        return NOTHING
    percent = policies.whole("care_late_cancel_percent", booking.township_code)
    return Charge(at_rate(booking.held_minutes, percent), 0)
