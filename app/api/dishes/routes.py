"""A canteen's book of dishes: list, enter, change, archive."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.dishes.schemas import DishAnswer, DishBody, DishesQuery, DishPage, EnterDishBody
from app.api.fields import id_in_cursor
from app.api.operation import operation, page
from app.api.parser import Doors
from timebank.canteens.menus import actions, views
from timebank.canteens.menus.actions import DishForm
from timebank.canteens.menus.models import MenuDish
from timebank.core.actors import Actor

doors = Doors("dishes", __name__, url_prefix="/api/v1/dishes", description="菜品")


@operation(doors, "", "dishes.list", "菜品列表", query=DishesQuery, answers=DishPage)
def list_dishes(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    after, limit = id_in_cursor(query.pop("cursor", None)), query.pop("limit")
    found = views.dishes_of(session, actor=actor, **query, limit=limit + 1, after=after)
    return page(found, limit, lambda dish: dish.id)


@operation(
    doors, "", "dishes.enter", "登记菜品",
    method="POST", body=EnterDishBody, answers=DishAnswer, status=201, key="optional",
)  # fmt: skip
def enter(session: Session, actor: Actor, body: dict[str, Any]) -> MenuDish:
    canteen_id = body.pop("canteen_id")
    return actions.enter_dish(session, actor=actor, canteen_id=canteen_id, form=DishForm(**body))


@operation(
    doors, "/<uuid:dish_id>", "dishes.change", "更改菜品",
    method="PUT", body=DishBody, answers=DishAnswer, key="optional",
)  # fmt: skip
def change(session: Session, actor: Actor, body: dict[str, Any], dish_id: UUID) -> MenuDish:
    return actions.change_dish(session, actor=actor, dish_id=dish_id, form=DishForm(**body))


@operation(
    doors, "/<uuid:dish_id>/archive", "dishes.archive", "停用菜品",
    method="POST", answers=DishAnswer, key="optional",
)  # fmt: skip
def archive(session: Session, actor: Actor, dish_id: UUID) -> MenuDish:
    return actions.archive_dish(session, actor=actor, dish_id=dish_id)
