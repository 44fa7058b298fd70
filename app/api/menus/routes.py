"""Weekly menus: seeing them, writing drafts, releasing them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.fields import PageQuery, numbers_in_cursor
from app.api.menus.places import day_in_cursor, days_asked, in_cursor, place_in_cursor
from app.api.menus.schemas import (
    CopyMenuBody,
    DraftMenuBody,
    MenuAnswer,
    MenuItemAnswer,
    MenuItemBody,
    MenuItemPage,
    MenuPage,
    MenusQuery,
    PriceChangePage,
    ShowMenuQuery,
)
from app.api.operation import operation, page
from app.api.parser import Doors
from timebank.canteens.menus import actions, views
from timebank.canteens.menus.actions import ItemForm
from timebank.canteens.menus.models import Menu
from timebank.canteens.menus.rules import STATE_NAMES
from timebank.canteens.menus.views import ItemView, MenuView
from timebank.canteens.pricing.rules import DIET_FORM_NAMES, MEAL_NAMES, DietForm, Meal
from timebank.core.actors import Actor

doors = Doors("menus", __name__, url_prefix="/api/v1/menus", description="菜单")


@operation(doors, "", "menus.show", "菜单", query=ShowMenuQuery, answers=MenuItemPage)
def show(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    first, last = days_asked(query)
    after, limit = place_in_cursor(query.get("cursor")), query["limit"]
    found = views.items_between(
        session, actor=actor, canteen_id=query["canteen_id"], first=first, last=last, limit=limit + 1, after=after
    )
    answer = page(found, limit, lambda view: in_cursor(view.place))
    return {**answer, "items": [shown_item(view) for view in answer["items"]]}


@operation(doors, "/weeks", "menus.weeks", "各周菜单", query=MenusQuery, answers=MenuPage)
def weeks(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    before, limit = day_in_cursor(query.get("cursor")), query["limit"]
    found = views.menus_of(session, actor=actor, canteen_id=query["canteen_id"], limit=limit + 1, before=before)
    answer = page(found, limit, lambda view: [view.menu.week_starts_on.toordinal()])
    return {**answer, "items": [shown_menu(view) for view in answer["items"]]}


@operation(doors, "/<uuid:menu_id>", "menus.week", "一周菜单概况", answers=MenuAnswer)
def week(session: Session, actor: Actor, menu_id: UUID) -> dict[str, Any]:
    return shown_menu(views.menu_for(session, actor=actor, menu_id=menu_id))


@operation(
    doors, "/draft", "menus.draft", "编制一周菜单草稿",
    method="PUT", body=DraftMenuBody, answers=MenuAnswer, key="optional",
)  # fmt: skip
def draft(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    items = [ItemForm(**one) for one in body.pop("entries")]
    return _menu(session, actions.draft_menu(session, actor=actor, **body, items=items))


@operation(
    doors, "/copy", "menus.copy", "复制菜单",
    method="POST", body=CopyMenuBody, answers=MenuAnswer, status=201, key="optional",
)  # fmt: skip
def copy(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return _menu(session, actions.copy_menu(session, actor=actor, **body))


@operation(
    doors, "/<uuid:menu_id>/release", "menus.release", "发布菜单", method="POST", answers=MenuAnswer, key="optional"
)  # fmt: skip
def release(session: Session, actor: Actor, menu_id: UUID) -> dict[str, Any]:
    return _menu(session, actions.release_menu(session, actor=actor, menu_id=menu_id))


@operation(
    doors, "/<uuid:menu_id>/items", "menus.add_item", "添加菜品到菜单",
    method="POST", body=MenuItemBody, answers=MenuItemAnswer, status=201, key="optional",
)  # fmt: skip
def add_item(session: Session, actor: Actor, body: dict[str, Any], menu_id: UUID) -> dict[str, Any]:
    item = actions.add_item(session, actor=actor, menu_id=menu_id, form=ItemForm(**body))
    return shown_item(views.see_item(session, item))


@operation(
    doors, "/items/<uuid:menu_item_id>", "menus.change_item", "更改草稿中的菜",
    method="PUT", body=MenuItemBody, answers=MenuItemAnswer, key="optional",
)  # fmt: skip
def change_item(session: Session, actor: Actor, body: dict[str, Any], menu_item_id: UUID) -> dict[str, Any]:
    item = actions.change_item(session, actor=actor, menu_item_id=menu_item_id, form=ItemForm(**body))
    return shown_item(views.see_item(session, item))


@operation(
    doors, "/items/<uuid:menu_item_id>/remove", "menus.remove_item", "从草稿中删去",
    method="POST", answers=MenuAnswer, key="optional",
)  # fmt: skip
def remove_item(session: Session, actor: Actor, menu_item_id: UUID) -> dict[str, Any]:
    return _menu(session, actions.remove_item(session, actor=actor, menu_item_id=menu_item_id))


@operation(
    doors, "/items/<uuid:menu_item_id>/price-changes", "menus.price_changes", "价格变动",
    query=PageQuery, answers=PriceChangePage,
)  # fmt: skip
def price_changes(session: Session, actor: Actor, query: dict[str, Any], menu_item_id: UUID) -> dict[str, Any]:
    place, limit = numbers_in_cursor(query.get("cursor"), 1), query["limit"]
    before = place[0] if place else None
    found = views.price_changes(session, actor=actor, menu_item_id=menu_item_id, limit=limit + 1, before=before)
    return page(found, limit, lambda change: [change.number])


def shown_item(view: ItemView) -> dict[str, Any]:
    """One item with its names in Chinese."""
    return {
        "item": view.item,
        "state": view.state,
        "state_name": STATE_NAMES[view.state],
        "meal_name": MEAL_NAMES[Meal(view.item.meal)],
        "diet_form_names": [DIET_FORM_NAMES[DietForm(form)] for form in view.item.diet_forms],
        "portions_left": view.portions_left,
        "on_offer": view.on_offer,
    }


def shown_menu(view: MenuView) -> dict[str, Any]:
    """One week with its names in Chinese."""
    counts = {"items": view.items, "love_meals": view.love_meals}
    return {"menu": view.menu, "state_name": STATE_NAMES[view.menu.state], **counts}


def _menu(session: Session, menu: Menu) -> dict[str, Any]:
    return shown_menu(views.see_menu(session, menu))
