"""The monthly bulletin 月报 at the desk: a page that prints on A4, its charts, and the workbook."""

from __future__ import annotations

from itertools import groupby

from flask import Blueprint, Response

from app.api.operation import sent_response
from app.api.workbooks import XLSX
from app.web.asking import Asker
from app.web.desk import figure_words as words
from app.web.doors import page
from app.web.lists import asked, listed, township_names
from app.web.screens import screen

doors = Blueprint("desk_bulletin", __name__)


@page(doors, "/desk/bulletins", who="desk")
def bulletins(ask: Asker) -> Response:
    found = listed(ask, "bulletins.list", {}, limit=24)
    return screen("desk/bulletins.html", ask.actor, townships=township_names(ask), **found)


@page(doors, "/desk/bulletins/month", who="desk")
def bulletin(ask: Asker) -> Response:
    whose = words.whose_asked(ask)
    said = ask.read("bulletins.show", {**asked("month"), **whose})
    sections = [(name, list(lines)) for name, lines in groupby(said["lines"], key=lambda line: line["section_name"])]
    return screen(
        "desk/bulletin.html",
        ask.actor,
        said=said,
        asked=whose,
        address={"month": said["month"], **whose},
        whose=words.whose_name(said),
        sections=sections,
        townships=township_names(ask),
        words=words,
    )


@page(doors, "/desk/bulletins/month.xlsx", who="desk")
def bulletin_workbook(ask: Asker) -> Response:
    sent = ask.read("bulletins.workbook", {**asked("month"), **words.whose_asked(ask)})
    return sent_response(200, sent, XLSX)
