"""The visit: checking in 签到 with the elder's code, out 签退, and finding nobody at home 上门无人."""

from __future__ import annotations

import hmac
import unicodedata
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.core.errors import Refused
from timebank.notifications.actions import notify_stewards
from timebank.policies.queries import in_force
from timebank.redemption.care.actions.acts import (
    evidence_said,
    must_be_the_provider,
    reason_said,
    set_deadline,
    tell_elder,
    when,
    write_act,
)
from timebank.redemption.care.actions.settle import End, end_booking
from timebank.redemption.care.models import CareBooking
from timebank.redemption.care.queries.bookings import lock_booking
from timebank.redemption.care.rules import Charge, after
from timebank.tasks.rules import at_rate, served_minutes


def check_in(
    session: Session,
    *,
    actor: Actor,
    booking_id: UUID,
    service_code: str,
    latitude: float | None = None,
    longitude: float | None = None,
) -> CareBooking | Refused:
    """Begin the visit; the elder reads the six-digit service code out, which shows that both are there.

    A wrong code comes back as a value, Refused ``service_code_wrong``, because it must be counted, and so may not undo
    its unit of work; after as many as policy allows, ``service_code_blocked``. Raises NotFound
    ``care_booking_unknown``; NotAllowed ``not_your_booking``; Conflict ``wrong_state``; Refused ``too_early``.
    """
    booking = lock_booking(session, booking_id)
    must_be_the_provider(actor, booking)
    status = after("check_in", booking.status)
    now = clock.now()
    policies = in_force(session, at=now)
    early = policies.whole("care_check_in_early_minutes", booking.township_code)
    if now < booking.starts_at - timedelta(minutes=early):
        raise Refused("too_early", f"最早可在开始前{early}分钟签到", starts_at=booking.starts_at)
    left = policies.whole("service_code_most_misses", booking.township_code) - booking.service_code_misses
    if left <= 0:
        return Refused("service_code_blocked", "服务码错误次数太多，请联系镇街管理员", field="service_code")
    typed = "".join(unicodedata.normalize("NFKC", service_code).split())
    if not hmac.compare_digest(booking.service_code.encode(), typed.encode()):
        booking.service_code_misses += 1
        session.flush()
        return Refused("service_code_wrong", "服务码不对，请老人再念一遍", field="service_code", tries_left=left - 1)
    booking.status, booking.checked_in_at = status, now
    set_deadline(booking, policies)
    write_act(session, booking, "check_in", actor=actor, place=(latitude, longitude))
    session.flush()
    return booking


def check_out(session: Session, *, actor: Actor, booking_id: UUID) -> CareBooking:
    """End the visit; from now on it can be confirmed.

    Raises NotFound ``care_booking_unknown``; NotAllowed ``not_your_booking``; Conflict ``wrong_state``.
    """
    booking = lock_booking(session, booking_id)
    must_be_the_provider(actor, booking)
    booking.status = after("check_out", booking.status)
    end_visit(booking)
    set_deadline(booking, in_force(session, at=clock.now()))
    write_act(session, booking, "check_out", actor=actor)
    body = f"服务了{booking.served_minutes}分钟，请确认或提出异议；到期未处理将自动确认。"
    tell_elder(session, booking, "请确认上门服务", body)
    session.flush()
    return booking


def not_home(session: Session, *, actor: Actor, booking_id: UUID, reason: str, evidence: str) -> CareBooking:
    """The provider came at the agreed time and found nobody; what policy says is captured, the rest released.

    Raises NotFound ``care_booking_unknown``; NotAllowed ``not_your_booking``; Conflict ``wrong_state``,
    ``hold_ended``; Refused ``too_early``, ``reason_needed``, ``evidence_missing``.
    """
    booking = lock_booking(session, booking_id)
    must_be_the_provider(actor, booking)
    after("not_home", booking.status)
    if clock.now() < booking.starts_at:
        raise Refused("too_early", "到预约开始时间后才能登记上门无人", starts_at=booking.starts_at)
    policies = in_force(session, at=clock.now())
    percent = policies.whole("care_not_home_percent", booking.township_code)
    charge = Charge(at_rate(booking.held_minutes, percent), 0)
    end = End("not_home", charge, "not_home", actor, reason_said(reason), evidence_said(evidence))
    end_booking(session, booking, end, policies)
    back = hours_text(booking.held_minutes - charge.held)
    body = f"服务人员上门时无人（{end.reason}），扣{hours_text(charge.held)}，退回{back}；如有异议请联系镇街。"
    tell_elder(session, booking, "上门无人", body)
    said = f"{when(booking)}上门无人：{end.reason}"
    notify_stewards(session, township_code=booking.township_code, title="上门服务无人在家", body=said)
    return booking


def end_visit(booking: CareBooking) -> None:
    """Note the end of the visit, at least a microsecond after its begin, and the minutes it took."""
    assert booking.checked_in_at is not None
    booking.checked_out_at = max(clock.now(), booking.checked_in_at + timedelta(microseconds=1))
    booking.served_minutes = served_minutes(booking.checked_in_at, booking.checked_out_at)
