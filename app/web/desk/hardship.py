"""Help out of the pool for elders in hardship: asked for by one steward, approved by another."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.lists import asked, listed, township_names
from app.web.desk.people import PERSON, seen
from app.web.doors import form_key, go, page
from app.web.screens import filled, screen
from timebank.giving.rules import HARDSHIP_STATUS_NAMES

doors = Blueprint("desk_hardship", __name__)

REQUEST = "/desk/hardship/<uuid:hardship_id>"


@page(doors, "/desk/hardship", who="desk")
def hardship(ask: Asker) -> Response:
    found = listed(ask, "hardship.list", asked("status", "township_code"))
    statuses = [(str(status), name) for status, name in HARDSHIP_STATUS_NAMES.items()]
    pools = ask.everything("pool.show")
    shown: dict[str, Any] = {"statuses": statuses, "townships": township_names(ask), "pools": pools}
    return screen("desk/hardship.html", ask.actor, **shown, **found)


@page(doors, REQUEST, who="desk")
def asked_for(ask: Asker, hardship_id: UUID) -> Response:
    return _request_page(ask, hardship_id)


@page(doors, f"{REQUEST}/approve", who="desk", method="POST")
def approve_help(ask: Asker, hardship_id: UUID) -> Response:
    answer = ask.write("hardship.approve", key=form_key(), hardship_id=hardship_id)
    if isinstance(answer, Refusal):
        return _request_page(ask, hardship_id, answer)
    tell("已批准，时长已拨给老人")
    return go("/desk/hardship?status=waiting")


@page(doors, f"{REQUEST}/decline", who="desk", method="POST")
def decline_help(ask: Asker, hardship_id: UUID) -> Response:
    answer = ask.write("hardship.decline", filled(), key=form_key(), hardship_id=hardship_id)
    if isinstance(answer, Refusal):
        return _request_page(ask, hardship_id, answer)
    tell("已办理：不予批准")
    return go("/desk/hardship?status=waiting")


@page(doors, f"{PERSON}/hardship", who="desk")
def ask_form(ask: Asker, person_id: UUID) -> Response:
    return _form(ask, person_id)


@page(doors, f"{PERSON}/hardship", who="desk", method="POST")
def ask_for(ask: Asker, person_id: UUID) -> Response:
    answer = ask.write("hardship.request", {**filled(), "person_id": str(person_id)}, key=form_key())
    if isinstance(answer, Refusal):
        return _form(ask, person_id, answer)
    tell("已申请，等另一位管理员批准")
    return go(f"/desk/hardship/{answer['hardship_id']}")


def _form(ask: Asker, person_id: UUID, refusal: Refusal | None = None) -> Response:
    return screen("desk/hardship_ask.html", ask.actor, refusal=refusal, person=seen(ask, person_id))


def _request_page(ask: Asker, hardship_id: UUID, refusal: Refusal | None = None) -> Response:
    found = ask.everything("hardship.list")
    request = next((one for one in found if one["hardship_id"] == str(hardship_id)), None)
    return screen(
        "desk/hardship_one.html",
        ask.actor,
        refusal=refusal,
        help=request,
        townships=township_names(ask),
    )
