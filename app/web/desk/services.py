"""Services at the desk: lists, back-filled hours and their second person, rulings, help for those without phones."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.people import PERSON, seen
from app.web.desk.tables import DAYS, Column, Filter, Table, list_page, said, table_page, township_filter
from app.web.doors import form_key, go, page
from app.web.lists import moment_of, person_of_number, renamed
from app.web.screens import filled, screen
from timebank.tasks.rules import STATUS_NAMES, AssignmentStatus, TaskStatus

doors = Blueprint("desk_services", __name__)

SERVICE = "/desk/services/<uuid:task_id>"

_PART_NAMES = {
    AssignmentStatus.ACCEPTED: "已接单",
    AssignmentStatus.CHECKED_IN: "服务中",
    AssignmentStatus.CHECKED_OUT: "待确认",
    AssignmentStatus.CONFIRMED: "已确认",
    AssignmentStatus.DISPUTED: "申诉中",
    AssignmentStatus.WITHDRAWN: "已退出",
    AssignmentStatus.CANCELLED: "已取消",
    AssignmentStatus.NO_SHOW: "未到",
    AssignmentStatus.RECORDED: "补录待审",
    AssignmentStatus.REJECTED: "补录未通过",
    AssignmentStatus.REVERSED: "已冲正",
}


@list_page(doors, "/desk/services")
def services(ask: Asker) -> Response:
    return table_page(ask, _services(ask))


def _services(ask: Asker) -> Table:
    kinds = [(one["code"], one["name"]) for one in ask.everything("service_types.list")]
    return Table(
        name="services",
        asks="tasks.list",
        columns=(
            Column("开始", said("starts_at"), "moment", "starts_at", link=_at),
            Column("服务", said("service_type_name"), sort="service_type"),
            Column("时长", said("minutes"), "hours", "minutes"),
            Column("老人", said("beneficiary_name"), sort="beneficiary"),
            Column("志愿者", _volunteers),
            Column("镇街", said("township_name"), sort="township"),
            Column("状态", _state, sort="status"),
            Column("入账时长", said("payable_minutes"), "hours", on="sheet"),
            Column("发布人", said("requested_by_name"), on="sheet"),
            Column("发布时间", said("requested_at"), "moment", on="sheet"),
        ),
        filters=(
            Filter("status", "状态", [(str(status), name) for status, name in STATUS_NAMES.items()]),
            Filter("service_type", "服务类型", kinds),
            *township_filter(ask),
            *DAYS,
        ),
        empty=("没有这样的服务。没有手机的老人，可以替他发布求助。", "/desk/people", "找到老人"),
    )


def _at(task: dict[str, Any]) -> str:
    return f"/desk/services/{task['task_id']}"


def _volunteers(task: dict[str, Any]) -> str:
    return "、".join(part["volunteer_name"] for part in task["assignments"]) or "还没有人接"


def _state(task: dict[str, Any]) -> str:
    filled_in = task["back_filled"] and task["status"] not in (TaskStatus.RECORDED, TaskStatus.REJECTED)
    return f"{task['status_name']}（补录）" if filled_in else str(task["status_name"])


@page(doors, SERVICE, who="desk")
def service(ask: Asker, task_id: UUID) -> Response:
    return _service_page(ask, task_id)


@page(doors, f"{SERVICE}/approve", who="desk", method="POST")
def approve(ask: Asker, task_id: UUID) -> Response:
    return _after(
        ask, task_id, ask.write("tasks.approve_record", key=form_key(), task_id=task_id), "已批准，时长已入账"
    )


@page(doors, f"{SERVICE}/reject", who="desk", method="POST")
def reject(ask: Asker, task_id: UUID) -> Response:
    return _after(ask, task_id, ask.write("tasks.reject_record", filled(), key=form_key(), task_id=task_id), "已退回")


@page(doors, f"{SERVICE}/rule", who="desk", method="POST")
def rule(ask: Asker, task_id: UUID) -> Response:
    return _after(ask, task_id, ask.write("tasks.rule", filled(), key=form_key(), task_id=task_id), "已裁定")


@page(doors, f"{SERVICE}/cancel", who="desk", method="POST")
def cancel(ask: Asker, task_id: UUID) -> Response:
    return _after(ask, task_id, ask.write("tasks.cancel", key=form_key(), task_id=task_id), "已取消")


@page(doors, f"{PERSON}/record", who="desk")
def record_form(ask: Asker, person_id: UUID) -> Response:
    return _form(ask, "desk/record.html", person_id)


@page(doors, f"{PERSON}/record", who="desk", method="POST")
def record(ask: Asker, person_id: UUID) -> Response:
    volunteer = person_of_number(ask, "volunteer_id_number")
    if isinstance(volunteer, Refusal):
        return _form(ask, "desk/record.html", person_id, volunteer)
    sent = filled()
    sent.pop("volunteer_id_number")
    when = {name: moment_of(sent.get(name)) for name in ("started_at", "ended_at")}
    form = {**sent, **when, "elder_id": str(person_id), "volunteer_id": volunteer["person_id"]}
    answer = ask.write("tasks.record", form, key=form_key())
    if isinstance(answer, Refusal):
        wrong = renamed(answer, {"volunteer_id": "volunteer_id_number"})
        return _form(ask, "desk/record.html", person_id, wrong)
    tell("已补录，等另一位管理员审批后入账")
    return go(f"/desk/services/{answer['task_id']}")


@page(doors, f"{PERSON}/request", who="desk")
def request_form(ask: Asker, person_id: UUID) -> Response:
    return _form(ask, "desk/request.html", person_id)


@page(doors, f"{PERSON}/request", who="desk", method="POST")
def request_help(ask: Asker, person_id: UUID) -> Response:
    sent = filled()
    form = {**sent, "starts_at": moment_of(sent.get("starts_at")), "elder_id": str(person_id)}
    answer = ask.write("tasks.request", form, key=form_key())
    if isinstance(answer, Refusal):
        return _form(ask, "desk/request.html", person_id, answer)
    tell("已替老人发布求助")
    return go(f"/desk/services/{answer['task_id']}")


def _after(ask: Asker, task_id: UUID, answer: object, words: str) -> Response:
    if isinstance(answer, Refusal):
        return _service_page(ask, task_id, answer)
    tell(words)
    return go(f"/desk/services/{task_id}")


def _service_page(ask: Asker, task_id: UUID, refusal: Refusal | None = None) -> Response:
    return screen(
        "desk/service.html",
        ask.actor,
        refusal=refusal,
        task=ask.read("tasks.show", task_id=task_id),
        part_names=_PART_NAMES,
    )


def _form(ask: Asker, template: str, person_id: UUID, refusal: Refusal | None = None) -> Response:
    return screen(
        template,
        ask.actor,
        refusal=refusal,
        person=seen(ask, person_id),
        kinds=ask.everything("service_types.list"),
    )
