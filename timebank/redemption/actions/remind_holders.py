"""Reminding people of vouchers that are about to expire: one notice a person a day, each voucher once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, case, select
from sqlalchemy.orm import Session, aliased

from timebank.core import clock
from timebank.core.amounts import hours_text
from timebank.notifications.actions import notify_person
from timebank.people.models import Person
from timebank.people.queries import person
from timebank.policies.queries import in_force
from timebank.redemption.models import Voucher
from timebank.redemption.queries import lost_with_their_lot
from timebank.redemption.rules import OnExpiry, VoucherStatus

_KEY = "voucher_reminder_days"


def holders_to_remind(session: Session, *, limit: int) -> list[UUID]:
    """Who has unused vouchers that expire soon, was not told of them, and was told of no others today."""
    found = select(Voucher.holder_id).join(Person, Person.id == Voucher.holder_id).where(*_due(session))
    return list(session.scalars(found.distinct().limit(limit)))


def remind_holder(session: Session, *, holder_id: UUID) -> int:
    """Tell one person of all of them in one notice; answers how many, 0 where somebody else has told them."""
    holder = person(session, holder_id, for_update=True)
    due = select(Voucher).join(Person, Person.id == Voucher.holder_id).where(Voucher.holder_id == holder_id)
    due = due.where(*_due(session)).order_by(Voucher.id).with_for_update(of=Voucher, key_share=True)
    vouchers = session.scalars(due.execution_options(populate_existing=True)).all()
    if not vouchers:
        return 0
    for voucher in vouchers:
        voucher.reminded_at = clock.now()
    session.flush()
    first = min(voucher.expires_at for voucher in vouchers).astimezone(clock.LOCAL)
    body = f"您有{len(vouchers)}张用餐券快到期，最早的一张{first:%m月%d日 %H:%M}到期，请及时使用。"
    body += _afterwards(session, vouchers)
    notify_person(session, person_id=holder.id, title="用餐券快到期", body=body)
    return len(vouchers)


def _afterwards(session: Session, vouchers: Sequence[Voucher]) -> str:
    """Where the minutes go should nobody eat: by the terms of each voucher, and by the lots that paid."""
    returning = [voucher for voucher in vouchers if voucher.on_expiry == OnExpiry.REFUND]
    lost = lost_with_their_lot(session, returning)
    pooled = sum(voucher.price_minutes for voucher in vouchers if voucher.on_expiry == OnExpiry.POOL)
    back = sum(voucher.price_minutes for voucher in returning) - lost
    said = [f"{hours_text(lost)}是政府购买服务时长，到期后转入公益时间池"] if lost else []
    if pooled:
        said.append(f"{hours_text(pooled)}到期后转入公益时间池")
    if back:
        said.append(f"{hours_text(back)}到期后退回您的时间账户")
    return f"其中{'，'.join(said)}。" if len(said) > 1 else f"{said[0]}。"


def _due(session: Session) -> tuple[ColumnElement[bool], ...]:
    now = clock.now()
    policies = in_force(session, at=now)
    own = {code: _until(now, days) for code, days in policies.township_values(_KEY).items()}
    usual = _until(now, policies.whole(_KEY))
    until = case(own, value=Person.township_code, else_=usual) if own else usual
    told = aliased(Voucher)
    told_today = told.reminded_at >= clock.day_start(clock.today())
    return (
        Voucher.status == VoucherStatus.ISSUED,
        Voucher.reminded_at.is_(None),
        Voucher.set_aside_for.is_(None),
        Voucher.expires_at > now,
        Voucher.expires_at <= until,
        ~select(told.id).where(told.holder_id == Voucher.holder_id, told_today).exists(),
    )


def _until(now: datetime, days: int) -> datetime:
    return now + timedelta(days=days)
