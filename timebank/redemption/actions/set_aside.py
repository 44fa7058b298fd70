"""Setting vouchers aside 预留用餐券: for meals ordered ahead, until those are served or given up.

Order of locks: the vouchers by id, then the ledger's accounts, all in one call.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import ARRAY, bindparam, select, text, update
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import UuidColumn
from timebank.core.ids import new_id
from timebank.ledger.actions import post, township_accounts
from timebank.ledger.actions.post import lock_accounts
from timebank.ledger.rules import AccountKind, Posted
from timebank.redemption.actions.redeem_vouchers import redemption_of
from timebank.redemption.models import Voucher, VoucherScan
from timebank.redemption.rules import VoucherStatus
from timebank.townships.queries import canteen

_NOBODY = UUID(int=0)

_SET_ASIDE = text("""
UPDATE voucher v SET set_aside_for = wanted.for_id, set_aside_at = :at
FROM unnest(:voucher_ids, :for_ids) AS wanted (voucher_id, for_id)
WHERE v.id = wanted.voucher_id AND v.status = 'issued' AND v.set_aside_for IS NULL
""").bindparams(bindparam("voucher_ids", type_=ARRAY(UuidColumn)), bindparam("for_ids", type_=ARRAY(UuidColumn)))


def set_aside(session: Session, *, for_ids: Mapping[UUID, UUID]) -> None:
    """Set vouchers aside (by id, for what), which the caller has locked and found good; one statement."""
    if not for_ids:
        return
    voucher_ids = sorted(for_ids)
    wanted = {"voucher_ids": voucher_ids, "for_ids": [for_ids[i] for i in voucher_ids], "at": clock.now()}
    done = session.execute(_SET_ASIDE, wanted)
    if done.rowcount != len(for_ids):  # type: ignore[attr-defined]
        raise RuntimeError("a voucher was set aside that is none to be had")


def take_back_aside(session: Session, for_ids: Collection[UUID]) -> None:
    """Let go of the vouchers set aside for these; their holders have them again."""
    if not for_ids:
        return
    waiting = (Voucher.set_aside_for.in_(for_ids), Voucher.status == VoucherStatus.ISSUED)
    locked = select(Voucher.id).where(*waiting).order_by(Voucher.id).with_for_update(key_share=True)
    found = session.scalars(locked).all()
    if found:
        taken_back = update(Voucher).where(Voucher.id.in_(found)).values(set_aside_for=None, set_aside_at=None)
        session.execute(taken_back, execution_options={"synchronize_session": "evaluate"})


def redeem_set_aside(
    session: Session, *, actor: Actor, for_ids: Collection[UUID], canteen_id: UUID, also_lock: Collection[int] = ()
) -> dict[UUID, Voucher]:
    """Use the vouchers set aside for these at a canteen; answers them by what they were set aside for.

    What has none set aside is left out. ``also_lock`` are accounts that the same unit of work moves afterwards, locked
    in the same call. One that was set aside in time is good also where it is served a little late. Raises NotFound
    ``canteen_unknown``.
    """
    here = canteen(session, canteen_id)
    waiting = (Voucher.set_aside_for.in_(for_ids), Voucher.status == VoucherStatus.ISSUED)
    query = select(Voucher).where(*waiting).order_by(Voucher.id).with_for_update(key_share=True)
    vouchers = session.scalars(query.execution_options(populate_existing=True)).all()
    redeemed = township_accounts(session, [here.township_code], AccountKind.REDEEMED)[here.township_code]
    lock_accounts(session, {redeemed, *also_lock, *(voucher.account_id for voucher in vouchers)})
    now = clock.now()
    for result in post(session, [(redemption_of(voucher, redeemed, here.name, now),) for voucher in vouchers]):
        if not isinstance(result, Posted):
            raise RuntimeError(f"a meal could not be paid: {result}")
    for voucher in vouchers:
        voucher.status, voucher.ended_at, voucher.canteen_id = VoucherStatus.REDEEMED, now, here.id
    session.add_all(_scan(voucher, actor, here.id) for voucher in vouchers)
    session.flush()
    return {voucher.set_aside_for: voucher for voucher in vouchers if voucher.set_aside_for is not None}


def _scan(voucher: Voucher, actor: Actor, canteen_id: UUID) -> VoucherScan:
    """What stands for the scan: every voucher used was accepted once, at one counter, under one number."""
    now = clock.now()
    return VoucherScan(
        id=new_id(),
        canteen_id=canteen_id,
        nonce=f"order {voucher.set_aside_for}",
        code=voucher.code,
        scanned_at=now,
        received_at=now,
        clerk_login_id=actor.login_id or _NOBODY,
        accepted=True,
        reason="ok",
        voucher_id=voucher.id,
        redeemed_at=now,
        redeemed_canteen_id=canteen_id,
    )
