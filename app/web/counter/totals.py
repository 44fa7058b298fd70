"""The day's totals that tie to the ledger, the drawer, and the meals handed over, for whoever has to correct one."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, request

from app.web.asking import Asker
from app.web.counter.meals import SHARES
from app.web.doors import page
from app.web.screens import screen

doors = Blueprint("counter_totals", __name__)

TAKEN = (("现卖", "cash_sales_fen"), ("充值", "topped_up_fen"))
GIVEN = (("退款", "paid_back_fen"), ("冲正", "corrected_fen"), ("缴款", "handed_in_fen"))
SUMS = {
    **{field: name for name, field in SHARES},
    "list_fen": "原价",
    "cash_fen": "现卖收现金",
    "missed_fen": "没来取的收",
    "topped_up_fen": "充值",
    "paid_back_fen": "退款",
    "handed_in_fen": "缴款",
}
"""What a total is called where orders and ledger do not agree; what is not here is counted in portions."""

_A_PAGE = 20


@page(doors, "/counter/totals", who="clerk")
def totals(ask: Asker) -> Response:
    found = ask.read("meal_counter.day_totals", {"on_day": request.args.get("on_day")})
    cash = [(verb, sum(found[field] for _, field in kinds), kinds) for verb, kinds in (("收", TAKEN), ("付", GIVEN))]
    return screen("counter/totals.html", ask.actor, found=found, shares=SHARES, cash=cash, sums=SUMS)


@page(doors, "/counter/served", who="clerk")
def served(ask: Asker) -> Response:
    today = ask.read("meal_counter.today")
    day = request.args.get("on_day") or today["on_day"]
    wanted = {"canteen_id": today["canteen_id"], "from": day, "to": day, "state": "served", "limit": _A_PAGE}
    found = ask.read("orders.list", {**wanted, "cursor": request.args.get("cursor")})
    shown = {"orders": found["items"], "next_cursor": found["next_cursor"], "on_day": date.fromisoformat(day)}
    return screen("counter/served.html", ask.actor, **shown)
