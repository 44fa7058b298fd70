"""The meals one carries: the rounds, one round with its doors in their order, handing over, and what comes back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.screens import filled, screen
from timebank.canteens.delivery.rules import REASON_NAMES, REPORTED
from timebank.canteens.pricing.rules import DIET_FORM_NAMES, MEAL_NAMES

doors = Blueprint("rounds_carried", __name__)

REASONS = tuple((str(reason), REASON_NAMES[reason]) for reason in REPORTED)


@page(doors, "/m/rounds", who="person")
def rounds(ask: Asker) -> Response:
    found = ask.read("rounds.list", {"limit": 20, "cursor": request.args.get("cursor")})
    return screen(
        "phone/help_rounds.html",
        ask.actor,
        rounds=found["items"],
        next_cursor=found["next_cursor"],
        meals=MEAL_NAMES,
    )


@page(doors, "/m/rounds/<uuid:round_id>", who="person")
def one_round(ask: Asker, round_id: UUID) -> Response:
    return _round_screen(ask, round_id)


@page(doors, "/m/rounds/<uuid:round_id>/start", who="person")
def before_starting(_ask: Asker, round_id: UUID) -> Response:
    return go(f"/m/rounds/{round_id}")


@page(doors, "/m/rounds/<uuid:round_id>/start", who="person", method="POST")
def start(ask: Asker, round_id: UUID) -> Response:
    answer = ask.write("rounds.start", key=form_key(), round_id=round_id)
    if isinstance(answer, Refusal):
        return _round_screen(ask, round_id, answer)
    tell("出发了，已告诉老人餐在路上")
    return go(f"/m/rounds/{round_id}")


@page(doors, "/m/rounds/<uuid:round_id>/finish", who="person")
def before_finishing(_ask: Asker, round_id: UUID) -> Response:
    return go(f"/m/rounds/{round_id}")


@page(doors, "/m/rounds/<uuid:round_id>/finish", who="person", method="POST")
def finish(ask: Asker, round_id: UUID) -> Response:
    answer = ask.write("rounds.finish", key=form_key(), round_id=round_id)
    if isinstance(answer, Refusal):
        return _round_screen(ask, round_id, answer)
    tell("这一趟送完了")
    return go(f"/m/rounds/{round_id}")


@page(doors, "/m/rounds/<uuid:round_id>/<uuid:order_id>/deliver", who="person")
def before_delivering(ask: Asker, round_id: UUID, order_id: UUID) -> Response:
    return _stop_screen(ask, round_id, order_id, "help_deliver")


@page(doors, "/m/rounds/<uuid:round_id>/<uuid:order_id>/deliver", who="person", method="POST")
def deliver(ask: Asker, round_id: UUID, order_id: UUID) -> Response:
    body = {"order_id": str(order_id), "handover_code": filled().get("handover_code")}
    answer = ask.write("rounds.deliver", body, key=form_key())
    if isinstance(answer, Refusal):
        return _stop_screen(ask, round_id, order_id, "help_deliver", answer)
    tell(f"{answer['pickup_number']} 号已送达")
    return go(f"/m/rounds/{round_id}")


@page(doors, "/m/rounds/<uuid:round_id>/<uuid:order_id>/undelivered", who="person")
def before_reporting(ask: Asker, round_id: UUID, order_id: UUID) -> Response:
    return _stop_screen(ask, round_id, order_id, "help_undelivered")


@page(doors, "/m/rounds/<uuid:round_id>/<uuid:order_id>/undelivered", who="person", method="POST")
def undelivered(ask: Asker, round_id: UUID, order_id: UUID) -> Response:
    sent = filled()
    body = {"order_id": str(order_id), "reason": sent.get("reason"), "note": sent.get("note")}
    answer = ask.write("rounds.undelivered", body, key=form_key())
    if isinstance(answer, Refusal):
        return _stop_screen(ask, round_id, order_id, "help_undelivered", answer)
    tell(f"{answer['pickup_number']} 号已登记没送到，请把餐带回助餐点")
    return go(f"/m/rounds/{round_id}")


def _round_screen(ask: Asker, round_id: UUID, refusal: Refusal | None = None) -> Response:
    found = ask.read("rounds.show", round_id=round_id)
    return screen(
        "phone/help_round.html",
        ask.actor,
        refusal=refusal,
        round=found,
        waiting=[stop for stop in found["stop_list"] if stop["outcome"] is None],
        closed=[stop for stop in found["stop_list"] if stop["outcome"] is not None],
        reasons=REASON_NAMES,
        **_names(),
    )


def _stop_screen(ask: Asker, round_id: UUID, order_id: UUID, template: str, refusal: Refusal | None = None) -> Response:
    """The page of one door; where it is not waited at any more, the round itself."""
    found = ask.read("rounds.show", round_id=round_id)
    waiting = (stop for stop in found["stop_list"] if stop["order_id"] == str(order_id) and stop["outcome"] is None)
    stop = next(waiting, None)
    if stop is None or found["state"] != "departed":
        return go(f"/m/rounds/{round_id}") if refusal is None else _round_screen(ask, round_id, refusal)
    return screen(
        f"phone/{template}.html",
        ask.actor,
        refusal=refusal,
        round=found,
        stop=stop,
        reasons=REASONS,
        **_names(),
    )


def _names() -> dict[str, Any]:
    return {"meals": MEAL_NAMES, "diets": DIET_FORM_NAMES}
