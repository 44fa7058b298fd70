"""Townships' own lists against the books: handed in, what does not agree, and the movement that puts it right."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.clearing import WINDOW
from app.web.desk.imports import at_the_file, file_sent, no_file
from app.web.doors import form_key, go, page
from app.web.lists import asked, listed, township_names
from app.web.screens import filled, screen
from timebank.clearing.queries import HOUSE_NAME
from timebank.clearing.township_lists import BREAK_TYPE_NAMES
from timebank.importing.package import MAX_FILE_BYTES
from timebank.ledger.rules import HOUSE

doors = Blueprint("desk_reconciling", __name__)

LISTS = "/desk/clearing/lists"
BREAK = "/desk/clearing/breaks/<uuid:break_id>"


@page(doors, LISTS, who="desk")
def lists(ask: Asker) -> Response:
    found = listed(ask, "clearing.reconciliations", asked("window", "township_code"))
    return screen("desk/lists.html", ask.actor, **_names(ask), **found)


@page(doors, f"{LISTS}/<uuid:reconciliation_id>", who="desk")
def one(ask: Asker, reconciliation_id: UUID) -> Response:
    told = ask.read("clearing.reconciliation", reconciliation_id=reconciliation_id)
    return screen("desk/list.html", ask.actor, said=told, **_names(ask))


@page(doors, f"{WINDOW}/reconcile", who="desk")
def reconcile_form(ask: Asker, window: str) -> Response:
    return _form(ask, window)


@page(doors, f"{WINDOW}/reconcile", who="desk", method="POST", most_bytes=MAX_FILE_BYTES)
def reconcile(ask: Asker, window: str) -> Response:
    name, content = file_sent("workbook")
    if not name:
        return _form(ask, window, no_file("workbook"))
    answer = ask.hand_in("clearing.reconcile", {**filled(), "file_name": name}, content, window=window)
    if isinstance(answer, Refusal):
        return _form(ask, window, at_the_file(answer, "workbook"))
    tell("清单已收到，核对结果在下面")
    return go(f"{LISTS}/{answer['reconciliation_id']}")


@page(doors, "/desk/clearing/breaks", who="desk")
def breaks(ask: Asker) -> Response:
    wanted = asked("window", "township_code", "type", "open")
    found = listed(ask, "clearing.breaks", wanted)
    return screen("desk/breaks.html", ask.actor, types=list(BREAK_TYPE_NAMES.items()), **_names(ask), **found)


@page(doors, BREAK, who="desk")
def break_(ask: Asker, break_id: UUID) -> Response:
    return _break_page(ask, break_id)


@page(doors, f"{BREAK}/cure", who="desk", method="POST")
def cure(ask: Asker, break_id: UUID) -> Response:
    answer = ask.write("clearing.cure_break", filled(), key=form_key(), break_id=break_id)
    if isinstance(answer, Refusal):
        return _break_page(ask, break_id, answer)
    tell("已记下用这笔划转更正")
    return go(f"/desk/clearing/breaks/{break_id}")


def _form(ask: Asker, window: str, refusal: Refusal | None = None) -> Response:
    ask.read("clearing.window", window=window)
    return screen("desk/reconcile.html", ask.actor, refusal=refusal, window=window, **_names(ask))


def _break_page(ask: Asker, break_id: UUID, refusal: Refusal | None = None) -> Response:
    said = ask.read("clearing.cures", break_id=break_id)
    shown: dict[str, Any] = {"one": said["found"], "cures": said["cures"], **_names(ask)}
    return screen("desk/break.html", ask.actor, refusal=refusal, **shown)


def _names(ask: Asker) -> dict[str, Any]:
    townships = township_names(ask)
    windows = [(one["window"], one["window"]) for one in ask.read("clearing.windows", {"limit": 24})["items"]]
    return {"townships": townships, "parties": {**townships, HOUSE: HOUSE_NAME}, "windows": windows}
