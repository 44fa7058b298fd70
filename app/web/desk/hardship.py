"""Help out of the pool for elders in hardship: asked for by one steward, approved by another."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.people import PERSON, seen
from app.web.desk.tables import DAYS, Column, Filter, Table, list_page, said, table_page, township_filter
from app.web.doors import form_key, go, page
from app.web.lists import township_names
from app.web.screens import filled, screen
from timebank.giving.rules import HARDSHIP_STATUS_NAMES

doors = Blueprint("desk_hardship", __name__)

REQUEST = "/desk/hardship/<uuid:hardship_id>"


@list_page(doors, "/desk/hardship")
def hardship(ask: Asker) -> Response:
    return table_page(ask, _hardship(ask), "desk/hardship.html", pools=ask.everything("pool.show"))


def _hardship(ask: Asker) -> Table:
    townships = township_names(ask)
    statuses = [(str(status), name) for status, name in HARDSHIP_STATUS_NAMES.items()]
    return Table(
        name="hardship",
        asks="hardship.list",
        columns=(
            Column("老人", said("person_name"), sort="name", link=lambda one: f"/desk/hardship/{one['hardship_id']}"),
            Column("镇街", lambda one: townships.get(one["township_code"]), sort="township"),
            Column("时长", said("minutes"), "hours", "minutes"),
            Column("理由", said("reason"), width=36),
            Column("申请", said("requested_at"), "moment", "requested_at", note=said("requested_by_name")),
            Column("申请人", said("requested_by_name"), on="sheet"),
            Column("状态", _state, sort="status"),
            Column("决定", said("decided_at"), "moment", "decided_at", on="sheet"),
            Column("决定人", said("decided_by_name"), on="sheet"),
            Column("可用到", said("expires_on"), "day", on="sheet"),
        ),
        filters=(Filter("status", "状态", statuses), *township_filter(ask), *DAYS),
        empty=("没有这样的申请。从老人的页可以申请。", "/desk/people", "找到老人"),
    )


def _state(request: dict[str, Any]) -> str:
    return f"{request['status_name']}（已冲正）" if request["reversed"] else str(request["status_name"])


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
