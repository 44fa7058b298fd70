"""The week's menu from a workbook, at the counter: handed in, looked at, and kept as a draft."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from app.api.operation import sent_response
from app.api.workbooks import XLSX
from app.web.asking import Asker, Refusal
from app.web.desk.imports import (
    Where,
    at_the_file,
    booked,
    discarded,
    file_sent,
    import_page,
    no_file,
    rejected_rows,
    weeks,
)
from app.web.doors import go, page
from app.web.lists import listed
from app.web.screens import filled, screen
from timebank.importing.import_rules import ImportKind
from timebank.importing.package import MAX_FILE_BYTES

doors = Blueprint("counter_menus", __name__)

MENUS = "/counter/menus"
IMPORT = f"{MENUS}/<uuid:import_id>"
_HERE = Where(MENUS, "counter/menu_import.html", "已导入成为草稿，请到“菜单”里看一遍再发布")
_OF_MENUS = {"kind": str(ImportKind.MENU)}


@page(doors, MENUS, who="clerk")
def menus(ask: Asker) -> Response:
    return _menus_page(ask)


@page(doors, MENUS, who="clerk", method="POST", most_bytes=MAX_FILE_BYTES)
def hand_in(ask: Asker) -> Response:
    name, content = file_sent("workbook")
    if not name:
        return _menus_page(ask, no_file("workbook"))
    place = {**filled(), **_OF_MENUS, "file_name": name, "canteen_id": str(ask.actor.organisation_id)}
    answer = ask.hand_in("imports.prepare", place, content)
    if isinstance(answer, Refusal):
        return _menus_page(ask, at_the_file(answer, "workbook"))
    return go(f"{MENUS}/{answer['import_id']}")


@page(doors, f"{MENUS}/form.xlsx", who="clerk")
def form(ask: Asker) -> Response:
    return sent_response(200, ask.read("imports.form", _OF_MENUS), XLSX)


@page(doors, IMPORT, who="clerk")
def one(ask: Asker, import_id: UUID) -> Response:
    return import_page(ask, import_id, _HERE)


@page(doors, f"{IMPORT}/rejects.xlsx", who="clerk")
def rejects(ask: Asker, import_id: UUID) -> Response:
    return rejected_rows(ask, import_id)


@page(doors, f"{IMPORT}/book", who="clerk", method="POST")
def book(ask: Asker, import_id: UUID) -> Response:
    return booked(ask, import_id, _HERE)


@page(doors, f"{IMPORT}/discard", who="clerk", method="POST")
def discard(ask: Asker, import_id: UUID) -> Response:
    return discarded(ask, import_id, _HERE)


def _menus_page(ask: Asker, refusal: Refusal | None = None) -> Response:
    found = listed(ask, "imports.list", _OF_MENUS, limit=10)
    return screen("counter/menus.html", ask.actor, refusal=refusal, weeks=weeks(), **found)
