"""Holds 冻结: place, capture any amount up to the held, release, expire. Held amounts are not available.

The account's row is always locked before the hold's, so that a hold and a posting never wait for each other in a ring.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.amounts import is_amount
from timebank.core.errors import BankError, Conflict, NotFound, Refused
from timebank.ledger.actions.post import lock_accounts, post_one
from timebank.ledger.models import Hold, Transfer
from timebank.ledger.rules import Movement, Posted, id_reused, insufficient


def place_hold(
    session: Session,
    *,
    hold_id: UUID,
    account_id: int,
    amount: int,
    expires_at: datetime,
    cause_kind: str,
    cause_id: UUID,
) -> Hold:
    """Set ``amount`` aside until ``expires_at``; the same id again gives the same hold.

    Raises Refused ``amount_invalid``, ``account_unknown``, ``account_closed``, ``insufficient_minutes``,
    ``insufficient_fen``, ``hold_needs_floor``; Conflict ``hold_id_reused``.
    """
    if not is_amount(amount):
        raise Refused("amount_invalid", "数量须为正整数")
    account = lock_accounts(session, [account_id]).get(account_id)
    if account is None:
        raise Refused("account_unknown", "没有这个账户", account_id=account_id)
    standing = session.get(Hold, hold_id)
    if standing is not None:
        if (standing.account_id, standing.amount, standing.cause_id) != (account_id, amount, cause_id):
            raise Conflict("hold_id_reused", "同一冻结编号不能用于另一笔冻结")
        return standing
    if account.closed:
        raise Refused("account_closed", "账户已销户", account_id=account_id)
    if not account.floored:
        raise Refused("hold_needs_floor", "此类账户不能冻结")
    if account.available < amount:
        raise insufficient(account.unit, available=account.available, needed=amount)
    hold = Hold(
        id=hold_id,
        account_id=account_id,
        amount=amount,
        state="placed",
        cause_kind=cause_kind,
        cause_id=cause_id,
        placed_at=clock.now(),
        expires_at=expires_at,
    )
    session.add(hold)
    session.flush()
    return hold


def capture_hold(session: Session, *, hold_id: UUID, movement: Movement) -> Posted:
    """Move up to the held amount out of the held account and release the rest, in one go.

    The same capture again, under the same id, answers as the first one did. Raises NotFound ``hold_unknown``; Conflict
    ``hold_ended``; Refused ``capture_exceeds_hold``, ``capture_from_elsewhere``, or what posting refuses; the hold
    then stands as it did.
    """
    hold = _lock(session, hold_id, also=movement.to_account_id)
    posted_before = session.get(Transfer, movement.id) is not None
    if hold.state == "captured" and hold.captured_amount == movement.amount and posted_before:
        return post_one(session, (movement,))
    if hold.state != "placed":
        raise _ended(hold)
    if posted_before:
        raise id_reused(movement.id)
    if movement.from_account_id != hold.account_id:
        raise Refused("capture_from_elsewhere", "扣划账户与冻结账户不一致")
    if not is_amount(movement.amount) or movement.amount > hold.amount:
        raise Refused("capture_exceeds_hold", "扣划数量超过冻结数量", held_amount=hold.amount)
    with session.begin_nested():
        hold.state, hold.captured_amount, hold.ended_at = "captured", movement.amount, clock.now()
        session.flush()
        return post_one(session, (movement,))


def end_hold(session: Session, *, hold_id: UUID, expired: bool = False) -> Hold:
    """Release the hold, or let it expire; ending it the same way twice is ending it once.

    Raises NotFound ``hold_unknown``; Conflict ``hold_ended``, ``hold_not_expired``.
    """
    hold = _lock(session, hold_id)
    state = "expired" if expired else "released"
    if hold.state == state:
        return hold
    if hold.state != "placed":
        raise _ended(hold)
    if expired and hold.expires_at > clock.now():
        raise Conflict("hold_not_expired", "冻结尚未到期", hold_id=hold_id)
    hold.state, hold.ended_at = state, clock.now()
    session.flush()
    return hold


def expired_holds(session: Session, *, limit: int) -> list[UUID]:
    """Holds whose time is over and that nobody has ended."""
    query = select(Hold.id).where(Hold.state == "placed", Hold.expires_at <= clock.now())
    return list(session.scalars(query.order_by(Hold.expires_at).limit(limit)))


def _lock(session: Session, hold_id: UUID, *, also: int | None = None) -> Hold:
    account_id = session.scalar(select(Hold.account_id).where(Hold.id == hold_id))
    if account_id is None:
        raise NotFound("hold_unknown", "没有这笔冻结", hold_id=hold_id)
    lock_accounts(session, [account_id] if also is None else [account_id, also])
    return session.get_one(Hold, hold_id, with_for_update=True, populate_existing=True)


def _ended(hold: Hold) -> BankError:
    return Conflict("hold_ended", "这笔冻结已经结束", hold_id=hold.id, state=hold.state)
