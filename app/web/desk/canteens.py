"""Canteens at the desk: the list, each one's life from application to closing, and its yearly grades."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.tables import Column, Filter, Table, list_page, said, table_page
from app.web.doors import form_key, go, page
from app.web.lists import township_names
from app.web.screens import filled, screen
from timebank.canteens.network.rules import STATE_NAMES, TYPE_NAMES, Grade

doors = Blueprint("desk_canteens", __name__)

CANTEEN = "/desk/canteens/<uuid:canteen_id>"


@list_page(doors, "/desk/canteens")
def canteens(ask: Asker) -> Response:
    townships = township_names(ask)
    table = Table(
        name="canteens",
        asks="canteens.list",
        columns=(
            Column("助餐点", said("name"), sort="name", link=lambda one: f"/desk/canteens/{one['canteen_id']}"),
            Column("编号", said("number"), on="sheet"),
            Column("镇街", lambda one: townships.get(one["township_code"]), sort="township"),
            Column("类型", said("type_name"), sort="type"),
            Column("等级", said("grade"), sort="grade"),
            Column("状态", said("state_name"), sort="state"),
            Column("地址", said("address"), on="sheet", width=36),
            Column("电话", said("phone"), on="sheet"),
        ),
        filters=(
            Filter("state", "状态", [(str(state), name) for state, name in STATE_NAMES.items()]),
            Filter("canteen_type", "类型", [(str(kind), name) for kind, name in TYPE_NAMES.items()]),
            Filter("township_code", "镇街", list(townships.items())),
        ),
        empty=("没有这样的助餐点。", "/desk/", "回今天"),
    )
    return table_page(ask, table, "desk/canteens.html")


@page(doors, CANTEEN, who="desk")
def canteen(ask: Asker, canteen_id: UUID) -> Response:
    return _canteen_page(ask, canteen_id)


@page(doors, f"{CANTEEN}/accept", who="desk", method="POST")
def accept(ask: Asker, canteen_id: UUID) -> Response:
    sent, found = filled(), request.form.getlist("found")
    form = {
        **{name: sent.get(name) for name in ("inspected_on", "inspector_name", "remarks")},
        "checked": {point: point in found for point in _points(ask)},
    }
    answer = ask.write("canteens.accept", form, key=form_key(), canteen_id=canteen_id)
    passed = not isinstance(answer, Refusal) and answer["state"] == "accepted"
    return _after(ask, canteen_id, answer, "验收通过，已赋码" if passed else "验收未通过，已记下")


@page(doors, f"{CANTEEN}/open", who="desk", method="POST")
def open_(ask: Asker, canteen_id: UUID) -> Response:
    answer = ask.write("canteens.open", key=form_key(), canteen_id=canteen_id)
    return _after(ask, canteen_id, answer, "已开业")


@page(doors, f"{CANTEEN}/suspend", who="desk", method="POST")
def suspend(ask: Asker, canteen_id: UUID) -> Response:
    answer = ask.write("canteens.suspend", filled(), key=form_key(), canteen_id=canteen_id)
    return _after(ask, canteen_id, answer, "已暂停供餐")


@page(doors, f"{CANTEEN}/grade", who="desk", method="POST")
def propose_grade(ask: Asker, canteen_id: UUID) -> Response:
    answer = ask.write("canteens.propose_grade", filled(), key=form_key(), canteen_id=canteen_id)
    return _after(ask, canteen_id, answer, "已提出，等另一位区级管理员批准")


@page(doors, f"{CANTEEN}/grade/approve", who="desk", method="POST")
def approve_grade(ask: Asker, canteen_id: UUID) -> Response:
    answer = ask.write("canteens.approve_grade", filled(), key=form_key(), canteen_id=canteen_id)
    return _after(ask, canteen_id, answer, "等级已批准，运营补贴已记入")


def _after(ask: Asker, canteen_id: UUID, answer: Any, words: str) -> Response:
    if isinstance(answer, Refusal):
        return _canteen_page(ask, canteen_id, answer)
    tell(words)
    return go(f"/desk/canteens/{canteen_id}")


def _points(ask: Asker) -> list[str]:
    """The points of an inspection on site, as the policy has them."""
    policies = ask.everything("policies.list")
    points: list[str] = next(one["value"] for one in policies if one["key"] == "canteen_acceptance_points")
    return points


def _canteen_page(ask: Asker, canteen_id: UUID, refusal: Refusal | None = None) -> Response:
    return screen(
        "desk/canteen.html",
        ask.actor,
        refusal=refusal,
        found=request.form.getlist("found") if refusal else [],
        canteen=ask.read("canteens.show", canteen_id=canteen_id),
        grades=ask.everything("canteens.grades", canteen_id=canteen_id),
        points=_points(ask),
        grade_names=[(str(grade), str(grade)) for grade in Grade],
        townships=township_names(ask),
    )
