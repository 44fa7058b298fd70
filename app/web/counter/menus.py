"""The week's menu from a workbook, at the counter: handed in, looked at, and kept as a draft."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from app.api.operation import sent_response
from app.api.workbooks import XLSX
from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.imports import Where, at_the_file, file_sent, import_page, no_file, weeks
from app.web.desk.lists import listed
from app.web.doors import form_key, go, page
from app.web.screens import filled, screen
from timebank.importing.import_rules import ImportKind
from timebank.importing.package import MAX_FILE_BYTES

doors = Blueprint("counter_menus", __name__)

MENUS = "/counter/menus"
IMPORT = f"{MENUS}/<uuid:import_id>"
_HERE = Where(MENUS, "counter/menu_import.html")
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
    return sent_response(200, ask.read("imports.rejects", import_id=import_id), XLSX)


@page(doors, f"{IMPORT}/book", who="clerk", method="POST")
def book(ask: Asker, import_id: UUID) -> Response:
    answer = ask.write("imports.book", filled(), key=form_key(), import_id=import_id)
    if isinstance(answer, Refusal):
        return import_page(ask, import_id, _HERE, answer)
    tell("已导入成为草稿，发布须另外办理")
    return go(f"{MENUS}/{import_id}")


@page(doors, f"{IMPORT}/discard", who="clerk", method="POST")
def discard(ask: Asker, import_id: UUID) -> Response:
    answer = ask.write("imports.discard", key=form_key(), import_id=import_id)
    if isinstance(answer, Refusal):
        return import_page(ask, import_id, _HERE, answer)
    tell("没有导入，上传的文件已删除")
    return go(MENUS)


def _menus_page(ask: Asker, refusal: Refusal | None = None) -> Response:
    found = listed(ask, "imports.list", _OF_MENUS, limit=10)
    return screen("counter/menus.html", ask.actor, refusal=refusal, weeks=weeks(), **found)
