"""Letting a voucher expire: its minutes go where its terms say."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.amounts import hours_text
from timebank.notifications.actions import notify_person
from timebank.people.queries import person
from timebank.redemption.actions.give_back import give_back, let_go_to_pool
from timebank.redemption.models import Voucher
from timebank.redemption.queries import lost_with_their_lot
from timebank.redemption.rules import OnExpiry, VoucherStatus

_KIND = "voucher_expiry"


def expired_vouchers(session: Session, *, limit: int) -> list[UUID]:
    """Vouchers whose time is over, oldest first; one that a meal ordered has waits for what becomes of that."""
    query = select(Voucher.id).where(*_over())
    return list(session.scalars(query.order_by(Voucher.expires_at).limit(limit)))


def expire_voucher(session: Session, *, voucher_id: UUID) -> bool:
    """Let one voucher expire; answers whether it was still to be done.

    Its minutes return to where they came from, or go to the pool where that was the rule when it was bought, or where
    the holder has left. What came out of an allotment that is over by now goes to the pool with the next sweep, and the
    notice says so.
    """
    voucher = session.scalar(
        select(Voucher).where(Voucher.id == voucher_id, *_over()).with_for_update(key_share=True, skip_locked=True)
    )
    if voucher is None:
        return False
    lost = 0
    if voucher.on_expiry == OnExpiry.POOL or person(session, voucher.holder_id).left_at is not None:
        let_go_to_pool(session, voucher, kind=_KIND)
        where = "已转入公益时间池"
    else:
        give_back(session, voucher, VoucherStatus.EXPIRED, kind=_KIND, actor=None)
        where = "已退回您的时间账户"
        lost = lost_with_their_lot(session, [voucher], on=clock.today())
    session.flush()
    text = f"{hours_text(voucher.price_minutes)}{where}。"
    if lost:
        back = voucher.price_minutes - lost
        rest = f"其余{hours_text(back)}{where}。" if back else ""
        text = f"{hours_text(lost)}是政府购买服务时长，已过有效期，转入公益时间池。{rest}"
    notify_person(session, person_id=voucher.holder_id, title="用餐券已过期", body=text)
    return True


def _over() -> tuple[ColumnElement[bool], ...]:
    issued = Voucher.status == VoucherStatus.ISSUED
    return issued, Voucher.expires_at <= clock.now(), Voucher.set_aside_for.is_(None)
