"""Meals that nobody collected 未取餐: the elder's own share is charged by policy, everything else is given back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.counter.actions.serve import diners_now
from timebank.canteens.counter.actions.shares import meal_accounts
from timebank.canteens.counter.long_over import ends_at
from timebank.canteens.counter.rules import MISSED, charge_of_missed
from timebank.canteens.network.queries import organisation_of
from timebank.canteens.orders.actions import holds_of, release_of
from timebank.canteens.orders.actions.cancel_orders import lock_for_ending
from timebank.canteens.orders.actions.telling import order_words, tell_diner
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import CAUSE, OrderState
from timebank.canteens.pricing.rules import Way
from timebank.core import clock
from timebank.core.actors import SYSTEM
from timebank.core.amounts import yuan_text
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.actions.many_holds import capture_holds
from timebank.ledger.holding import Capture
from timebank.ledger.models import Hold
from timebank.ledger.rules import AccountKind, Movement
from timebank.policies.queries import in_force


def orders_missed(session: Session, *, limit: int) -> list[UUID]:
    """Orders still waiting long enough after their meal, the oldest first; deliveries end otherwise."""
    policies = in_force(session, at=clock.now())
    of = MealOrder
    over = ends_at(of.canteen_id, of.served_on, of.meal, policies=policies, key="missed_after_minutes")
    query = select(of.id).where(of.state == OrderState.PLACED, of.way != Way.DELIVER, of.served_on <= clock.today())
    return list(session.scalars(query.where(over <= clock.now()).order_by(over, of.id).limit(limit)))


def mark_missed(session: Session, *, order_id: UUID) -> bool:
    """Mark one order as not collected, and tell the diner; False where it was collected or ended meanwhile.

    Of the elder's share in the purse the policy's part is charged, of somebody reported dead nothing; the government
    is asked for nothing, gifts and the voucher go back.
    """
    order = lock_for_ending(session, [order_id]).get(order_id)
    if order is None or order.state != OrderState.PLACED:
        return False
    place = organisation_of(session, order.canteen_id)
    policies = in_force(session, at=clock.now())
    release_of(session, [order], state=OrderState.MISSED, actor=SYSTEM, reason="没有来取", keep_holds=True)
    percent = policies.whole("meal_missed_charge_percent", place.township_code)
    charged = charge(session, order, own_part(session, order, percent), policies.version, note="没有来取")
    said = f"按规定收取您本人应付的{yuan_text(charged)}" if charged else "没有收费"
    back = "，用餐券已退回" if order.voucher_id is not None else ""
    body = f"{order_words(order, place.name)}没有来取，{said}{back}。吃不了请在截止时间以前取消。"
    tell_diner(session, order, title="订餐没有来取", body=body, proxies=True)
    return True


def own_part(session: Session, order: MealOrder, percent: int) -> int:
    """What of the elder's share in the purse is charged, in fen; nothing while the diner's death is reported.

    Such a meal is not handed over, so that nobody can come for it.
    """
    if any(someone.death_reported_at is not None for someone in diners_now(session, [order]).values()):
        return 0
    return charge_of_missed(order.elder_fen - order.cash_fen, percent)


def charge(session: Session, order: MealOrder, fen: int, policy_version: int, *, note: str) -> int:
    """Capture what is charged out of the purse and release all else; answers what was charged, in fen."""
    accounts = meal_accounts(session, [order], {})
    holds = holds_of(session, [order.id])
    purse = accounts.purses[order.diner_id] if order.diner_id is not None else None
    taken = _taken(holds, purse, fen)
    posting = (
        (
            Movement(
                id=new_id(),
                from_account_id=purse,
                to_account_id=accounts.of_canteens[AccountKind.CANTEEN][order.canteen_id],
                amount=sum(taken.values()),
                kind=MISSED,
                effective_at=clock.now(),
                cause_kind=CAUSE,
                cause_id=order.id,
                note=note,
                policy_version=policy_version,
            ),
        )
        if purse is not None and sum(taken.values()) > 0
        else ()
    )
    result = capture_holds(session, [Capture(taken, posting)])[0]
    if isinstance(result, BankError):
        raise RuntimeError(f"what an order holds could not be charged: {result}")
    return sum(taken.values())


def _taken(holds: Sequence[Hold], purse: int | None, fen: int) -> dict[UUID, int]:
    """How much of each hold is charged: of those on the purse, until ``fen`` are reached; a hold that ran out is."""
    taken = {}
    for hold in holds:
        part = min(fen, hold.amount) if hold.account_id == purse else 0
        taken[hold.id], fen = part, fen - part
    return taken
