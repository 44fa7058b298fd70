"""A canteen's kitchen and deliveries at the desk: the same lists as at the counter, for those who answer for it."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.desk.canteens import CANTEEN
from app.web.doors import form_key, page
from app.web.kitchen import kitchen_seen, kitchen_workbook, path_of, which_meal
from app.web.screens import screen
from app.web.steps import after
from timebank.canteens.pricing.rules import Meal
from timebank.core import clock

doors = Blueprint("desk_kitchen", __name__)

KITCHEN = f"{CANTEEN}/kitchen"


@page(doors, KITCHEN, who="desk")
def kitchen(ask: Asker, canteen_id: UUID) -> Response:
    return _drawn(ask, canteen_id)


@page(doors, f"{KITCHEN}/workbook.xlsx", who="desk")
def workbook(ask: Asker, canteen_id: UUID) -> Response:
    return kitchen_workbook(ask, _wanted(canteen_id))


@page(doors, f"{KITCHEN}/cooked", who="desk", method="POST")
def cooked(ask: Asker, canteen_id: UUID) -> Response:
    wanted = _wanted(canteen_id)
    batch = ask.write("kitchen.cooked", wanted, key=form_key())
    return after(batch, "已登记出餐", _path(canteen_id, wanted), lambda no: _drawn(ask, canteen_id, no))


@page(doors, f"{KITCHEN}/rounds", who="desk", method="POST")
def plan_rounds(ask: Asker, canteen_id: UUID) -> Response:
    wanted = _wanted(canteen_id)
    planned = ask.write("rounds.plan", wanted, key=form_key())
    words = f"排好了 {len(planned['items'])} 趟" if isinstance(planned, dict) else ""
    return after(planned, words, _path(canteen_id, wanted), lambda no: _drawn(ask, canteen_id, no))


def _wanted(canteen_id: UUID) -> dict[str, str]:
    return which_meal(canteen_id, on=str(clock.today()), meal=str(Meal.LUNCH))


def _path(canteen_id: UUID, wanted: dict[str, str]) -> str:
    return path_of(f"/desk/canteens/{canteen_id}/kitchen", wanted)


def _drawn(ask: Asker, canteen_id: UUID, refusal: Refusal | None = None) -> Response:
    canteen, wanted = ask.read("canteens.show", canteen_id=canteen_id), _wanted(canteen_id)
    seen = kitchen_seen(ask, wanted)
    rounds = sorted(ask.everything("rounds.list", wanted), key=lambda one: int(one["number"]))
    return screen(
        "desk/kitchen.html",
        ask.actor,
        refusal=refusal,
        canteen=canteen,
        rounds=rounds,
        address=f"/desk/canteens/{canteen_id}/kitchen",
        works_here=ask.actor.stewards(canteen["township_code"]),
        **seen,
    )
