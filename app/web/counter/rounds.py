"""The day's deliveries: what goes out, who carries it, and what came of each stop."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.counter.meals import MEALS, day_and_meal
from app.web.doors import form_key, go, page
from app.web.screens import filled, screen

doors = Blueprint("counter_rounds", __name__)

REASONS = (
    ("nobody_home", "家中无人"),
    ("refused", "本人不收"),
    ("wrong_address", "地址不对"),
    ("spilled", "餐食洒漏"),
    ("late", "送得太晚"),
)
"""Why a meal did not come to its diner."""

Answer = dict[str, Any] | Refusal


@page(doors, "/counter/rounds", who="clerk")
def rounds(ask: Asker) -> Response:
    return _list(ask)


@page(doors, "/counter/rounds/plan", who="clerk", method="POST")
def plan(ask: Asker) -> Response:
    day, meal = day_and_meal(ask)
    planned = ask.write("rounds.plan", _of_today(day, meal), key=form_key())
    if isinstance(planned, Refusal):
        return _list(ask, planned)
    made = len(planned["items"])
    tell(f"{MEALS[meal]}排好了 {made} 趟" if made else f"{MEALS[meal]}没有要排的送餐")
    return go(f"/counter/rounds?meal={meal}")


@page(doors, "/counter/rounds/<uuid:round_id>", who="clerk")
def one_round(ask: Asker, round_id: str) -> Response:
    return _drawn(ask, round_id)


@page(doors, "/counter/rounds/<uuid:round_id>/start", who="clerk", method="POST")
def start(ask: Asker, round_id: str) -> Response:
    return _after(ask, round_id, ask.write("rounds.start", key=form_key(), round_id=round_id), "出发了")


@page(doors, "/counter/rounds/<uuid:round_id>/finish", who="clerk", method="POST")
def finish(ask: Asker, round_id: str) -> Response:
    return _after(ask, round_id, ask.write("rounds.finish", key=form_key(), round_id=round_id), "这一趟送完了")


@page(doors, "/counter/rounds/<uuid:round_id>/courier", who="clerk", method="POST")
def courier(ask: Asker, round_id: str) -> Response:
    answer = ask.write("rounds.give_to_courier", filled(), key=form_key(), round_id=round_id)
    return _after(ask, round_id, answer, "已改派配送员")


@page(doors, "/counter/rounds/<uuid:round_id>/deliver", who="clerk", method="POST")
def deliver(ask: Asker, round_id: str) -> Response:
    return _after(ask, round_id, ask.write("rounds.deliver", filled(), key=form_key()), "已送达")


@page(doors, "/counter/rounds/<uuid:round_id>/undelivered", who="clerk", method="POST")
def undelivered(ask: Asker, round_id: str) -> Response:
    answer = ask.write("rounds.undelivered", filled(), key=form_key())
    return _after(ask, round_id, answer, "已登记没送到，会通知老人和家属")


def _after(ask: Asker, round_id: str, answer: Answer, words: str) -> Response:
    if isinstance(answer, Refusal):
        return _drawn(ask, round_id, answer)
    tell(f"{answer['pickup_number']} 号{words}" if "pickup_number" in answer else words)
    return go(f"/counter/rounds/{round_id}")


def _list(ask: Asker, refusal: Refusal | None = None) -> Response:
    day, meal = day_and_meal(ask)
    found = sorted(ask.everything("rounds.list", _of_today(day, meal)), key=lambda one: int(one["number"]))
    return screen("counter/rounds.html", ask.actor, refusal=refusal, day=day, meals=MEALS, meal=meal, rounds=found)


def _of_today(day: dict[str, Any], meal: str) -> dict[str, Any]:
    return {"canteen_id": day["canteen_id"], "on": day["on_day"], "meal": meal}


def _drawn(ask: Asker, round_id: str, refusal: Refusal | None = None) -> Response:
    return screen(
        "counter/round.html",
        ask.actor,
        refusal=refusal,
        round=ask.read("rounds.show", round_id=round_id),
        meals=MEALS,
        reasons=REASONS,
    )
