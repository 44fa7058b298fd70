"""Giving a voucher's minutes back: on request, or because its time is over."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.core.errors import Conflict, NotFound
from timebank.core.ids import new_id
from timebank.ledger.actions import ensure_accounts
from timebank.ledger.actions.post import post_one, transfers_by_cause
from timebank.ledger.models import Account
from timebank.ledger.rules import AccountKind, Movement
from timebank.notifications.actions import notify_person
from timebank.people.queries import acts_for, nobody_moves, person
from timebank.redemption.models import Voucher
from timebank.redemption.rules import STATUS_NAMES, VoucherStatus


def refund_voucher(session: Session, *, actor: Actor, voucher_id: UUID) -> Voucher:
    """Give an unused voucher back; its minutes return to where they came from.

    For the holder, a proxy, or a steward of the holder's township. Raises NotFound ``voucher_unknown``; Conflict
    ``voucher_not_refundable``.
    """
    voucher = session.get(Voucher, voucher_id, with_for_update={"key_share": True})
    if voucher is None or not _may_refund(session, actor, voucher):
        raise NotFound("voucher_unknown", "没有这张用餐券", voucher_id=voucher_id)
    if voucher.status != VoucherStatus.ISSUED:
        name = STATUS_NAMES[VoucherStatus(voucher.status)]
        raise Conflict("voucher_not_refundable", f"这张券{name}，不能退", status=voucher.status)
    _give_back(session, voucher, VoucherStatus.REFUNDED, kind="voucher_refund", actor=actor)
    if actor.is_steward:
        note_down(session, actor=actor, action="voucher_refunded", subject=("voucher", voucher.id))
    return voucher


def expired_vouchers(session: Session, *, limit: int) -> list[UUID]:
    """Vouchers whose time is over, oldest first."""
    query = select(Voucher.id).where(Voucher.status == VoucherStatus.ISSUED, Voucher.expires_at <= clock.now())
    return list(session.scalars(query.order_by(Voucher.expires_at).limit(limit)))


def expire_voucher(session: Session, *, voucher_id: UUID) -> bool:
    """Let one voucher expire and refund it; answers whether it was still to be done."""
    voucher = session.scalar(
        select(Voucher)
        .where(Voucher.id == voucher_id, Voucher.status == VoucherStatus.ISSUED, Voucher.expires_at <= clock.now())
        .with_for_update(key_share=True, skip_locked=True)
    )
    if voucher is None:
        return False
    _give_back(session, voucher, VoucherStatus.EXPIRED, kind="voucher_expiry", actor=None)
    text = f"{hours_text(voucher.price_minutes)}已退回您的时间账户。"
    notify_person(session, person_id=voucher.holder_id, title="用餐券已过期", body=text)
    return True


def _give_back(session: Session, voucher: Voucher, status: VoucherStatus, *, kind: str, actor: Actor | None) -> None:
    nobody_moves(session)
    now = clock.now()
    movements = [
        Movement(
            id=new_id(),
            from_account_id=voucher.account_id,
            to_account_id=_way_back(session, voucher, paid.from_account_id),
            amount=paid.amount,
            kind=kind,
            effective_at=now,
            cause_kind="voucher",
            cause_id=voucher.id,
            policy_version=voucher.policy_version,
            recorded_by=actor.login_id if actor else None,
        )
        for paid in transfers_by_cause(session, voucher.id)
        if paid.kind == "voucher_purchase" and paid.link_id in (None, paid.id)
    ]
    post_one(session, tuple(movements))
    voucher.status, voucher.ended_at = status, now
    session.flush()


def _way_back(session: Session, voucher: Voucher, source_account_id: int) -> int:
    """Where the minutes came from; a lot that has expired meanwhile takes them too, and the sweep finds them."""
    source = session.get_one(Account, source_account_id)
    if source.closed_at is None:
        return source.id
    holder = person(session, voucher.holder_id)
    return ensure_accounts(session, [(holder.id, holder.township_code)], AccountKind.SAVINGS)[holder.id]


def _may_refund(session: Session, actor: Actor, voucher: Voucher) -> bool:
    if acts_for(session, actor, voucher.holder_id):
        return True
    return actor.is_steward and actor.stewards(person(session, voucher.holder_id).township_code)
