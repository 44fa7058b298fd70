"""Finding and locking dishes, menus and their items; what orders ask of menus."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.menus.models import Menu, MenuDish, MenuItem
from timebank.canteens.menus.rules import LoveMealRules, may_run_menus, must_run_menus
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.queries import canteen_here, organisation_of
from timebank.core.actors import Actor, StaffRole
from timebank.core.errors import NotFound
from timebank.policies.rules import PolicyBook


def items_by_ids(session: Session, ids: Collection[UUID], *, lock: bool = False) -> dict[UUID, MenuItem]:
    """Items of released menus by id, withdrawn ones too; with ``lock`` nobody else changes them meanwhile.

    Drafts are left out: nobody orders them. Locked in the order of their ids.
    """
    query = (
        select(MenuItem)
        .join(Menu, Menu.id == MenuItem.menu_id)
        .where(MenuItem.id.in_(ids), Menu.state == "released")
        .order_by(MenuItem.id)
    )
    if lock:
        query = query.with_for_update(of=MenuItem, key_share=True).execution_options(populate_existing=True)
    return {item.id: item for item in session.scalars(query)}


def items_on(session: Session, canteen_id: UUID, served_on: date, meal: str) -> list[MenuItem]:
    """What a canteen offers at one meal: items released and not withdrawn, love meals first, then by name."""
    query = (
        select(MenuItem)
        .join(Menu, Menu.id == MenuItem.menu_id)
        .where(MenuItem.canteen_id == canteen_id, MenuItem.served_on == served_on, MenuItem.meal == meal)
        .where(Menu.state == "released", MenuItem.withdrawn_at.is_(None))
        .order_by(MenuItem.is_love_meal.desc(), MenuItem.name)
    )
    return list(session.scalars(query))


def canteen_run_by(session: Session, actor: Actor, canteen_id: UUID) -> Canteen:
    """A canteen whose menus this actor writes. Raises NotFound ``canteen_unknown``; NotAllowed ``menus_not_yours``."""
    canteen, organisation = canteen_here(session, canteen_id), organisation_of(session, canteen_id)
    must_run_menus(
        actor, canteen_id=canteen_id, kitchen_id=canteen.kitchen_id, township_code=organisation.township_code
    )
    return canteen


def sees_drafts(session: Session, actor: Actor, canteen_id: UUID) -> bool:
    """Whether this actor sees a canteen's drafts: who writes them, and auditors.

    Raises NotFound ``canteen_unknown``.
    """
    canteen, organisation = canteen_here(session, canteen_id), organisation_of(session, canteen_id)
    return actor.staff_role is StaffRole.AUDITOR or may_run_menus(
        actor, canteen_id=canteen_id, kitchen_id=canteen.kitchen_id, township_code=organisation.township_code
    )


def love_meal_rules(session: Session, policies: PolicyBook, canteen_id: UUID) -> LoveMealRules:
    """What the canteen's township asks of love meals."""
    township_code = organisation_of(session, canteen_id).township_code
    return LoveMealRules(
        least_per_day=policies.whole("love_meals_min_per_day", township_code),
        most_fen=policies.whole("love_meal_max_fen", township_code),
    )


def menu_unknown(**facts: UUID | date) -> NotFound:
    """The refusal for a menu that is not there, or nobody's business of the asker."""
    return NotFound("menu_unknown", "没有这份菜单", detail=None, **facts)


def item_unknown(menu_item_id: UUID) -> NotFound:
    """The refusal for an item of a menu that is not there."""
    return NotFound("menu_item_unknown", "菜单上没有这道菜", menu_item_id=menu_item_id)


def dish_unknown(dish_id: UUID) -> NotFound:
    """The refusal for a dish that is not in the canteen's book."""
    return NotFound("dish_unknown", "没有这道菜品", dish_id=dish_id)


def menu_of_week(session: Session, canteen_id: UUID, week_starts_on: date) -> Menu:
    """A canteen's menu of one week. Raises NotFound ``menu_unknown``."""
    query = select(Menu).where(Menu.canteen_id == canteen_id, Menu.week_starts_on == week_starts_on)
    found = session.scalar(query)
    if found is None:
        raise menu_unknown(canteen_id=canteen_id, week_starts_on=week_starts_on)
    return found


def lock_menu(session: Session, menu_id: UUID) -> Menu:
    """One menu, nobody else writing it until the unit of work ends. Raises NotFound ``menu_unknown``."""
    query = select(Menu).where(Menu.id == menu_id).with_for_update(key_share=True)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise menu_unknown(menu_id=menu_id)
    return found


def lock_item(session: Session, menu_item_id: UUID) -> tuple[Menu, MenuItem]:
    """One item and, before it, its menu, both locked. Raises NotFound ``menu_item_unknown``."""
    menu_id = session.scalar(select(MenuItem.menu_id).where(MenuItem.id == menu_item_id))
    if menu_id is None:
        raise item_unknown(menu_item_id)
    menu = lock_menu(session, menu_id)
    query = select(MenuItem).where(MenuItem.id == menu_item_id).with_for_update(key_share=True)
    item = session.scalar(query.execution_options(populate_existing=True))
    if item is None:
        # Taken out of the draft while the menu was waited for.
        raise item_unknown(menu_item_id)
    return menu, item


def lock_dish(session: Session, dish_id: UUID) -> MenuDish:
    """One dish, nobody else changing it. Raises NotFound ``dish_unknown``."""
    query = select(MenuDish).where(MenuDish.id == dish_id).with_for_update(key_share=True)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise dish_unknown(dish_id)
    return found


def items_of(session: Session, menu_id: UUID) -> Sequence[MenuItem]:
    """All items of a menu that are not withdrawn."""
    query = select(MenuItem).where(MenuItem.menu_id == menu_id, MenuItem.withdrawn_at.is_(None))
    return session.scalars(query.order_by(MenuItem.served_on, MenuItem.meal, MenuItem.name)).all()
