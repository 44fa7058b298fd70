"""The counter's day: what is ordered, who has not collected the meal yet, and handing over from the list."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.counter.meals import MEALS, day_and_meal, dishes_text
from app.web.doors import form_key, go, page
from app.web.screens import filled, screen
from timebank.core.amounts import yuan_text

doors = Blueprint("counter_today", __name__)

_A_PAGE = 20


@page(doors, "/counter/today", who="clerk")
def today(ask: Asker) -> Response:
    return _drawn(ask)


@page(doors, "/counter/today/serve", who="clerk", method="POST")
def serve(ask: Asker) -> Response:
    sent = filled()
    order = ask.write("meal_counter.serve", {"order_id": sent.get("order_id")}, key=form_key())
    if isinstance(order, Refusal):
        return _drawn(ask, order)
    cash = f"，收现金 {yuan_text(order['cash_fen'])}" if order["cash_fen"] else ""
    whose = order["diner_name"] or "散客"
    tell(f"{order['meal_name']} {order['pickup_number']} 号 {whose} 已取餐：{dishes_text(order['items'])}{cash}")
    return go(f"/counter/today?meal={order['meal']}")


def _drawn(ask: Asker, refusal: Refusal | None = None) -> Response:
    day, meal = day_and_meal(ask)
    waiting = ask.read("meal_counter.queue", {"meal": meal, "limit": _A_PAGE, "cursor": request.args.get("cursor")})
    return screen(
        "counter/today.html",
        ask.actor,
        refusal=refusal,
        day=day,
        meals=MEALS,
        meal=meal,
        counts=[one for one in day["counts"] if one["meal"] == meal],
        waiting=waiting["items"],
        next_cursor=waiting["next_cursor"],
    )
