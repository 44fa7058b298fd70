"""Moving away, leaving the bank, and deaths: what the desk enters and decides for people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.people import PERSON, seen
from app.web.desk.tables import Column, Filter, Table, list_page, said, table_page, township_filter
from app.web.doors import form_key, go, page
from app.web.lists import township_names
from app.web.screens import filled, screen

doors = Blueprint("desk_life", __name__)

REPORT = "/desk/deaths/<uuid:report_id>"

_STATES = {
    "reported": "待批准",
    "approved_once": "已一人批准，待第二人",
    "carried_out": "已办结",
    "declined": "已驳回",
}


@page(doors, f"{PERSON}/move", who="desk")
def move_form(ask: Asker, person_id: UUID) -> Response:
    return _form(ask, "desk/move.html", person_id, townships=_elsewhere(ask))


@page(doors, f"{PERSON}/move", who="desk", method="POST")
def move(ask: Asker, person_id: UUID) -> Response:
    answer = ask.write("people.move", filled(), key=form_key(), person_id=person_id)
    if isinstance(answer, Refusal):
        return _form(ask, "desk/move.html", person_id, answer, townships=_elsewhere(ask))
    tell("已迁往其他镇街，时长随人一起转出")
    return go("/desk/people")


@page(doors, f"{PERSON}/leave", who="desk")
def leave_form(ask: Asker, person_id: UUID) -> Response:
    return _leave_form(ask, person_id)


@page(doors, f"{PERSON}/leave", who="desk", method="POST")
def leave(ask: Asker, person_id: UUID) -> Response:
    answer = ask.write("leaving.leave", {**filled(), "person_id": str(person_id)}, key=form_key())
    if isinstance(answer, Refusal):
        return _leave_form(ask, person_id, answer)
    tell("已办理退出")
    return go("/desk/people")


@page(doors, f"{PERSON}/death", who="desk")
def death_form(ask: Asker, person_id: UUID) -> Response:
    return _form(ask, "desk/death_report.html", person_id)


@page(doors, f"{PERSON}/death", who="desk", method="POST")
def report_death(ask: Asker, person_id: UUID) -> Response:
    answer = ask.write("deaths.report", {**filled(), "person_id": str(person_id)}, key=form_key())
    if isinstance(answer, Refusal):
        return _form(ask, "desk/death_report.html", person_id, answer)
    tell("已上报，等两位管理员批准")
    return go(f"/desk/deaths/{answer['report_id']}")


@list_page(doors, "/desk/deaths")
def deaths(ask: Asker) -> Response:
    townships = township_names(ask)
    table = Table(
        name="deaths",
        asks="deaths.list",
        columns=(
            Column("姓名", said("name"), sort="name", link=lambda one: f"/desk/deaths/{one['report_id']}"),
            Column("镇街", lambda one: townships.get(one["township_code"]), sort="township"),
            Column("身故日期", said("died_on"), "day", "died_on"),
            Column("上报", said("reported_at"), "moment", "reported_at", note=said("reported_by_name")),
            Column("上报人", said("reported_by_name"), on="sheet"),
            Column("状态", lambda one: _STATES[one["status"]]),
            Column("办结", said("second_approved_at"), "moment", "carried_out_at", on="sheet"),
        ),
        filters=(Filter("open", "要办的", [("true", "待处理")]), *township_filter(ask)),
        empty=("没有这样的身故上报。", "/desk/", "回今天"),
    )
    return table_page(ask, table)


@page(doors, REPORT, who="desk")
def death(ask: Asker, report_id: UUID) -> Response:
    return _death_page(ask, report_id)


@page(doors, f"{REPORT}/approve", who="desk", method="POST")
def approve_death(ask: Asker, report_id: UUID) -> Response:
    answer = ask.write("deaths.approve", key=form_key(), report_id=report_id)
    if isinstance(answer, Refusal):
        return _death_page(ask, report_id, answer)
    tell("已批准" if answer["second_approved_at"] else "已批准，还要另一位管理员批准")
    return go(f"/desk/deaths/{report_id}")


@page(doors, f"{REPORT}/decline", who="desk", method="POST")
def decline_death(ask: Asker, report_id: UUID) -> Response:
    answer = ask.write("deaths.decline", filled(), key=form_key(), report_id=report_id)
    if isinstance(answer, Refusal):
        return _death_page(ask, report_id, answer)
    tell("已驳回")
    return go("/desk/deaths")


def _leave_form(ask: Asker, person_id: UUID, refusal: Refusal | None = None) -> Response:
    relatives = ask.everything("family.list", {"person_id": person_id})
    leaving = ask.read("leaving.preview", {"person_id": person_id})
    return _form(ask, "desk/leave.html", person_id, refusal, relatives=relatives, leaving=leaving)


def _form(ask: Asker, template: str, person_id: UUID, refusal: Refusal | None = None, **more: Any) -> Response:
    shown = {"person": seen(ask, person_id), **more}
    return screen(template, ask.actor, refusal=refusal, **shown)


def _elsewhere(ask: Asker) -> list[tuple[str, str]]:
    return [(code, name) for code, name in township_names(ask).items() if code != ask.actor.township_code]


def _death_page(ask: Asker, report_id: UUID, refusal: Refusal | None = None) -> Response:
    reports = ask.everything("deaths.list")
    report = next((one for one in reports if one["report_id"] == str(report_id)), None)
    return screen(
        "desk/death.html",
        ask.actor,
        status=None if report else 404,
        refusal=refusal,
        report=report,
        states=_STATES,
        townships=township_names(ask),
    )
