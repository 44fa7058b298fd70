"""Menus for tests: dishes, and a week of items, drafted or released."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.lists import workbook
from timebank.canteens.menus.models import Menu, MenuItem
from timebank.canteens.pricing.rules import DietForm, Meal
from timebank.core import clock
from timebank.core.ids import new_id

LOVE_MEALS = {"爱心套餐": 600, "家常爱心饭": 800}
DISHES = {"红烧肉": 1200, "清蒸鱼": 1500, "炒青菜": 500}


def monday_of(day: date) -> date:
    """The Monday of the week in which ``day`` lies."""
    return day - timedelta(days=day.weekday())


def drafted_menu(session: Session, canteen_id: UUID, week_starts_on: date | None = None) -> Menu:
    """An empty draft of a week, this week's by default."""
    menu = Menu(
        id=new_id(),
        canteen_id=canteen_id,
        week_starts_on=week_starts_on or monday_of(clock.today()),
        state="draft",
        drafted_at=clock.now(),
        drafted_by=new_id(),
        drafted_by_name="沈师傅",
    )
    session.add(menu)
    session.flush()
    return menu


def an_item(
    session: Session,
    menu: Menu,
    served_on: date | None = None,
    meal: str = Meal.LUNCH,
    *,
    name: str = "红烧肉",
    price_fen: int | None = 1200,
    is_love_meal: bool = False,
    diet_forms: Sequence[str] = (DietForm.NORMAL,),
    diet_tags: Sequence[str] = (),
    allergens: Sequence[str] = (),
    portions_limit: int | None = None,
) -> MenuItem:
    """One dish at one meal of the menu's week, on its Monday by default; also of a menu that is released."""
    item = MenuItem(
        id=new_id(),
        menu_id=menu.id,
        canteen_id=menu.canteen_id,
        served_on=served_on or menu.week_starts_on,
        meal=meal,
        name=name,
        portion="一份",
        price_fen=price_fen,
        is_love_meal=is_love_meal,
        diet_forms=list(diet_forms),
        diet_tags=list(diet_tags),
        allergens=list(allergens),
        sources="本地菜场",
        portions_limit=portions_limit,
        portions_ordered=0,
    )
    session.add(item)
    session.flush()
    return item


def released_menu(
    session: Session,
    canteen_id: UUID,
    week_starts_on: date | None = None,
    *,
    meals: Sequence[str] = (Meal.LUNCH, Meal.SUPPER),
    portions_limit: int | None = None,
) -> Menu:
    """A released week, this week's by default: two love meals and three dishes at each of ``meals`` every day.

    Written as rows, so that it needs nothing but the canteen: neither hours nor that it is open.
    """
    menu = drafted_menu(session, canteen_id, week_starts_on)
    for day in range(7):
        for meal in meals:
            for name, price_fen in (LOVE_MEALS | DISHES).items():
                an_item(
                    session,
                    menu,
                    menu.week_starts_on + timedelta(days=day),
                    meal,
                    name=name,
                    price_fen=price_fen,
                    is_love_meal=name in LOVE_MEALS,
                    portions_limit=portions_limit,
                )
    menu.state, menu.released_at, menu.released_by_name = "released", clock.now(), "沈师傅"
    session.flush()
    return menu


def item_named(session: Session, menu: Menu, name: str, served_on: date | None = None, meal: str = Meal.LUNCH) -> UUID:
    """The id of one of the menu's items, of its Monday by default."""
    day = served_on or menu.week_starts_on
    query = select(MenuItem.id).where(
        MenuItem.menu_id == menu.id, MenuItem.served_on == day, MenuItem.meal == meal, MenuItem.name == name
    )
    return session.scalars(query).one()


HEADING = ("日期", "餐次", "菜名", "份量", "单价（元）", "爱心餐", "形态", "标签", "过敏原", "食材来源", "限量")
"""The headings of a menu's workbook."""


def a_row(
    served_on: object, meal: str = "午餐", name: str = "红烧肉", price: object = 12, **other: object
) -> list[object]:
    """A row of a menu's workbook; other cells by their heading."""
    cells = {"日期": served_on, "餐次": meal, "菜名": name, "单价（元）": price, **other}
    return [cells.get(heading) for heading in HEADING]


def menu_workbook(rows: Sequence[Sequence[object]], *, sheet: str = "菜单") -> bytes:
    """A menu's workbook."""
    return workbook(rows, HEADING, sheet)
