"""The kitchen's day at the counter: what to cook for the next meals, what goes where, and that a meal is cooked."""

from __future__ import annotations

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.counter.meals import MEALS
from app.web.doors import form_key, go, page
from app.web.kitchen import kitchen_seen, kitchen_workbook, path_of, which_meal
from app.web.screens import clock_text, screen

doors = Blueprint("counter_kitchen", __name__)

KITCHEN = "/counter/kitchen"


@page(doors, KITCHEN, who="clerk")
def kitchen(ask: Asker) -> Response:
    return _drawn(ask)


@page(doors, f"{KITCHEN}/workbook.xlsx", who="clerk")
def workbook(ask: Asker) -> Response:
    return kitchen_workbook(ask, _wanted(ask))


@page(doors, f"{KITCHEN}/cooked", who="clerk", method="POST")
def cooked(ask: Asker) -> Response:
    wanted = _wanted(ask)
    batch = ask.write("kitchen.cooked", wanted, key=form_key())
    if isinstance(batch, Refusal):
        return _drawn(ask, batch)
    tell(f"{MEALS[batch['meal']]} {clock_text(batch['cooked_at'])} 出餐，已登记")
    return go(path_of(KITCHEN, wanted))


def _wanted(ask: Asker) -> dict[str, str]:
    day = ask.read("meal_counter.today")
    return which_meal(day["canteen_id"], on=day["on_day"], meal=day["meal_now"])


def _drawn(ask: Asker, refusal: Refusal | None = None) -> Response:
    seen = kitchen_seen(ask, _wanted(ask))
    return screen("counter/kitchen.html", ask.actor, refusal=refusal, address=KITCHEN, works_here=True, **seen)
