"""What canteens offer today, and which of them offer nothing: one look for whoever watches over them."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.web.asking import Asker
from app.web.counter.meals import MEALS
from app.web.doors import page
from app.web.lists import asked, listed, township_names
from app.web.screens import screen
from timebank.core.clock import today

doors = Blueprint("desk_offers", __name__)


@page(doors, "/desk/canteens/today", who="desk")
def offers(ask: Asker) -> Response:
    """Canteens with what they offer, of the steward's own township where there is one."""
    filters = asked("meal", "township_code")
    own = ask.actor.township_code
    if own and "township_code" not in request.args:
        filters["township_code"] = own
    return screen(
        "menus/today.html",
        ask.actor,
        meals=list(MEALS.items()),
        townships=township_names(ask),
        day=today(),
        **listed(ask, "menus.today", filters, limit=20),
    )
