"""Released menus: what is on offer today near somebody; price, portions, sold out, withdrawn."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.menus.routes import doors, shown_item
from app.api.menus.schemas import MenuItemAnswer, PortionsBody, PriceBody, TodayPage, TodayQuery, WithdrawBody
from app.api.operation import operation, page_of_all
from timebank.canteens.menus import actions, views
from timebank.canteens.menus.models import MenuItem
from timebank.canteens.menus.views import TodayView
from timebank.canteens.network.rules import must_be_near
from timebank.core import clock
from timebank.core.actors import Actor

_OF_THE_CANTEEN = ("canteen_id", "canteen_name", "township_code", "address", "distance_m")


@operation(doors, "/today", "menus.today", "附近今天供应什么", query=TodayQuery, answers=TodayPage)
def today(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    latitude, longitude = query.get("latitude"), query.get("longitude")
    must_be_near(latitude, longitude, None)
    near = None if latitude is None or longitude is None else (latitude, longitude)
    where = {"meal": query.get("meal"), "township_code": query.get("township_code")}
    answer = page_of_all(views.offered_on(session, day=clock.today(), near=near, **where), query)
    return {**answer, "items": [_offer(view) for view in answer["items"]]}


@operation(
    doors, "/items/<uuid:menu_item_id>/price", "menus.change_price", "更改已发布的价格",
    method="POST", body=PriceBody, answers=MenuItemAnswer, key="required",
)  # fmt: skip
def change_price(session: Session, actor: Actor, body: dict[str, Any], menu_item_id: UUID) -> dict[str, Any]:
    return _item(session, actions.change_price(session, actor=actor, menu_item_id=menu_item_id, **body))


@operation(
    doors, "/items/<uuid:menu_item_id>/portions", "menus.limit_portions", "限量",
    method="POST", body=PortionsBody, answers=MenuItemAnswer, key="required",
)  # fmt: skip
def limit_portions(session: Session, actor: Actor, body: dict[str, Any], menu_item_id: UUID) -> dict[str, Any]:
    limit = body["portions_limit"]
    return _item(session, actions.limit_portions(session, actor=actor, menu_item_id=menu_item_id, limit=limit))


@operation(
    doors, "/items/<uuid:menu_item_id>/sold-out", "menus.sold_out", "售完",
    method="POST", answers=MenuItemAnswer, key="required",
)  # fmt: skip
def sold_out(session: Session, actor: Actor, menu_item_id: UUID) -> dict[str, Any]:
    return _item(session, actions.mark_sold_out(session, actor=actor, menu_item_id=menu_item_id))


@operation(
    doors, "/items/<uuid:menu_item_id>/on-sale", "menus.on_sale", "恢复供应",
    method="POST", answers=MenuItemAnswer, key="required",
)  # fmt: skip
def on_sale(session: Session, actor: Actor, menu_item_id: UUID) -> dict[str, Any]:
    return _item(session, actions.put_on_sale(session, actor=actor, menu_item_id=menu_item_id))


@operation(
    doors, "/items/<uuid:menu_item_id>/withdraw", "menus.withdraw_item", "撤下",
    method="POST", body=WithdrawBody, answers=MenuItemAnswer, key="required",
)  # fmt: skip
def withdraw_item(session: Session, actor: Actor, body: dict[str, Any], menu_item_id: UUID) -> dict[str, Any]:
    return _item(session, actions.withdraw_item(session, actor=actor, menu_item_id=menu_item_id, **body))


def _item(session: Session, item: MenuItem) -> dict[str, Any]:
    return shown_item(views.see_item(session, item))


def _offer(view: TodayView) -> dict[str, Any]:
    return {
        **{name: getattr(view, name) for name in _OF_THE_CANTEEN},
        "dishes": [shown_item(item) for item in view.items],
    }
