"""Choosing vouchers to be printed, made anew, given or made void: who may, and which."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import BankError, NotAllowed, NotFound, Refused
from timebank.people.queries import person
from timebank.redemption.models import Voucher
from timebank.redemption.queries import handles_vouchers_of
from timebank.redemption.rules import VoucherStatus, must_not_be_set_aside, not_issued, standing

MOST_AT_ONCE = 200
"""Vouchers on one sheet, or of one lost card."""


def lock_voucher(session: Session, voucher_id: UUID) -> Voucher:
    """One voucher, locked until the unit of work ends. Raises NotFound ``voucher_unknown``."""
    found = session.get(Voucher, voucher_id, with_for_update={"key_share": True}, populate_existing=True)
    if found is None:
        raise voucher_unknown(voucher_id)
    return found


def must_be_unused(voucher: Voucher) -> None:
    """Raises Conflict ``voucher_not_issued`` where a voucher has ended, or its time is over; ``voucher_set_aside``."""
    status = standing(voucher.status, voucher.expires_at, clock.now())
    if status != VoucherStatus.ISSUED:
        raise not_issued(voucher.id, status)
    must_not_be_set_aside(voucher.set_aside_for)


def named_vouchers(session: Session, *, actor: Actor, voucher_ids: Sequence[UUID], lock: bool = False) -> list[Voucher]:
    """The vouchers with these ids, in their order, each once; with ``lock`` nobody uses them meanwhile.

    Raises NotFound ``voucher_unknown`` where one is none of the actor's business.
    """
    query = select(Voucher).where(Voucher.id.in_(voucher_ids)).order_by(Voucher.id)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = {voucher.id: voucher for voucher in session.scalars(query)}
    handled = {
        holder_id: handles_vouchers_of(session, actor, holder_id)
        for holder_id in {voucher.holder_id for voucher in found.values()}
    }
    for voucher_id in voucher_ids:
        if voucher_id not in found or not handled[found[voucher_id].holder_id]:
            raise voucher_unknown(voucher_id)
    return [found[voucher_id] for voucher_id in dict.fromkeys(voucher_ids)]


def unused_vouchers(
    session: Session, *, actor: Actor, holder_id: UUID, lock: bool = False, limit: int = MOST_AT_ONCE
) -> list[Voucher]:
    """What a person has unused and ordered no meal with, what expires first foremost.

    Raises NotAllowed ``not_your_elder``, ``proxy_scope_missing``; NotFound ``person_unknown``.
    """
    if actor.is_steward:
        person(session, holder_id)
    if not handles_vouchers_of(session, actor, holder_id):
        raise NotAllowed("not_your_elder", "只能办理本人、登记代办的老人或本镇街老人的用餐券")
    query = select(Voucher).where(
        Voucher.holder_id == holder_id,
        Voucher.status == VoucherStatus.ISSUED,
        Voucher.expires_at > clock.now(),
        Voucher.set_aside_for.is_(None),
    )
    if not lock:
        return list(session.scalars(query.order_by(Voucher.expires_at, Voucher.id).limit(limit)))
    locked = query.order_by(Voucher.id).with_for_update(key_share=True).execution_options(populate_existing=True)
    return sorted(session.scalars(locked), key=lambda voucher: (voucher.expires_at, voucher.id))[:limit]


def one_choice(voucher_ids: Sequence[UUID] | None, for_person_id: UUID | None) -> None:
    """Vouchers are named, or a person whose vouchers are meant. Raises Refused ``choice_unclear``."""
    if (voucher_ids is None) == (for_person_id is None):
        raise Refused("choice_unclear", "请选定用餐券，或选定一位持券人", field="voucher_ids")


def voucher_unknown(voucher_id: UUID) -> BankError:
    """The refusal for a voucher that does not exist, or is none of the actor's business."""
    return NotFound("voucher_unknown", "没有这张用餐券", voucher_id=voucher_id)
