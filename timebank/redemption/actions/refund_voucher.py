"""Giving a voucher back on request 退券."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict
from timebank.people.queries import person, spoken_name
from timebank.redemption.actions.choosing import lock_voucher, voucher_unknown
from timebank.redemption.actions.give_back import give_back
from timebank.redemption.models import Voucher
from timebank.redemption.queries import handles_vouchers_of
from timebank.redemption.rules import STATUS_NAMES, VoucherStatus, must_not_be_set_aside, standing


def refund_voucher(session: Session, *, actor: Actor, voucher_id: UUID) -> Voucher:
    """Give an unused voucher back; its minutes return to where they came from.

    For the holder, a proxy, or a steward of the holder's township. Raises NotAllowed ``proxy_scope_missing``; NotFound
    ``voucher_unknown``; Conflict ``voucher_not_refundable``, ``voucher_set_aside``.
    """
    voucher = lock_voucher(session, voucher_id)
    if not handles_vouchers_of(session, actor, voucher.holder_id):
        raise voucher_unknown(voucher_id)
    status = standing(voucher.status, voucher.expires_at, clock.now())
    if status != VoucherStatus.ISSUED:
        raise Conflict("voucher_not_refundable", f"这张券{STATUS_NAMES[status]}，不能退", status=str(status))
    must_not_be_set_aside(voucher.set_aside_for)
    holder = person(session, voucher.holder_id)
    note = "" if actor.person_id == holder.id else f"由{spoken_name(actor, holder)}办理"
    give_back(session, voucher, VoucherStatus.REFUNDED, kind="voucher_refund", actor=actor, note=note)
    session.flush()
    if actor.is_steward:
        note_down(session, actor=actor, action="voucher_refunded", subject=("voucher", voucher.id))
    return voucher
