"""Objecting 申诉 to what was taken though nobody was served: 上门无人, and cancelling late.

The charge stands until two stewards reverse it; the objection brings it before them and is kept as an act.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.core.errors import Conflict
from timebank.ledger.models import Transfer
from timebank.notifications.actions import notify_stewards
from timebank.policies.queries import in_force
from timebank.redemption.care.actions.acts import tell_elder, when, write_act
from timebank.redemption.care.models import CareBooking
from timebank.redemption.care.queries.bookings import objections_to
from timebank.redemption.care.rules import CARE_USE, STATUS_NAMES, CareStatus, wrong_state


def object_to_charge(session: Session, booking: CareBooking, *, actor: Actor, reason: str) -> None:
    """Keep the objection of the elder's side to a booking, locked by the caller, and tell the township's stewards.

    Raises Conflict ``wrong_state`` where nothing was taken, ``already_objected``, ``objection_too_late``.
    """
    if not booking.captured_minutes or booking.ended_at is None:
        raise wrong_state(booking.status)
    if objections_to(session, [booking]):
        raise Conflict("already_objected", "这次扣时长已经申诉过，请等镇街核实", booking_id=booking.id)
    days = in_force(session, at=clock.now()).whole("care_objection_days", booking.township_code)
    until = booking.ended_at + timedelta(days=days)
    if clock.now() > until:
        raise Conflict("objection_too_late", f"扣时长后{days}天内可以申诉，现在已经过了", until=until, days=days)
    write_act(session, booking, "dispute", actor=actor, reason=reason)
    taken = hours_text(booking.captured_minutes)
    what = f"{when(booking)}的上门服务（{STATUS_NAMES[CareStatus(booking.status)]}）扣了{taken}"
    numbers = "、".join(_captures(session, booking))
    body = f"{what}，老人申诉：{reason}。核实属实的，请由两位管理员冲正划转 {numbers}。"
    notify_stewards(session, township_code=booking.township_code, title="有上门服务扣时长申诉待核实", body=body)
    tell_elder(session, booking, "申诉已收到", f"镇街核实属实的，扣的{taken}会退回，并通知您。")
    session.flush()


def _captures(session: Session, booking: CareBooking) -> list[str]:
    """The transfers that took the minutes, by their first legs, as the stewards name them to reverse them."""
    taken = select(Transfer.id).where(
        Transfer.cause_id == booking.id,
        Transfer.kind == CARE_USE,
        or_(Transfer.link_id.is_(None), Transfer.link_id == Transfer.id),
    )
    return [str(transfer_id) for transfer_id in session.scalars(taken.order_by(Transfer.seq))]
