"""Confirming a visit 确认, and disputing it 申诉: what was served is captured up to what was set aside."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import SYSTEM, Actor
from timebank.core.amounts import hours_text
from timebank.core.errors import NotAllowed, Refused
from timebank.notifications.actions import notify_stewards
from timebank.people.queries import nobody_moves, person
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.redemption.care.actions.acts import (
    evidence_said,
    not_your_booking,
    of_the_provider,
    on_elders_side,
    reason_said,
    set_deadline,
    stewarded,
    tell_elder,
    when,
    write_act,
)
from timebank.redemption.care.actions.attend import end_visit
from timebank.redemption.care.actions.object import object_to_charge
from timebank.redemption.care.actions.settle import End, end_booking
from timebank.redemption.care.models import CareBooking
from timebank.redemption.care.queries.bookings import lock_booking
from timebank.redemption.care.rules import CHARGED_UNSERVED, CareStatus, Charge, after, charge_for


def confirm(
    session: Session,
    *,
    actor: Actor,
    booking_id: UUID,
    rating: int | None = None,
    comment: str | None = None,
    accept_excess_minutes: int | None = None,
    evidence: str | None = None,
) -> CareBooking:
    """Confirm a visit: the minutes served are captured up to what was set aside, the rest is released.

    What goes beyond is charged only where the elder or a proxy names the very figure shown. A steward confirms for an
    elder without a phone, with ``evidence``. Raises NotFound ``care_booking_unknown``; NotAllowed ``not_your_booking``,
    ``proxy_scope_missing``; Conflict ``wrong_state``, ``hold_ended``, ``person_left``, ``person_frozen``; Refused
    ``evidence_missing``, ``excess_differs``, ``excess_needs_elder``, ``insufficient_minutes``, ``not_vested_yet``,
    ``position_limit_reached``.
    """
    if accept_excess_minutes:
        _keep_elder(session, booking_id)
    booking = lock_booking(session, booking_id)
    own = on_elders_side(session, actor, booking)
    if not own and not stewarded(session, actor, booking):
        raise not_your_booking()
    after("confirm", booking.status)
    policies = in_force(session, at=clock.now())
    charge = charge_now(booking, policies)
    excess = _agreed(charge.excess, accept_excess_minutes, own=own)
    booking.rating, booking.comment = rating, comment
    said = None if own else evidence_said(evidence)
    end = End("confirm", Charge(charge.held, excess), "visit", actor, comment or "", said)
    end_booking(session, booking, end, policies)
    _tell_confirmed(session, booking)
    return booking


def confirm_by_time(session: Session, booking: CareBooking, policies: PolicyBook) -> None:
    """Confirm a visit, locked by the caller, that nobody has confirmed or disputed in time; never an excess."""
    charge = charge_now(booking, policies)
    end = End("confirm", Charge(charge.held, 0), "visit", SYSTEM, "到期自动确认")
    end_booking(session, booking, end, policies)
    _tell_confirmed(session, booking)


def dispute(session: Session, *, actor: Actor, booking_id: UUID, reason: str) -> CareBooking:
    """Object to a visit that goes on or awaits confirmation; nothing is paid until a steward has decided.

    Whoever has not checked out yet is checked out. The elder's side also objects, for some days and once, to what was
    taken for nobody at home or for cancelling late; that stays taken until two stewards reverse it. Raises NotFound
    ``care_booking_unknown``; NotAllowed ``not_your_booking``, ``proxy_scope_missing``; Conflict ``wrong_state``,
    ``already_objected``, ``objection_too_late``; Refused ``reason_needed``.
    """
    booking = lock_booking(session, booking_id)
    concerned = of_the_provider(actor, booking.provider_id) or stewarded(session, actor, booking)
    if not concerned and not on_elders_side(session, actor, booking):
        raise not_your_booking()
    if booking.status in CHARGED_UNSERVED and not concerned:
        object_to_charge(session, booking, actor=actor, reason=reason_said(reason))
    else:
        mark_disputed(session, booking, actor=actor, reason=reason_said(reason))
    return booking


def mark_disputed(session: Session, booking: CareBooking, *, actor: Actor, reason: str) -> None:
    """Bring a visit, locked by the caller, before the stewards of the elder's township."""
    status = after("dispute", booking.status)
    if booking.status == CareStatus.CHECKED_IN:
        end_visit(booking)
    booking.status, booking.disputed_by = status, actor.login_id
    set_deadline(booking, in_force(session, at=clock.now()))
    write_act(session, booking, "dispute", actor=actor, reason=reason)
    body = f"{when(booking)}的上门服务：{reason}"
    notify_stewards(session, township_code=booking.township_code, title="有上门服务申诉待裁定", body=body)
    session.flush()


