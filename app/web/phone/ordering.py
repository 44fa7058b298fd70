"""Ordering a meal: choose dishes, see what it costs and who bears it, then order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.phone.acting import policies_for
from app.web.phone.eaters import Eater, day_asked, eater_asked, id_asked
from app.web.phone.menu import MealOfDay, meal_of, most_of
from app.web.screens import filled, screen
from timebank.core import clock

doors = Blueprint("ordering", __name__)

DISH = "dish-"
"""What the fields of a form that count dishes begin with."""


@dataclass(frozen=True, slots=True)
class Table:
    """A meal to be ordered or changed: for whom, where, when, and what there is."""

    whose: Eater
    canteen: dict[str, Any]
    day: date
    meal: MealOfDay


def table_for(ask: Asker, whose: Eater, canteen_id: Any, day: date, meal: str) -> Table:
    """The table of one meal."""
    canteen, of_day = meal_of(ask, whose, id_asked(str(canteen_id)), day, meal)
    return Table(whose, canteen, day, of_day)


def chosen(sent: Mapping[str, str]) -> list[dict[str, Any]]:
    """The dishes that a form names, each with how many."""
    counts = {name.removeprefix(DISH): count for name, count in sent.items() if name.startswith(DISH)}
    items = [(dish, count) for dish, count in counts.items() if count not in ("", "0")]
    return [
        {"menu_item_id": dish, "quantity": int(count) if count.isascii() and count.isdigit() else count}
        for dish, count in items
    ]


def wish(sent: Mapping[str, str]) -> dict[str, Any]:
    """How the meal is wanted, as operations read it."""
    way = sent.get("way", "")
    return {
        "way": way,
        "items": chosen(sent),
        "use_voucher": sent.get("use_voucher", "0"),
        "note": sent.get("note", ""),
        "delivery_address": sent.get("delivery_address", "") if way == "deliver" else "",
        "accept_unsuitable": sent.get("accept_unsuitable", "0"),
    }


def choosing(
    ask: Asker, table: Table, sent: Mapping[str, str], refusal: Refusal | None = None, **more: Any
) -> Response:
    """The form on which dishes are chosen."""
    whose, policies = table.whose, policies_for(ask, table.canteen["township_code"])
    vouchers = ask.read("vouchers.list", {"for_person_id": whose.person_id, "status": "issued", "limit": 1})
    unsuitable = any(dish["unsuitable"] for dish in table.meal.dishes)
    return screen(
        "phone/meal_order.html",
        ask.actor,
        refusal=refusal and _beside_dishes(refusal),
        filled=sent,
        table=table,
        whose=whose,
        most={dish["menu_item_id"]: most_of(dish, policies["order_max_quantity"]) for dish in table.meal.dishes},
        delivers=table.canteen["carrier"] != "nobody",
        has_voucher=bool(vouchers["items"]) or sent.get("use_voucher") == "1",
        unsuitable=unsuitable,
        next_day=table.day + timedelta(days=1),
        **{"order": None, **more},
    )


@page(doors, "/m/meals/order", who="person")
def choose_dishes(ask: Asker) -> Response:
    return choosing(ask, _table_asked(ask), {})


@page(doors, "/m/meals/order", who="person", method="POST")
def price_and_order(ask: Asker) -> Response:
    """The price first; ordered is only from the page that shows it."""
    table, sent = _table_asked(ask), filled()
    if sent.get("step") == "again":
        return choosing(ask, table, sent)
    wanted = {
        **wish(sent),
        "canteen_id": table.canteen["canteen_id"],
        "served_on": table.day.isoformat(),
        "meal": table.meal.meal,
        "for_person_id": table.whose.person_id,
    }
    if sent.get("step") != "order":
        return priced(ask, table, sent, ask.write("orders.price", wanted, key=""))
    answer = ask.write("orders.place", wanted, key=form_key())
    if isinstance(answer, Refusal):
        return choosing(ask, table, sent, answer)
    tell(f"订好了：{answer['meal_name']}，取餐号 {answer['pickup_number']}")
    return go(f"/m/orders/{answer['order_id']}{table.whose.tail}")


def priced(
    ask: Asker, table: Table, sent: Mapping[str, str], asked: Any, order: Mapping[str, Any] | None = None
) -> Response:
    """What a meal will cost, or an ``order`` once it is changed, with the one button that does it."""
    if isinstance(asked, Refusal):
        return choosing(ask, table, sent, asked, order=order)
    counts = {dish["menu_item_id"]: dish["quantity"] for dish in chosen(sent)}
    return screen(
        "phone/meal_price.html",
        ask.actor,
        table=table,
        whose=table.whose,
        order=order,
        asked=asked,
        counts=counts,
        sent={name: value for name, value in sent.items() if name != "step"},
        address=sent.get("delivery_address") or (table.whose.file or {}).get("delivery_address"),
    )


def _table_asked(ask: Asker) -> Table:
    whose, _ = eater_asked(ask)
    day = day_asked(request.args.get("day"), clock.today())
    return table_for(ask, whose, request.args.get("canteen"), day, request.args.get("meal", ""))


def _beside_dishes(refusal: Refusal) -> Refusal:
    """A refusal of one dish is said beside it, and one of all dishes in words for a form."""
    errors = dict(refusal.errors)
    if "menu_item_id" in refusal.facts:
        errors[f"{DISH}{refusal.facts['menu_item_id']}"] = [refusal.title]
    if "items" in errors:
        return replace(refusal, errors={**errors, "items": ["请至少选一样菜"]})
    return replace(refusal, errors=errors)
