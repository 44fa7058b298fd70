"""Undoing what an order has taken: counts, limits, the voucher set aside and the holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session

from timebank.canteens.menus.queries import items_by_ids
from timebank.canteens.orders.actions.counting import (
    count_dishes,
    count_meals,
    give_back_uses,
    lock_meals,
    lock_uses,
)
from timebank.canteens.orders.actions.decided import Before
from timebank.canteens.orders.models import MealOrder, MealOrderItem, OrderSubsidyUse
from timebank.canteens.orders.rules import COUNTED, OrderState, Slot
from timebank.canteens.pricing.rules import UseKey
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.ledger.actions.many_holds import end_holds
from timebank.ledger.models import Hold
from timebank.redemption.actions import take_back_aside


def release_of(
    session: Session,
    orders: Sequence[MealOrder],
    *,
    state: OrderState,
    actor: Actor,
    reason: str = "",
    keep_holds: bool = False,
) -> None:
    """End orders, whose diners and rows the caller has locked, and give back all that was set aside for them.

    Limits of subsidies and vouchers set aside are given back whatever the ``state``; portions only where it says that
    nothing was cooked (cancelled, corrected). With ``keep_holds`` the caller captures or ends the holds afterwards.
    """
    if not orders:
        return
    ids = [order.id for order in orders]
    if state not in COUNTED:
        _uncount(session, [order for order in orders if order.state in COUNTED])
    _return_uses(session, ids)
    take_back_aside(session, ids)
    if not keep_holds:
        end_holds(session, [hold.id for hold in holds_of(session, ids)])
    for order in orders:
        if state is not OrderState.CORRECTED:
            order.ended_at, order.ended_by, order.ended_by_name = clock.now(), actor.login_id, actor.name
        order.state, order.end_reason = state, reason
    session.flush()


def holds_of(session: Session, order_ids: Collection[UUID]) -> Sequence[Hold]:
    """The holds that still stand for these orders: on the purse and on what was given to the canteen."""
    standing = select(Hold).where(Hold.cause_id.in_(order_ids), Hold.state == "placed").order_by(Hold.id)
    return session.scalars(standing.execution_options(populate_existing=True)).all()


def lock_orders(session: Session, order_ids: Collection[UUID]) -> dict[UUID, MealOrder]:
    """Orders by id, locked in the order of their ids and read anew; unknown ids are left out."""
    query = select(MealOrder).where(MealOrder.id.in_(order_ids)).order_by(MealOrder.id)
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return {order.id: order for order in session.scalars(locked)}


def lock_for_release(session: Session, orders: Sequence[MealOrder]) -> set[int]:
    """Lock all that giving these orders up will touch, after their diners and rows, but for vouchers and accounts.

    Answers the accounts on which their holds lie, for whoever locks those in one call with others.
    """
    if not orders:
        return set()
    ids = [order.id for order in orders]
    lock_meals(session, {(order.canteen_id, order.served_on, order.meal) for order in orders})
    items_by_ids(session, {item_id for dishes in _dishes_of(session, orders).values() for item_id in dishes}, lock=True)
    lock_uses(session, _uses_of(session, ids))
    return {hold.account_id for hold in holds_of(session, ids)}


def before_change(session: Session, order: MealOrder) -> Before:
    """What the order's present revision has taken."""
    return Before(
        order=order,
        order_portions=order.portions,
        portions=_dishes_of(session, [order])[order.id],
        uses=_uses_of(session, [order.id]),
        held=_held(session, order.id),
    )


def _uncount(session: Session, orders: Sequence[MealOrder]) -> None:
    if not orders:
        return
    meals: Counter[Slot] = Counter()
    for order in orders:
        meals[order.canteen_id, order.served_on, order.meal] -= order.portions
    dishes: Counter[UUID] = Counter()
    for portions in _dishes_of(session, orders).values():
        dishes.subtract(portions)
    lock_meals(session, meals)
    items_by_ids(session, dishes, lock=True)
    count_meals(session, meals)
    count_dishes(session, dishes)


def _dishes_of(session: Session, orders: Sequence[MealOrder]) -> Mapping[UUID, Counter[UUID]]:
    """Portions by dish, of each order's present revision."""
    present = tuple_(MealOrderItem.order_id, MealOrderItem.revision)
    query = select(MealOrderItem.order_id, MealOrderItem.menu_item_id, MealOrderItem.quantity)
    found: dict[UUID, Counter[UUID]] = defaultdict(Counter)
    for row in session.execute(query.where(present.in_([(order.id, order.revision) for order in orders]))):
        found[row.order_id][row.menu_item_id] += row.quantity
    return found


def _uses_of(session: Session, order_ids: Collection[UUID]) -> Counter[UseKey]:
    use = OrderSubsidyUse
    rows = session.execute(
        select(use.scope, use.scope_id, use.served_on, use.meal, use.rule_key, func.sum(use.fen))
        .where(use.order_id.in_(order_ids), use.fen > 0)
        .group_by(use.scope, use.scope_id, use.served_on, use.meal, use.rule_key)
    )
    return Counter({(row[0], row[1], row[2], row[3], row[4]): int(row[5]) for row in rows})


def _return_uses(session: Session, order_ids: Collection[UUID]) -> None:
    uses = _uses_of(session, order_ids)
    if uses:
        give_back_uses(session, uses)
        had = update(OrderSubsidyUse).where(OrderSubsidyUse.order_id.in_(order_ids), OrderSubsidyUse.fen > 0)
        session.execute(had.values(fen=0), execution_options={"synchronize_session": False})


def _held(session: Session, order_id: UUID) -> Counter[int]:
    held: Counter[int] = Counter()
    for hold in holds_of(session, [order_id]):
        held[hold.account_id] += hold.amount
    return held
