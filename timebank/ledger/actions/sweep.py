"""Sweeping 清扫: what an expired allotment still holds goes to the pool of its book."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.ids import new_id
from timebank.ledger.actions.accounts import township_accounts
from timebank.ledger.actions.post import lock_accounts, post_one
from timebank.ledger.models import Account
from timebank.ledger.rules import AccountKind, Movement


def expired_lots(session: Session, *, limit: int) -> list[int]:
    """Lots whose last day is over and that still hold something available."""
    query = select(Account.id).where(Account.expires_on < clock.today(), Account.posted > Account.held)
    return list(session.scalars(query.order_by(Account.expires_on).limit(limit)))


def sweep_lot(session: Session, *, account_id: int) -> int:
    """Move what is available in an expired lot to its book's pool; answers the minutes moved, 0 where there are none.

    What is held stays until the hold ends; the next sweep finds it.
    """
    lot = session.get_one(Account, account_id)
    pool = township_accounts(session, [lot.book_code], AccountKind.POOL)[lot.book_code]
    state = lock_accounts(session, [account_id, pool])[account_id]
    if lot.expires_on is None or lot.expires_on >= clock.today() or state.available == 0:
        return 0
    now = clock.now()
    movement = Movement(
        id=new_id(),
        from_account_id=account_id,
        to_account_id=pool,
        amount=state.available,
        kind="lot_expiry",
        effective_at=now,
        note="政府购买服务时长到期转入公益时间池",
    )
    post_one(session, (movement,))
    return state.available
