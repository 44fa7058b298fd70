"""Workbooks at the desk: handed in, looked at row by row, and booked as they were shown."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.api.operation import sent_response
from app.api.workbooks import XLSX
from app.web.asking import Asker, Refusal, wrong
from app.web.desk.tables import Column, Filter, Table, list_page, said, table_page, township_filter
from app.web.doors import form_key, go, page
from app.web.lists import asked, listed, township_names
from app.web.screens import filled, moment_text, screen
from app.web.steps import after
from timebank.core.clock import today
from timebank.importing.import_rules import KIND_NAMES, STATE_NAMES, ImportKind
from timebank.importing.package import MAX_FILE_BYTES

doors = Blueprint("desk_imports", __name__)

IMPORT = "/desk/imports/<uuid:import_id>"
ROWS_A_PAGE = 50
_WEEKS_AHEAD = 6


@dataclass(frozen=True, slots=True)
class Where:
    """Where the pages of imports lie, and in which frame one is shown."""

    base: str
    template: str
    booked: str
    """What is said of a workbook that was booked."""


AT_THE_DESK = Where("/desk/imports", "desk/import.html", "已导入，结果就是下面显示的")


@list_page(doors, "/desk/imports")
def imports(ask: Asker) -> Response:
    names = _names(ask)
    return table_page(ask, _imports(ask, names), "desk/imports.html", kinds=names["kinds"])


def _imports(ask: Asker, names: dict[str, Any]) -> Table:
    def whose(one: dict[str, Any]) -> str:
        return str(one["canteen_name"] or names["townships"].get(one["township_code"], "全区"))

    to_hand_in = ("没有这样的工作簿。上传后先核对，看过结果再导入。", "/desk/imports/new", "上传工作簿")
    return Table(
        name="imports",
        asks="imports.list",
        columns=(
            Column("文件", said("file_name"), sort="file_name", link=lambda one: f"/desk/imports/{one['import_id']}"),
            Column("内容", said("kind_name"), sort="kind", note=whose),
            Column("谁的", whose, on="sheet"),
            Column("上传", said("uploaded_at"), "moment", "uploaded_at", note=said("uploaded_by_name")),
            Column("上传人", said("uploaded_by_name"), on="sheet"),
            Column("新增行", _new_rows, "whole"),
            Column("新增时长", said("minutes"), "hours", "minutes"),
            Column("退回行", said("rejected"), "whole", "rejected"),
            Column("状态", said("state_name"), sort="state", note=_booked),
            Column("导入", said("booked_at"), "moment", "booked_at", on="sheet"),
            Column("导入人", said("booked_by_name"), on="sheet"),
        ),
        filters=(
            Filter("kind", "种类", names["kinds"]),
            Filter("state", "状态", names["states"]),
            *township_filter(ask),
        ),
        empty=to_hand_in if ask.actor.is_steward else ("没有这样的工作簿。", "/desk/imports", "看全部"),
    )


def _new_rows(one: dict[str, Any]) -> int:
    return sum(sheet["new"] for sheet in one["sheets"])


def _booked(one: dict[str, Any]) -> str:
    return f"{moment_text(one['booked_at'])}，{one['booked_by_name']}" if one["booked_at"] else ""


@page(doors, "/desk/imports/new", who="desk")
def new(ask: Asker) -> Response:
    return _new_page(ask, request.args.get("kind", ""))


@page(doors, "/desk/imports/new", who="desk", method="POST", most_bytes=MAX_FILE_BYTES)
def hand_in(ask: Asker) -> Response:
    sent = filled()
    name, content = file_sent("workbook")
    if not name:
        return _new_page(ask, sent.get("kind", ""), no_file("workbook"))
    answer = ask.hand_in("imports.prepare", {**sent, "file_name": name}, content)
    if isinstance(answer, Refusal):
        return _new_page(ask, sent.get("kind", ""), at_the_file(answer, "workbook"))
    return go(f"/desk/imports/{answer['import_id']}")


@page(doors, "/desk/imports/form.xlsx", who="desk")
def form(ask: Asker) -> Response:
    return sent_response(200, ask.read("imports.form", asked("kind")), XLSX)


@page(doors, IMPORT, who="desk")
def one(ask: Asker, import_id: UUID) -> Response:
    return import_page(ask, import_id, AT_THE_DESK)


@page(doors, f"{IMPORT}/rejects.xlsx", who="desk")
def rejects(ask: Asker, import_id: UUID) -> Response:
    return rejected_rows(ask, import_id)


@page(doors, f"{IMPORT}/book", who="desk", method="POST")
def book(ask: Asker, import_id: UUID) -> Response:
    return booked(ask, import_id, AT_THE_DESK)


@page(doors, f"{IMPORT}/discard", who="desk", method="POST")
def discard(ask: Asker, import_id: UUID) -> Response:
    return discarded(ask, import_id, AT_THE_DESK)


def file_sent(field: str) -> tuple[str, bytes]:
    """The name and content of the file that came with a form; no name where none came."""
    file = request.files.get(field)
    if file is None or not (file.filename or "").strip():
        return "", b""
    with closing(file.stream):  # a large one lies in a temporary file
        content = file.read()
    # Some browsers send the whole path; the folder it lies in is nobody's business.
    return (file.filename or "").strip().replace("\\", "/").rpartition("/")[2][:200], content


def no_file(field: str) -> Refusal:
    """The refusal of a form whose file was left out."""
    return wrong(field, "请选要上传的 Excel 文件")


def at_the_file(refusal: Refusal, field: str) -> Refusal:
    """What is wrong with a workbook, said beside its field."""
    if refusal.errors or not refusal.code.startswith(("workbook_", "sheet_", "column_")):
        return refusal
    return Refusal(refusal.title, refusal.code, refusal.facts, {field: [refusal.title]})


def import_page(ask: Asker, import_id: UUID, where: Where, refusal: Refusal | None = None) -> Response:
    """One workbook with what it comes to, row by row."""
    rows = listed(ask, "imports.rows", asked("reason", "notes"), limit=ROWS_A_PAGE, import_id=import_id)
    told = ask.read("imports.show", import_id=import_id)
    shown = {"base": where.base, "told_of": told, **_names(ask), **rows}
    return screen(where.template, ask.actor, refusal=refusal, **shown)


def rejected_rows(ask: Asker, import_id: UUID) -> Response:
    """The rows that will be left out, as a workbook to be put right and handed in again."""
    return sent_response(200, ask.read("imports.rejects", import_id=import_id), XLSX)


def booked(ask: Asker, import_id: UUID, where: Where) -> Response:
    """Book a workbook as it was shown, and show what came of it."""
    answer = ask.write("imports.book", filled(), key=form_key(), import_id=import_id)
    again = partial(import_page, ask, import_id, where)
    return after(answer, where.booked, f"{where.base}/{import_id}", again)


def discarded(ask: Asker, import_id: UUID, where: Where) -> Response:
    """Throw a workbook away that was only looked at."""
    answer = ask.write("imports.discard", key=form_key(), import_id=import_id)
    return after(answer, "没有导入，上传的文件已删除", where.base, partial(import_page, ask, import_id, where))


def _new_page(ask: Asker, kind: str, refusal: Refusal | None = None) -> Response:
    known = kind if kind in KIND_NAMES else str(ImportKind.PEOPLE)
    shown: dict[str, Any] = {"kind": known, **_names(ask)}
    if known == ImportKind.MENU:
        own = ask.actor.township_code
        places = ask.everything("canteens.list", {"township_code": own} if own else {})
        shown |= {"canteens": [(one["canteen_id"], one["name"]) for one in places], "weeks": weeks()}
    return screen("desk/import_new.html", ask.actor, refusal=refusal, **shown)


def weeks() -> list[tuple[str, str]]:
    """The Mondays on which a menu may begin, this week's first, for a field that offers a choice."""
    monday = today() - timedelta(days=today().weekday())
    begins = [monday + timedelta(weeks=ahead) for ahead in range(_WEEKS_AHEAD)]
    return [(str(day), f"{day.month}月{day.day}日起的一周") for day in begins]


def _names(ask: Asker) -> dict[str, Any]:
    return {
        "kinds": [(str(kind), name) for kind, name in KIND_NAMES.items()],
        "states": [(str(state), name) for state, name in STATE_NAMES.items()],
        "townships": township_names(ask),
    }
