"""What there is to eat: the menu of the usual canteen day by day, and another canteen to choose."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.phone.eaters import Eater, day_asked, eater_asked, id_asked
from app.web.phone.menu import ask_whether_open, meals_of
from app.web.phone.rated import last_unrated
from app.web.screens import filled, screen
from timebank.core import clock

doors = Blueprint("meals", __name__)

_DAYS = 7
_ANYWHERE_M = 1_000_000
_NAMED = ("今天", "明天", "后天")


@page(doors, "/m/meals", who="person")
def menu(ask: Asker) -> Response:
    if ask.actor.person_id is None:
        return go("/m/register")
    whose, everybody = eater_asked(ask)
    if whose.file is None or whose.state != "approved":
        return screen("phone/meals_no_file.html", ask.actor, whose=whose, everybody=everybody)
    wanted = request.args.get("canteen") or whose.file["usual_canteen_id"]
    if wanted is None:
        return go(f"/m/meals/canteens{whose.tail}")
    today = clock.today()
    day = day_asked(request.args.get("day"), today)
    canteen = ask.read("canteens.show", canteen_id=id_asked(str(wanted)))
    meals = meals_of(ask, whose, canteen, day)
    for meal in meals:
        ask_whether_open(ask, whose, canteen, day, meal)
    days = [(today + timedelta(days=n), _name_of(n)) for n in range(_DAYS)]
    return screen(
        "phone/meals.html",
        ask.actor,
        whose=whose,
        everybody=everybody,
        canteen=canteen,
        shown_day=day,
        days=days,
        meals=meals,
        open=any(meal.refusal is None for meal in meals),
        next_day=day + timedelta(days=1),
        unrated=last_unrated(ask, whose) if day == today else None,
        closed=[one for one in canteen["closed_days"] if one["closed_on"] == day.isoformat()],
    )


@page(doors, "/m/meals/canteens", who="person")
def canteens(ask: Asker) -> Response:
    whose, everybody = eater_asked(ask)
    return _canteens(ask, whose, everybody)


@page(doors, "/m/meals/canteens", who="person", method="POST")
def choose_canteen(ask: Asker) -> Response:
    whose, everybody = eater_asked(ask)
    wanted = {"usual_canteen_id": filled().get("canteen_id")}
    answer = ask.write("diners.change", wanted, key=form_key(), person_id=id_asked(whose.person_id))
    if isinstance(answer, Refusal):
        return _canteens(ask, whose, everybody, answer)
    tell(f"以后常在{answer['usual_canteen_name']}用餐")
    return go(f"/m/meals{whose.tail}")


def _canteens(ask: Asker, whose: Eater, everybody: list[Eater], refusal: Refusal | None = None) -> Response:
    """Nearest first where it is known where the diner lives, otherwise those of the township first."""
    file, whole = whose.file or {}, "all" in request.args
    asked = {"limit": 10, "cursor": request.args.get("cursor")}
    if file.get("latitude") is not None:
        asked |= {"latitude": file["latitude"], "longitude": file["longitude"], "within_m": _ANYWHERE_M}
    elif file.get("township_code") and not whole:
        asked["township_code"] = file["township_code"]
    found = ask.read("canteens.list", asked)
    return screen(
        "phone/meal_canteens.html",
        ask.actor,
        refusal=refusal,
        whose=whose,
        everybody=everybody,
        canteens=found["items"],
        next_cursor=found["next_cursor"],
        only_township="township_code" in asked,
        whole=whole,
    )


def _name_of(days_ahead: int) -> str:
    if days_ahead < len(_NAMED):
        return _NAMED[days_ahead]
    return "周" + "一二三四五六日"[(clock.today() + timedelta(days=days_ahead)).weekday()]
