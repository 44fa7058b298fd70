"""What stewards write into a diner's file on evidence: special categories, and who lives in one household."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.desk.diners import DINER, category_names
from app.web.doors import form_key, page
from app.web.lists import person_of_number, renamed
from app.web.screens import filled, screen
from app.web.steps import after
from timebank.core import clock

doors = Blueprint("desk_diner_file", __name__)

CATEGORY = f"{DINER}/categories/<uuid:category_id>"
HOUSEHOLD = f"{DINER}/household"


@page(doors, f"{DINER}/categories/new", who="desk")
def category_form(ask: Asker, person_id: UUID) -> Response:
    return _category_form(ask, person_id)


@page(doors, f"{DINER}/categories/new", who="desk", method="POST")
def add_category(ask: Asker, person_id: UUID) -> Response:
    answer = ask.write("diners.add_category", filled(), key=form_key(), person_id=person_id)
    return after(answer, "特殊类别已登记", _file(person_id), lambda no: _category_form(ask, person_id, no))


@page(doors, f"{CATEGORY}/end", who="desk")
def end_form(ask: Asker, person_id: UUID, category_id: UUID) -> Response:
    return _step_form(ask, "desk/category_end.html", person_id, category_id)


@page(doors, f"{CATEGORY}/end", who="desk", method="POST")
def end_category(ask: Asker, person_id: UUID, category_id: UUID) -> Response:
    path = {"person_id": person_id, "category_id": category_id}
    answer = ask.write("diners.end_category", filled(), key=form_key(), **path)

    def again(no: Refusal) -> Response:
        return _step_form(
            ask, "desk/category_end.html", person_id, category_id, renamed(no, {"valid_until": "last_day"})
        )

    return after(answer, "特殊类别已终止", _file(person_id), again)


@page(doors, f"{CATEGORY}/withdraw", who="desk")
def withdraw_form(ask: Asker, person_id: UUID, category_id: UUID) -> Response:
    return _step_form(ask, "desk/category_withdraw.html", person_id, category_id)


@page(doors, f"{CATEGORY}/withdraw", who="desk", method="POST")
def withdraw_category(ask: Asker, person_id: UUID, category_id: UUID) -> Response:
    path = {"person_id": person_id, "category_id": category_id}
    answer = ask.write("diners.withdraw_category", filled(), key=form_key(), **path)

    def again(no: Refusal) -> Response:
        return _step_form(ask, "desk/category_withdraw.html", person_id, category_id, no)

    return after(answer, "这项类别已撤销", _file(person_id), again)


@page(doors, f"{HOUSEHOLD}/join", who="desk")
def join_form(ask: Asker, person_id: UUID) -> Response:
    return _form(ask, "desk/household_join.html", person_id)


@page(doors, f"{HOUSEHOLD}/join", who="desk", method="POST")
def join_household(ask: Asker, person_id: UUID) -> Response:
    host = person_of_number(ask, "with_id_number")
    if isinstance(host, Refusal):
        return _form(ask, "desk/household_join.html", person_id, host)
    form = {"with_person_id": host["person_id"], "evidence": filled().get("evidence")}
    answer = ask.write("diners.join_household", form, key=form_key(), person_id=person_id)

    def again(no: Refusal) -> Response:
        return _form(ask, "desk/household_join.html", person_id, renamed(no, {"with_person_id": "with_id_number"}))

    return after(answer, f"已与{host['name']}登记为同一户", _file(person_id), again)


@page(doors, f"{HOUSEHOLD}/leave", who="desk")
def leave_form(ask: Asker, person_id: UUID) -> Response:
    return _form(ask, "desk/household_leave.html", person_id)


@page(doors, f"{HOUSEHOLD}/leave", who="desk", method="POST")
def leave_household(ask: Asker, person_id: UUID) -> Response:
    answer = ask.write("diners.leave_household", filled(), key=form_key(), person_id=person_id)
    path = _file(person_id)
    return after(answer, "已退出，自己算一户", path, lambda no: _form(ask, "desk/household_leave.html", person_id, no))


def _file(person_id: UUID) -> str:
    return f"/desk/diners/{person_id}"


def _category_form(ask: Asker, person_id: UUID, refusal: Refusal | None = None) -> Response:
    offered = list(category_names(ask).items())
    return _form(ask, "desk/category_new.html", person_id, refusal, offered=offered, today=str(clock.today()))


def _step_form(
    ask: Asker, template: str, person_id: UUID, category_id: UUID, refusal: Refusal | None = None
) -> Response:
    categories = ask.read("diners.show", person_id=person_id)["categories"]
    found = next((one for one in categories if one["category_id"] == str(category_id)), None)
    return _form(ask, template, person_id, refusal, category=found)


def _form(ask: Asker, template: str, person_id: UUID, refusal: Refusal | None = None, **more: Any) -> Response:
    diner = ask.read("diners.show", person_id=person_id)
    return screen(template, ask.actor, refusal=refusal, diner=diner, back=_file(person_id), **more)
