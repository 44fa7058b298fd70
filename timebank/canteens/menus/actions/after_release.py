"""What may still change in a released menu: price, limit, sold out, withdrawn. Orders made before stay as they are."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.menus.models import Menu, MenuItem, MenuPriceChange
from timebank.canteens.menus.queries import canteen_run_by, items_of, lock_item, love_meal_rules
from timebank.canteens.menus.rules import (
    must_be_released,
    must_be_to_come,
    must_be_unordered,
    must_cover_orders,
    must_keep_enough_love_meals,
    must_not_be_too_dear,
    must_not_be_withdrawn,
)
from timebank.clearing.rules import reason_given
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Refused
from timebank.core.ids import new_id
from timebank.policies.queries import in_force


def change_price(session: Session, *, actor: Actor, menu_item_id: UUID, price_fen: int, reason: str) -> MenuItem:
    """Change a released price, in fen, for orders from now on; who ordered before keeps the price of then.

    Raises NotFound ``menu_item_unknown``; NotAllowed ``menus_not_yours``; Conflict ``menu_not_released``,
    ``item_withdrawn``; Refused ``reason_needed``, ``menu_day_over``, ``price_unchanged``, ``love_meal_too_dear``.
    """
    _, item = _own_item(session, actor, menu_item_id)
    said = reason_given(reason)
    assert item.price_fen is not None
    if price_fen == item.price_fen:
        raise Refused("price_unchanged", f"“{item.name}”现在就是这个价格", price_fen=price_fen)
    limits = love_meal_rules(session, in_force(session, at=clock.now()), item.canteen_id)
    must_not_be_too_dear(item.name, price_fen, is_love_meal=item.is_love_meal, love_meals=limits)
    last = select(func.coalesce(func.max(MenuPriceChange.number), 0)).where(MenuPriceChange.menu_item_id == item.id)
    session.add(
        MenuPriceChange(
            id=new_id(),
            menu_item_id=item.id,
            number=session.scalars(last).one() + 1,
            old_price_fen=item.price_fen,
            new_price_fen=price_fen,
            reason=said,
            changed_at=clock.now(),
            changed_by=actor.login_id,
            changed_by_name=actor.name,
        )
    )
    # The history first: the database lets no price change that has none.
    session.flush()
    item.price_fen = price_fen
    session.flush()
    return item


def limit_portions(session: Session, *, actor: Actor, menu_item_id: UUID, limit: int | None) -> MenuItem:
    """Set how many portions can be ordered; None takes the limit away.

    Raises NotFound ``menu_item_unknown``; NotAllowed ``menus_not_yours``; Conflict ``menu_not_released``,
    ``item_withdrawn``; Refused ``menu_day_over``, ``limit_below_ordered``.
    """
    _, item = _own_item(session, actor, menu_item_id)
    must_cover_orders(item.name, limit, item.portions_ordered)
    item.portions_limit = limit
    session.flush()
    return item


def mark_sold_out(session: Session, *, actor: Actor, menu_item_id: UUID) -> MenuItem:
    """Take no more orders for an item 售完; said twice it stays as it was said first.

    Raises NotFound ``menu_item_unknown``; NotAllowed ``menus_not_yours``; Conflict ``menu_not_released``,
    ``item_withdrawn``; Refused ``menu_day_over``.
    """
    _, item = _own_item(session, actor, menu_item_id)
    item.sold_out_at = item.sold_out_at or clock.now()
    session.flush()
    return item


def put_on_sale(session: Session, *, actor: Actor, menu_item_id: UUID) -> MenuItem:
    """Take orders again for an item that was sold out 恢复供应; the same refusals."""
    _, item = _own_item(session, actor, menu_item_id)
    item.sold_out_at = None
    session.flush()
    return item


def withdraw_item(session: Session, *, actor: Actor, menu_item_id: UUID, reason: str) -> MenuItem:
    """Take an item that nobody ordered off a released menu for good 撤下; enough love meals have to remain that day.

    Raises NotFound ``menu_item_unknown``; NotAllowed ``menus_not_yours``; Conflict ``menu_not_released``,
    ``item_withdrawn``, ``item_ordered``; Refused ``reason_needed``, ``menu_day_over``, ``love_meals_too_few``.
    """
    menu, item = _own_item(session, actor, menu_item_id)
    said = reason_given(reason)
    must_be_unordered(item.name, item.portions_ordered)
    if item.is_love_meal:
        others = [one for one in items_of(session, menu.id) if one.is_love_meal and one.id != item.id]
        left = sum(one.served_on == item.served_on for one in others)
        limits = love_meal_rules(session, in_force(session, at=clock.now()), item.canteen_id)
        must_keep_enough_love_meals(left, item.served_on, limits)
    item.withdrawn_at = clock.now()
    session.flush()
    note_down(session, actor=actor, action="menu_item_withdrawn", subject=("menu_item", item.id), reason=said)
    return item


def _own_item(session: Session, actor: Actor, menu_item_id: UUID) -> tuple[Menu, MenuItem]:
    """The item of a released menu, locked, that this actor may change and that can still be ordered some day."""
    menu, item = lock_item(session, menu_item_id)
    canteen_run_by(session, actor, menu.canteen_id)
    must_be_released(menu.state)
    must_not_be_withdrawn(item.name, withdrawn=item.withdrawn_at is not None)
    must_be_to_come(item.served_on, clock.today())
    return menu, item