def decide(session: Session, *, actor: Actor, booking_id: UUID, minutes: int, reason: str) -> CareBooking:
    """A steward decides how many minutes a disputed visit lasted, 0 included; nothing beyond the hold is taken.

    Raises NotFound ``care_booking_unknown``; NotAllowed ``steward_only``, ``other_township``, ``second_person_needed``
    for the steward who raised the dispute; Conflict ``wrong_state``, ``hold_ended``; Refused ``amount_invalid``,
    ``minutes_too_many``, ``reason_needed``.
    """
    actor.must_be_steward()
    booking = lock_booking(session, booking_id)
    if not stewarded(session, actor, booking):
        actor.must_steward(booking.township_code)
    after("decide", booking.status)
    if booking.disputed_by == actor.login_id:
        raise NotAllowed("second_person_needed", "须由另一位管理员裁定")
    policies = in_force(session, at=clock.now())
    most = policies.whole("care_max_minutes", booking.township_code)
    if minutes < 0:
        raise Refused("amount_invalid", "裁定的分钟数不能为负", field="minutes")
    if minutes > most:
        raise Refused("minutes_too_many", f"单次服务最长{most}分钟", field="minutes", max_minutes=most)
    charge = charge_for_minutes(booking, minutes, policies)
    booking.decided_minutes = minutes
    end = End("decide", Charge(charge.held, 0), "visit", actor, reason_said(reason))
    end_booking(session, booking, end, policies)
    tell_elder(session, booking, "申诉已裁定", f"裁定{minutes}分钟：{end.reason}。{_captured(booking)}")
    return booking


def charge_now(booking: CareBooking, policies: PolicyBook) -> Charge:
    """What the visit costs as it was served."""
    return charge_for_minutes(booking, booking.served_minutes or 0, policies)


def charge_for_minutes(booking: CareBooking, minutes: int, policies: PolicyBook) -> Charge:
    """What the visit costs where it lasted ``minutes``."""
    return charge_for(
        minutes,
        booked=booking.minutes,
        held=booking.held_minutes,
        rate=booking.rate_percent,
        tolerance=policies.whole("care_tolerance_minutes", booking.township_code),
        most=policies.whole("care_max_minutes", booking.township_code),
    )


def _keep_elder(session: Session, booking_id: UUID) -> None:
    """Nobody moves, and the elder neither leaves nor is reported dead, while more is charged; before the booking."""
    nobody_moves(session)
    elder_id = session.scalar(select(CareBooking.elder_id).where(CareBooking.id == booking_id))
    if elder_id is not None:
        person(session, elder_id, for_update=True)


def _agreed(excess: int, accepted: int | None, *, own: bool) -> int:
    """The excess that is charged: all of it where the elder's side named its figure, else nothing."""
    if not accepted:
        return 0
    if not own:
        raise Refused("excess_needs_elder", "超出冻结的时长须老人本人或代办人同意", field="accept_excess_minutes")
    if accepted != excess:
        raise Refused("excess_differs", f"超出的时长是{excess}分钟，请核对", excess_minutes=excess)
    return excess


def _tell_confirmed(session: Session, booking: CareBooking) -> None:
    tell_elder(session, booking, "上门服务已确认", _captured(booking))


def _captured(booking: CareBooking) -> str:
    taken = (booking.captured_minutes or 0) + booking.excess_minutes
    back = booking.held_minutes - (booking.captured_minutes or 0)
    return f"扣{hours_text(taken)}" + (f"，退回{hours_text(back)}。" if back else "。")
