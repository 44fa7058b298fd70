"""Changing an order before the cut-off 改餐: a new revision, undone and placed anew in one unit of work."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.orders.actions.cancel_orders import must_concern
from timebank.canteens.orders.actions.decided import Before
from timebank.canteens.orders.actions.judge_orders import Table
from timebank.canteens.orders.actions.lay_table import lay_table, lock_households
from timebank.canteens.orders.actions.place_orders import Quote, quoted
from timebank.canteens.orders.actions.release import before_change, holds_of, lock_orders
from timebank.canteens.orders.actions.telling import order_words, tell_diner
from timebank.canteens.orders.actions.write_orders import write_orders
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import OrderWanted, must_be_before, must_be_placed, order_unknown
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import BankError
from timebank.ledger.actions.many_holds import end_holds
from timebank.people.queries import spoken_name
from timebank.redemption.actions import take_back_aside


@dataclass(frozen=True, slots=True)
class OrderChange:
    """How the meal is wanted now; canteen, day and meal stay, or it is another order."""

    way: str
    items: tuple[tuple[UUID, int], ...]
    use_voucher: bool = False
    note: str = ""
    delivery_address: str | None = None
    accept_unsuitable: bool = False


def change_order(session: Session, *, actor: Actor, order_id: UUID, change: OrderChange) -> MealOrder:
    """Change what was ordered, at the prices and rules of now; it keeps its pickup number.

    Where the new wish is refused the order stands as it did. Raises NotFound ``order_unknown``; Conflict
    ``order_ended``; Refused ``cut_off_passed``, and what placing it would refuse.
    """
    diner_id = session.scalar(select(MealOrder.diner_id).where(MealOrder.id == order_id))
    if diner_id is None:
        raise order_unknown(order_id)
    lock_households(session, {diner_id})
    order = lock_orders(session, [order_id])[order_id]
    wanted = _wanted(order, change)
    table = lay_table(session, actor=actor, wanted=[wanted], changing=order)
    before = _given_back(session, table, order, diner_id)
    decided = table.judge_one(wanted, before)
    if isinstance(decided, BankError):
        raise decided
    take_back_aside(session, [order_id])
    end_holds(session, [hold.id for hold in holds_of(session, [order_id])])
    write_orders(session, table, [decided])
    if table.rights.is_staff:
        note_down(
            session, actor=actor, action="meal_changed", subject=("meal_order", order.id), revision=order.revision
        )
    if actor.person_id != diner_id:
        place = table.places[order.canteen_id].organisation
        body = f"{spoken_name(actor, table.people[diner_id])}改了您的{order_words(order, place.name)}。"
        tell_diner(session, order, title="订餐已改", body=body)
    return order


def quote_change(session: Session, *, actor: Actor, order_id: UUID, change: OrderChange) -> Quote:
    """What the meal would cost if it were changed now; nothing is taken or locked, and the order stands as it is.

    The purse has again what the order holds. Raises what ``quote`` and ``change_order`` raise.
    """
    order = session.get(MealOrder, order_id)
    if order is None or order.diner_id is None:
        raise order_unknown(order_id)
    wanted = _wanted(order, change)
    table = lay_table(session, actor=actor, wanted=[wanted], lock=False, changing=order)
    before = _given_back(session, table, order, order.diner_id)
    return quoted(table, wanted, before)


def _given_back(session: Session, table: Table, order: MealOrder, diner_id: UUID) -> Before:
    """What the order has taken, back on the table; for an order that the actor may change now.

    Raises NotFound ``order_unknown``; NotAllowed ``proxy_scope_missing``; Conflict ``order_ended``; Refused
    ``cut_off_passed``.
    """
    must_concern(table.rights, order, order.id, table.people[diner_id], table.places[order.canteen_id].organisation)
    must_be_placed(order.id, order.state)
    # As it was promised: its round may have been planned since, whatever policy says now.
    must_be_before(order.cut_off_at, clock.now())
    before = before_change(session, order)
    table.put_back(before)
    return before


def _wanted(order: MealOrder, change: OrderChange) -> OrderWanted:
    return OrderWanted(
        diner_id=order.diner_id,
        canteen_id=order.canteen_id,
        served_on=order.served_on,
        meal=order.meal,
        way=change.way,
        items=change.items,
        use_voucher=change.use_voucher,
        note=change.note,
        delivery_address=change.delivery_address,
        source=order.source,
        standing_order_id=order.standing_order_id,
        accept_unsuitable=change.accept_unsuitable,
    )
