"""Making a voucher void 作废: a steward takes it back for a reason, and its minutes return."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.clearing.rules import reason_given
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.notifications.actions import notify_person
from timebank.people.queries import person
from timebank.redemption.actions.choosing import lock_voucher, must_be_unused, voucher_unknown
from timebank.redemption.actions.give_back import give_back
from timebank.redemption.models import Voucher
from timebank.redemption.rules import VoidReason, VoucherStatus


def void_voucher(session: Session, *, actor: Actor, voucher_id: UUID, reason: str) -> Voucher:
    """Take an unused voucher back; for a steward of the holder's township, and the holder is told why.

    Raises NotAllowed ``steward_only``; NotFound ``voucher_unknown``; Conflict ``voucher_not_issued``; Refused
    ``reason_needed``.
    """
    actor.must_be_steward()
    voucher = lock_voucher(session, voucher_id)
    if not actor.stewards(person(session, voucher.holder_id).township_code):
        raise voucher_unknown(voucher_id)
    must_be_unused(voucher)
    reason = reason_given(reason)
    give_back(session, voucher, VoucherStatus.VOID, kind="voucher_refund", actor=actor, note=reason)
    voucher.void_reason, voucher.void_note = VoidReason.CANCELLED, reason
    session.flush()
    note_down(session, actor=actor, action="voucher_voided", subject=("voucher", voucher.id), reason=reason)
    body = f"镇街作废了您的一张用餐券，{hours_text(voucher.price_minutes)}已退回您的时间账户。原因：{reason}"
    notify_person(session, person_id=voucher.holder_id, title="用餐券已作废", body=body)
    return voucher
