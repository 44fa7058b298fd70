"""Menus of the scene, at the clerk's canteen: this week and the next released, the one after that a draft."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from tests.factories.menus import an_item, drafted_menu, item_named, monday_of, released_menu
from tests.factories.people import district
from timebank.canteens.menus.actions import DishForm, enter_dish
from timebank.core import clock


def next_monday() -> date:
    """The Monday after today."""
    return monday_of(clock.today()) + timedelta(days=7)


def add_menus(session: Session, canteen_id: UUID) -> dict[str, UUID]:
    """Ids of menus, of one item of each kind, and of a dish."""
    released_menu(session, canteen_id)
    coming = released_menu(session, canteen_id, next_monday())
    draft = drafted_menu(session, canteen_id, next_monday() + timedelta(days=7))
    dish = enter_dish(session, actor=district(), canteen_id=canteen_id, form=DishForm("豆腐汤", 400, "一碗"))
    return {
        "released": coming.id,
        "draft": draft.id,
        "released_item": item_named(session, coming, "红烧肉"),
        "draft_item": an_item(session, draft, name="没价的鱼", price_fen=None).id,
        "dish": dish.id,
    }
