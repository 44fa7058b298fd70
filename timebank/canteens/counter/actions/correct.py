"""Correcting a meal that was none 用餐冲正: one steward asks with a reason, a second one approves; all shares go back.

Order of locks: that nobody moves, diners, orders, what the order had taken, then all accounts in one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from timebank.audit.actions import note_down
from timebank.canteens.counter.actions.serve import places_of
from timebank.canteens.counter.models import MealCorrection
from timebank.canteens.orders.actions import release_of
from timebank.canteens.orders.actions.cancel_orders import lock_for_ending
from timebank.canteens.orders.actions.telling import order_words, tell_diner
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import CAUSE, STATE_NAMES, OrderState, order_unknown
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, NotAllowed, Refused
from timebank.ledger.actions.post import lock_accounts, post_one
from timebank.ledger.actions.reverse import REDEMPTION, movements_undoing
from timebank.ledger.models import Transfer
from timebank.ledger.rules import Movement
from timebank.notifications.actions import notify_stewards
from timebank.people.models import Person
from timebank.people.queries import nobody_moves
from timebank.redemption.models import Voucher

CorrectionState = Literal["awaiting_second_person", "corrected"]


def correct(
    session: Session, *, actor: Actor, order_id: UUID, reason: str
) -> tuple[CorrectionState, MealOrder, MealCorrection]:
    """Ask for the correction of a meal served, or approve what another steward asked for.

    By stewards of the canteen's or the diner's township, and the district's. Cash goes back through the drawer, all
    else to where it came from. Raises NotAllowed ``steward_only``, ``other_township``, ``second_person_needed``;
    NotFound ``order_unknown``; Conflict ``order_not_served``, ``already_corrected``; Refused ``reason_needed``.
    """
    actor.must_be_steward()
    assert actor.login_id is not None
    nobody_moves(session)
    order = lock_for_ending(session, [order_id]).get(order_id)
    if order is None:
        raise order_unknown(order_id)
    townships = _must_concern(session, actor, order)
    if order.state == OrderState.CORRECTED:
        raise Conflict("already_corrected", "这份餐已经冲正", order_id=order_id)
    if order.state != OrderState.SERVED:
        title = f"这份订餐{STATE_NAMES[OrderState(order.state)]}，没有可冲正的"
        raise Conflict("order_not_served", title, order_id=order_id, state=order.state)
    if _asked_first(session, actor, order_id, reason):
        note_down(session, actor=actor, action="meal_correction_requested", subject=(CAUSE, order_id), reason=reason)
        body = f"订餐 {order_id} 申请冲正，待另一位管理员批准：{reason}"
        for township_code in townships | {None}:
            notify_stewards(session, township_code=township_code, title="有用餐冲正待批准", body=body)
        return "awaiting_second_person", order, session.get_one(MealCorrection, order_id)
    asked = session.get_one(MealCorrection, order_id, with_for_update=True, populate_existing=True)
    if asked.requested_by == actor.login_id:
        raise NotAllowed("second_person_needed", "须由另一位管理员批准")
    _carry_out(session, actor, order, asked)
    return "corrected", order, asked


def _must_concern(session: Session, actor: Actor, order: MealOrder) -> set[str | None]:
    """The townships concerned, one of which the actor stewards."""
    canteen_township = places_of(session, [order.canteen_id])[order.canteen_id].township_code
    townships: set[str | None] = {canteen_township}
    if order.diner_id is not None:
        townships.add(session.get_one(Person, order.diner_id).township_code)
    if not any(actor.stewards(township_code) for township_code in townships):
        raise NotAllowed("other_township", "只能冲正本镇街助餐点或用餐对象的用餐", township_code=canteen_township)
    return townships


def _asked_first(session: Session, actor: Actor, order_id: UUID, reason: str) -> bool:
    if not reason.strip():
        raise Refused("reason_needed", "请填写理由", field="reason")
    asked = {
        "order_id": order_id,
        "reason": reason.strip(),
        "requested_by": actor.login_id,
        "requested_by_name": actor.name,
        "requested_at": clock.now(),
    }
    new = insert(MealCorrection).values(asked).on_conflict_do_nothing().returning(MealCorrection.order_id)
    return session.scalar(new) is not None


def _carry_out(session: Session, actor: Actor, order: MealOrder, asked: MealCorrection) -> None:
    release_of(session, [order], state=OrderState.CORRECTED, actor=actor, reason=asked.reason)
    movements = movements_undoing(
        session,
        transfer_ids=[transfer.id for transfer in _to_undo(session, order)],
        reason=asked.reason,
        requested_by=asked.requested_by,
        approved_by=actor,
        origin_of=lambda s, voucher_id: s.get_one(Voucher, voucher_id).origin_id,
    )
    lock_accounts(session, _accounts(movements))
    post_one(session, movements)
    asked.approved_by, asked.approved_by_name, asked.approved_at = actor.login_id, actor.name, clock.now()
    session.flush()
    note_down(session, actor=actor, action="meal_corrected", subject=(CAUSE, order.id), reason=asked.reason)
    place = places_of(session, [order.canteen_id])[order.canteen_id]
    body = f"{order_words(order, place.name)}已冲正，您付的都已退回。理由：{asked.reason}"
    tell_diner(session, order, title="用餐已冲正", body=body)


def _to_undo(session: Session, order: MealOrder) -> Sequence[Transfer]:
    """The shares, and the minutes of the voucher that paid; what was reversed by itself before is left alone."""
    undone = aliased(Transfer)
    voucher = Transfer.kind == REDEMPTION, Transfer.cause_id == order.voucher_id
    query = select(Transfer).where(
        (Transfer.cause_id == order.id) | (voucher[0] & voucher[1]),
        Transfer.reverses_id.is_(None),
        Transfer.link_id.is_(None) | (Transfer.link_id == Transfer.id),
        ~select(undone.id).where(undone.reverses_id == Transfer.id).exists(),
    )
    return session.scalars(query.order_by(Transfer.seq)).all()


def _accounts(movements: Sequence[Movement]) -> set[int]:
    return {account for m in movements for account in (m.from_account_id, m.to_account_id)}
