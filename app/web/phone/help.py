"""Services on the phone: what one has agreed to or asked for, what is wanted nearby, and one task with what to do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.lists import township_names
from app.web.phone.help_seen import Seen, look
from app.web.screens import screen
from timebank.core import clock
from timebank.core.errors import NotFound

doors = Blueprint("help", __name__)

EVERYWHERE = "all"
_A_PAGE, _MINE = 20, 100
_DELIVERY = "meal_delivery"
_SOONEST, _NEAREST = "starts_at", "near"
_ORDERS = ((_SOONEST, "最早的在前"), (_NEAREST, "离我近的在前"), ("-made", "新发布的在前"))


@page(doors, "/m/tasks", who="person")
def tasks(ask: Asker) -> Response:
    return _list_screen(ask)


@page(doors, "/m/tasks/mine", who="person")
def all_mine(ask: Asker) -> Response:
    found = ask.read("tasks.list", {"mine": "true", "limit": _A_PAGE, "cursor": request.args.get("cursor")})
    seen = _seen(ask, found["items"])
    return screen("phone/help_mine.html", ask.actor, seen=seen, next_cursor=found["next_cursor"])


@page(doors, "/m/tasks/<uuid:task_id>", who="person")
def task(ask: Asker, task_id: UUID) -> Response:
    return task_screen(ask, task_id)


@page(doors, "/m/tasks/<uuid:task_id>/accept", who="person")
def before_accepting(_ask: Asker, task_id: UUID) -> Response:
    return go(f"/m/tasks/{task_id}")


@page(doors, "/m/tasks/<uuid:task_id>/accept", who="person", method="POST")
def accept(ask: Asker, task_id: UUID) -> Response:
    answer = ask.write("tasks.accept", key=form_key(), task_id=task_id)
    if isinstance(answer, Refusal):
        try:
            return task_screen(ask, task_id, answer)
        except NotFound:
            # Somebody else was quicker, and what others have taken is not shown any more.
            return _list_screen(ask, answer)
    tell("接单成功，请按时到")
    return go(f"/m/tasks/{task_id}")


def task_screen(ask: Asker, task_id: UUID, refusal: Refusal | None = None) -> Response:
    """One task, with a button for everything that can be done with it now."""
    seen = look(ask.read("tasks.show", task_id=task_id), ask.actor.person_id)
    # Read only where it is shown: each look at an address is written down.
    where = ask.read("tasks.where", task_id=task_id) if seen.shows_where else None
    carries = seen.part is not None and seen.task["service_type"] == _DELIVERY and not seen.task["beneficiary_name"]
    return screen("phone/help_task.html", ask.actor, refusal=refusal, seen=seen, carries=carries, where=where)


def _list_screen(ask: Asker, refusal: Refusal | None = None) -> Response:
    if ask.actor.person_id is None:
        return go("/m/register")
    chosen = _chosen(ask)
    cursor = request.args.get("cursor")
    asked = {"status": "open", "limit": _A_PAGE, "cursor": cursor, "since": clock.today().isoformat()}
    if chosen["township"] != EVERYWHERE:
        asked["township_code"] = chosen["township"]
    asked |= {"service_type": chosen["kind"], "sort": chosen["order"]}
    if chosen["order"] == _NEAREST:
        asked |= _place_of(ask)
    found = ask.read("tasks.list", asked)
    mine = [] if cursor else _seen(ask, ask.read("tasks.list", {"mine": "true", "limit": _MINE})["items"])
    return screen(
        "phone/help_tasks.html",
        ask.actor,
        refusal=refusal,
        mine=sorted((one for one in mine if one.underway), key=lambda one: str(one.task["starts_at"])),
        wanted=[one for one in _seen(ask, found["items"]) if not one.mine],
        next_cursor=found["next_cursor"],
        first=not cursor,
        townships=[*township_names(ask).items(), (EVERYWHERE, "全区")],
        kinds=[(one["code"], one["name"]) for one in ask.everything("service_types.list")],
        orders=_ORDERS,
        chosen=chosen,
    )


def _chosen(ask: Asker) -> dict[str, str]:
    """What is looked for and in which order, as the address says it; by default one's township, soonest first."""
    home = ask.read("me.show")["township_code"]
    order = request.args.get("order", "")
    return {
        "township": request.args.get("township") or home,
        "kind": request.args.get("kind", ""),
        "order": order if order in dict(_ORDERS) else _SOONEST,
    }


def _place_of(ask: Asker) -> dict[str, float]:
    """Where one lives, if one's file as a diner says it; it goes into no address."""
    mine = str(ask.actor.person())
    file = next((one for one in ask.everything("diners.list") if str(one["person_id"]) == mine), None)
    if file is None or file["latitude"] is None:
        return {}
    return {"latitude": file["latitude"], "longitude": file["longitude"]}


def _seen(ask: Asker, found: list[dict[str, Any]]) -> list[Seen]:
    return [look(one, ask.actor.person_id) for one in found]
