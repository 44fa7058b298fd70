"""Telling diners, and those who act for them, about their meals."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from timebank.canteens.orders.models import MealOrder
from timebank.canteens.pricing.rules import MEAL_NAMES, Meal
from timebank.notifications.actions import notify_person
from timebank.people.queries import people_by_ids, proxies_of_each
from timebank.people.rules import ProxyScope


def order_words(order: MealOrder, canteen_name: str) -> str:
    """``11月23日午餐（西坞食堂，取餐号12）``."""
    return f"{order.served_on:%m月%d日}{MEAL_NAMES[Meal(order.meal)]}（{canteen_name}，取餐号{order.pickup_number}）"


def tell_diner(session: Session, order: MealOrder, *, title: str, body: str, proxies: bool = False) -> None:
    """Tell the diner of one order; see ``tell_diners``."""
    tell_diners(session, [(order, body)], title=title, proxies=proxies)


def tell_diners(session: Session, said: Sequence[tuple[MealOrder, str]], *, title: str, proxies: bool = False) -> None:
    """Tell each order's diner what is said of it, in a fixed number of statements.

    With ``proxies`` also whoever acts for the diner in meals. Guests, and whoever has left, hear nothing.
    """
    diners = people_by_ids(session, {order.diner_id for order, _ in said if order.diner_id is not None})
    acting = proxies_of_each(session, diners, ProxyScope.MEALS) if proxies else {}
    for order, body in said:
        diner = diners.get(order.diner_id) if order.diner_id is not None else None
        if diner is not None and diner.left_at is None:
            for person_id in sorted({diner.id} | acting.get(diner.id, set())):
                notify_person(session, person_id=person_id, title=title, body=body)
