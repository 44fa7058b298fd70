"""Sending a provider 派单: by hand, or the nearest with capacity; a provider may decline 谢绝.

Order of locks: the booking, then the providers' days, sorted.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import SYSTEM, Actor
from timebank.core.errors import Conflict, Refused
from timebank.notifications.actions import notify_stewards
from timebank.policies.queries import in_force
from timebank.redemption.care.actions.acts import (
    not_your_booking,
    of_the_provider,
    reason_said,
    set_deadline,
    stewarded,
    tell_elder,
    when,
    write_act,
)
from timebank.redemption.care.actions.capacity import candidates_for, declined_by, lock_day, must_have_room, must_serve
from timebank.redemption.care.choosing import Choice, Visit, choose
from timebank.redemption.care.models import CareBooking
from timebank.redemption.care.queries.bookings import lock_booking
from timebank.redemption.care.queries.providers import care_provider
from timebank.redemption.care.rules import CareStatus, after

TRY_AGAIN_AFTER = timedelta(minutes=5)
"""Somebody may decline or cancel and so make room; looking again more often would find nothing else."""


def assign(session: Session, *, actor: Actor, booking_id: UUID, provider_id: UUID | None = None) -> CareBooking:
    """Send a provider: by a steward of the township booked from or lived in, or by the chosen provider itself.

    A steward who names nobody sends whom the rules choose. Raises NotFound ``care_booking_unknown``,
    ``care_provider_unknown``; NotAllowed ``not_your_booking``; Conflict ``wrong_state``, ``visit_time_passed``,
    ``care_provider_full``, ``care_provider_declined``, ``nobody_available``; Refused ``care_provider_not_serving``,
    ``care_provider_elsewhere``.
    """
    booking = lock_booking(session, booking_id)
    by_steward = stewarded(session, actor, booking)
    if not by_steward and not of_the_provider(actor, booking.chosen_provider_id):
        raise not_your_booking()
    if not by_steward and provider_id not in (None, booking.chosen_provider_id):
        raise not_your_booking()
    _must_be_assignable(booking)
    wanted = provider_id if by_steward else booking.chosen_provider_id
    choice = _best(session, booking) if wanted is None else _by_hand(session, booking, wanted, actor)
    if choice is None:
        raise Conflict("nobody_available", "当天没有能前来的机构")
    _send(session, booking, choice, actor)
    return booking


def assignments_due(session: Session, *, limit: int) -> list[UUID]:
    """Bookings for which it is time to look for a provider, the longest waiting first."""
    now = clock.now()
    query = select(CareBooking.id).where(
        CareBooking.status == CareStatus.BOOKED, CareBooking.next_assign_at <= now, CareBooking.starts_at > now
    )
    return list(session.scalars(query.order_by(CareBooking.next_assign_at, CareBooking.id).limit(limit)))


def assign_best(session: Session, *, booking_id: UUID) -> bool:
    """Send whom the rules choose; where nobody has room, the elder and the stewards are told once.

    Answers whether anything was done. Raises NotFound ``care_booking_unknown``.
    """
    booking = lock_booking(session, booking_id)
    now = clock.now()
    if booking.status != CareStatus.BOOKED or booking.next_assign_at > now or booking.starts_at <= now:
        return False
    choice = _best(session, booking)
    if choice is not None:
        _send(session, booking, choice, SYSTEM)
        return True
    booking.next_assign_at = now + TRY_AGAIN_AFTER
    if booking.told_unassigned_at is None:
        booking.told_unassigned_at = now
        _tell_unassigned(session, booking)
    session.flush()
    return True


def _tell_unassigned(session: Session, booking: CareBooking) -> None:
    body = "当天机构都已约满，我们会继续安排；到时仍未派出，时长全部退回。"
    tell_elder(session, booking, "暂时没有机构能前来", body)
    said = f"{when(booking)}的上门服务（{booking.minutes}分钟）当天没有机构能前来，请协调。"
    for township_code in (booking.township_code, None):
        notify_stewards(session, township_code=township_code, title="上门服务待派单", body=said)


def decline(session: Session, *, actor: Actor, booking_id: UUID, reason: str) -> CareBooking:
    """A provider does not take a booking, before it begins; it goes to another, and never to this one again.

    Raises NotFound ``care_booking_unknown``; NotAllowed ``not_your_booking``; Conflict ``wrong_state``,
    ``visit_time_passed``, ``care_provider_declined``; Refused ``reason_needed``.
    """
    booking = lock_booking(session, booking_id)
    offered = booking.provider_id or booking.chosen_provider_id
    if offered is None or not of_the_provider(actor, offered):
        raise not_your_booking()
    status = after("decline", booking.status)
    _must_lie_ahead(booking)
    if offered in declined_by(session, booking.id):
        raise _declined()
    write_act(session, booking, "decline", actor=actor, reason=reason_said(reason), provider_id=offered)
    if booking.status == CareStatus.ASSIGNED:
        tell_elder(session, booking, "正在改派机构", "原派机构不能前来，正在另派。")
    booking.status, booking.provider_id, booking.assigned_because = status, None, None
    booking.next_assign_at = clock.now()
    set_deadline(booking, in_force(session, at=clock.now()))
    session.flush()
    return booking


def _best(session: Session, booking: CareBooking) -> Choice | None:
    known = booking.latitude is not None and booking.longitude is not None
    place = (float(booking.latitude or 0), float(booking.longitude or 0)) if known else None
    visit = Visit(booking.minutes, booking.township_code, place, booking.chosen_provider_id)
    return choose(visit, candidates_for(session, booking))


def _by_hand(session: Session, booking: CareBooking, provider_id: UUID, actor: Actor) -> Choice:
    organisation, offered = care_provider(session, provider_id)
    must_serve(offered, booking.township_code, booking.service)
    if booking.only_township_code not in (None, organisation.township_code):
        title = "老人所在镇街应付时长已到限额，只能派本镇街的机构"
        raise Refused("care_provider_elsewhere", title, township_code=booking.only_township_code)
    if provider_id in declined_by(session, booking.id):
        raise _declined()
    must_have_room(lock_day(session, [provider_id], booking.day)[provider_id], booking.minutes)
    chosen = provider_id == booking.chosen_provider_id
    return Choice(provider_id, "您选择的机构" if chosen else f"由{actor.name}指派")


def _send(session: Session, booking: CareBooking, choice: Choice, actor: Actor) -> None:
    booking.status = after("assign", booking.status)
    booking.provider_id, booking.assigned_because = choice.provider_id, choice.because
    set_deadline(booking, in_force(session, at=clock.now()))
    write_act(session, booking, "assign", actor=actor, reason=choice.because)
    organisation, _ = care_provider(session, choice.provider_id)
    body = f"由{organisation.name}上门（{choice.because}）。请在服务人员到达后报服务码。"
    tell_elder(session, booking, "上门服务已派单", body)
    session.flush()


def _must_be_assignable(booking: CareBooking) -> None:
    after("assign", booking.status)
    _must_lie_ahead(booking)


def _must_lie_ahead(booking: CareBooking) -> None:
    if booking.starts_at <= clock.now():
        raise Conflict("visit_time_passed", "预约的开始时间已过", starts_at=booking.starts_at)


def _declined() -> Conflict:
    return Conflict("care_provider_declined", "这家机构已经谢绝过这次预约")
