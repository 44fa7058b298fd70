"""Standing orders 长期订餐: the same meal on the same weekdays; set, pause, end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.phone.acting import sure
from app.web.phone.eaters import Eater, eater_asked
from app.web.screens import filled, screen
from timebank.core import clock

doors = Blueprint("standing", __name__)

_HERE = "/m/orders/standing"
_WEEKDAYS = tuple((str(number), f"周{name}") for number, name in enumerate("一二三四五六日", 1))


@page(doors, _HERE, who="person")
def standing(ask: Asker) -> Response:
    whose, everybody = eater_asked(ask)
    asked = {"for_person_id": whose.person_id, "limit": 10, "cursor": request.args.get("cursor")}
    found = ask.read("standing_orders.list", asked)
    return screen(
        "phone/meal_standing.html",
        ask.actor,
        whose=whose,
        everybody=everybody,
        standing=found["items"],
        next_cursor=found["next_cursor"],
        today=clock.today().isoformat(),
    )


@page(doors, f"{_HERE}/new", who="person")
def new(ask: Asker) -> Response:
    whose, _ = eater_asked(ask)
    return _form(ask, whose, {})


@page(doors, f"{_HERE}/new", who="person", method="POST")
def set_standing(ask: Asker) -> Response:
    whose, _ = eater_asked(ask)
    sent: dict[str, Any] = {**filled(), "weekdays": request.form.getlist("weekdays")}
    days = [int(day) for day in sent["weekdays"] if day.isascii() and day.isdigit()]
    wanted = {**sent, "weekdays": days, "for_person_id": whose.person_id}
    answer = ask.write("standing_orders.set", wanted, key=form_key())
    if isinstance(answer, Refusal):
        return _form(ask, whose, sent, answer)
    tell(f"以后{answer['weekdays_text']}{answer['meal_name']}都会替{whose.who}订好")
    return go(f"{_HERE}{whose.tail}")


@page(doors, f"{_HERE}/<uuid:standing_order_id>/pause", who="person")
def pause_form(ask: Asker, standing_order_id: UUID) -> Response:
    whose, _ = eater_asked(ask)
    return _pausing(ask, whose, standing_order_id, {})


@page(doors, f"{_HERE}/<uuid:standing_order_id>/pause", who="person", method="POST")
def pause(ask: Asker, standing_order_id: UUID) -> Response:
    whose, _ = eater_asked(ask)
    sent = filled()
    answer = ask.write("standing_orders.pause", sent, key=form_key(), standing_order_id=standing_order_id)
    if isinstance(answer, Refusal):
        return _pausing(ask, whose, standing_order_id, sent, answer)
    tell("停好了，这几天不会订；已经订好的餐要另外退")
    return go(f"{_HERE}{whose.tail}")


@page(doors, f"{_HERE}/<uuid:standing_order_id>/end", who="person")
def end_form(ask: Asker, standing_order_id: UUID) -> Response:
    whose, _ = eater_asked(ask)
    return _ending(ask, whose, standing_order_id)


@page(doors, f"{_HERE}/<uuid:standing_order_id>/end", who="person", method="POST")
def end(ask: Asker, standing_order_id: UUID) -> Response:
    whose, _ = eater_asked(ask)
    answer = ask.write("standing_orders.end", key=form_key(), standing_order_id=standing_order_id)
    if isinstance(answer, Refusal):
        return _ending(ask, whose, standing_order_id, answer)
    tell("长期订餐已经结束；已经订好的餐要另外退")
    return go(f"{_HERE}{whose.tail}")


def _form(ask: Asker, whose: Eater, sent: Mapping[str, Any], refusal: Refusal | None = None) -> Response:
    usual = (whose.file or {}).get("usual_canteen_id")
    return screen(
        "phone/meal_standing_new.html",
        ask.actor,
        refusal=refusal,
        filled=sent,
        whose=whose,
        canteens=ask.everything("canteens.list", {"state": "open"}),
        usual=usual,
        weekdays=_WEEKDAYS,
        tomorrow=(clock.today() + timedelta(days=1)).isoformat(),
    )


def _pausing(
    ask: Asker, whose: Eater, standing_order_id: UUID, sent: Mapping[str, Any], refusal: Refusal | None = None
) -> Response:
    return screen(
        "phone/meal_standing_pause.html",
        ask.actor,
        refusal=refusal,
        filled=sent,
        whose=whose,
        one=ask.read("standing_orders.show", standing_order_id=standing_order_id),
        tomorrow=(clock.today() + timedelta(days=1)).isoformat(),
    )


def _ending(ask: Asker, whose: Eater, standing_order_id: UUID, refusal: Refusal | None = None) -> Response:
    one = ask.read("standing_orders.show", standing_order_id=standing_order_id)
    facts = [("哪一餐", f"{one['weekdays_text']}{one['meal_name']}"), ("在哪里", one["canteen_name"])]
    return sure(
        ask,
        f"{whose.instead}结束这份长期订餐吗？",
        to=f"{_HERE}/{standing_order_id}/end{whose.tail}",
        button="结束长期订餐",
        back=f"{_HERE}{whose.tail}",
        facts=facts,
        words=["结束以后不再自动订餐。已经订好的餐不变，不要的请另外退。"],
        danger=True,
        refusal=refusal,
    )
