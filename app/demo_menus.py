"""Menus of the demo's canteens: this week and the next, released, the same dishes every day."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.menus import actions
from timebank.canteens.menus.actions import ItemForm
from timebank.canteens.menus.models import Menu
from timebank.canteens.pricing.rules import DietForm, Meal
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import BankError

_LOVE_MEALS = {Meal.LUNCH: ("爱心套餐", 800), Meal.SUPPER: ("爱心面", 600)}
_DISHES: tuple[tuple[str, int, list[str]], ...] = (
    ("红烧肉", 1200, ["大豆"]),
    ("清蒸鱼", 1500, ["鱼类"]),
    ("炒青菜", 500, []),
    ("番茄蛋汤", 400, ["蛋类"]),
)
_FORMS = [str(form) for form in (DietForm.NORMAL, DietForm.SOFT, DietForm.MINCED)]


def demo_menus(session: Session, seeder: Actor, canteen_id: UUID) -> None:
    """Both weeks, where the canteen has none yet; what somebody changed in the demo may stand in the way of them."""
    this_week = clock.today() - timedelta(days=clock.today().weekday())
    for week in (this_week, this_week + timedelta(days=7)):
        known = select(Menu.id).where(Menu.canteen_id == canteen_id, Menu.week_starts_on == week)
        if session.scalar(known) is None:
            with suppress(BankError), session.begin_nested():
                menu = actions.draft_menu(
                    session, actor=seeder, canteen_id=canteen_id, week_starts_on=week, items=_items(week)
                )
                actions.release_menu(session, actor=seeder, menu_id=menu.id)


def _items(week: date) -> list[ItemForm]:
    items = []
    for day in (week + timedelta(days=n) for n in range(7)):
        for meal, (name, price_fen) in _LOVE_MEALS.items():
            items.append(_item(day, meal, name, price_fen, [], is_love_meal=True))
            items += [_item(day, meal, *dish) for dish in _DISHES]
    return items


def _item(
    day: date, meal: str, name: str, price_fen: int, allergens: list[str], *, is_love_meal: bool = False
) -> ItemForm:
    return ItemForm(
        day,
        meal,
        name=name,
        portion="一份",
        price_fen=price_fen,
        is_love_meal=is_love_meal,
        diet_forms=_FORMS,
        allergens=allergens,
        sources="奉化本地菜场",
    )
