"""Letting time pass: nobody was sent, nobody came, nobody checked out, nobody confirmed, the hold is over."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import SYSTEM
from timebank.core.amounts import hours_text
from timebank.notifications.actions import notify_stewards
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.redemption.care.actions.acts import tell_elder, when
from timebank.redemption.care.actions.confirm import confirm_by_time, mark_disputed
from timebank.redemption.care.actions.settle import NOTHING, End, end_booking, hold_stands
from timebank.redemption.care.models import CareBooking
from timebank.redemption.care.queries.bookings import lock_booking
from timebank.redemption.care.rules import CareStatus


def deadlines_passed(session: Session, *, limit: int) -> list[UUID]:
    """Bookings that time alone moves on now, the longest waiting first."""
    query = select(CareBooking.id).where(CareBooking.ended_at.is_(None), CareBooking.deadline_at <= clock.now())
    return list(session.scalars(query.order_by(CareBooking.deadline_at, CareBooking.id).limit(limit)))


def move_on(session: Session, *, booking_id: UUID) -> bool:
    """Do what time has made due on one booking; answers whether anything was.

    A hold that has ended by itself counts as released: the booking lapses. Raises NotFound ``care_booking_unknown``.
    """
    booking = lock_booking(session, booking_id)
    if booking.ended_at is not None or booking.deadline_at > clock.now():
        return False
    policies = in_force(session, at=clock.now())
    if not hold_stands(session, booking):
        _lapse(session, booking, policies, "冻结已到期")
    elif booking.status == CareStatus.BOOKED:
        _lapse(session, booking, policies, "开始前没有机构能够前来")
    elif booking.status == CareStatus.ASSIGNED:
        _note_no_show(session, booking, policies)
    elif booking.status == CareStatus.CHECKED_IN:
        mark_disputed(session, booking, actor=SYSTEM, reason="签到后没有签退，请核实服务时长")
    else:
        confirm_by_time(session, booking, policies)
    return True


def _lapse(session: Session, booking: CareBooking, policies: PolicyBook, reason: str) -> None:
    visited = booking.checked_in_at is not None
    end_booking(session, booking, End("lapse", NOTHING, "visit", SYSTEM, reason), policies)
    tell_elder(session, booking, "上门服务预约已失效", f"{reason}，{hours_text(booking.held_minutes)}已退回。")
    if visited:
        said = f"{when(booking)}的上门服务没有办结，{reason}，请与机构核实。"
        notify_stewards(session, township_code=booking.township_code, title="上门服务没有办结", body=said)


def _note_no_show(session: Session, booking: CareBooking, policies: PolicyBook) -> None:
    end_booking(session, booking, End("no_show", NOTHING, "visit", SYSTEM, "机构逾期没有签到"), policies)
    body = f"机构没有前来，{hours_text(booking.held_minutes)}已全部退回，机构未到已记录。"
    tell_elder(session, booking, "机构未到", body)
    said = f"{when(booking)}的上门服务机构未到，时长已退回，请核实。"
    notify_stewards(session, township_code=booking.township_code, title="机构未到", body=said)
