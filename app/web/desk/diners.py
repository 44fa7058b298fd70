"""Applications to eat at canteens: read, and approved with the categories whose papers were shown, or refused."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.tables import DAYS, Column, Filter, Table, list_page, said, table_page, township_filter
from app.web.doors import form_key, go, page
from app.web.lists import township_names
from app.web.screens import filled, screen
from timebank.canteens.diners.rules import STATE_NAMES

doors = Blueprint("desk_diners", __name__)

DINER = "/desk/diners/<uuid:person_id>"


@list_page(doors, "/desk/diners")
def diners(ask: Asker) -> Response:
    return table_page(ask, _diners(ask), heading="用餐对象与申请")


def _diners(ask: Asker) -> Table:
    townships, categories = township_names(ask), list(category_names(ask).items())
    return Table(
        name="diners",
        asks="diners.list",
        columns=(
            Column("姓名", said("name"), sort="name", link=lambda one: f"/desk/diners/{one['person_id']}"),
            Column("年龄", said("age"), "whole", "age"),
            Column("镇街", lambda one: townships.get(one["township_code"]), sort="township"),
            Column("常去助餐点", said("usual_canteen_name"), sort="canteen"),
            Column("申请", said("applied_at"), "moment", "applied_at"),
            Column("状态", said("state_name"), sort="state"),
            Column("餐食形态", said("diet_form_name"), on="sheet"),
            Column("审核", said("reviewed_at"), "moment", on="sheet"),
            Column("审核人", said("reviewed_by_name"), on="sheet"),
        ),
        filters=(
            Filter("state", "状态", _states()),
            Filter("category", "特殊类别", categories),
            *township_filter(ask),
            *DAYS,
        ),
        empty=("没有这样的用餐对象。", "/desk/people", "找到老人"),
    )


@page(doors, DINER, who="desk")
def diner(ask: Asker, person_id: UUID) -> Response:
    return _diner_page(ask, person_id)


@page(doors, f"{DINER}/approve", who="desk", method="POST")
def approve(ask: Asker, person_id: UUID) -> Response:
    sent = filled()
    shown = {"valid_from": sent.get("valid_from"), "evidence": sent.get("evidence")}
    grants = [{"category": code, **shown} for code in request.form.getlist("categories")]
    answer = ask.write("diners.review", {"approve": True, "grants": grants}, key=form_key(), person_id=person_id)
    return _after(ask, person_id, _beside_fields(answer), "已通过，可以按用餐对象的价格用餐")


@page(doors, f"{DINER}/refuse", who="desk", method="POST")
def refuse(ask: Asker, person_id: UUID) -> Response:
    form = {"approve": False, "reason": filled().get("reason")}
    answer = ask.write("diners.review", form, key=form_key(), person_id=person_id)
    return _after(ask, person_id, answer, "未通过，理由已记下")


def _after(ask: Asker, person_id: UUID, answer: Any, words: str) -> Response:
    if isinstance(answer, Refusal):
        return _diner_page(ask, person_id, answer)
    tell(words)
    return go("/desk/diners?state=applied")


def _beside_fields(answer: Any) -> Any:
    """What is wrong within a granted category, beside the fields that stand for all of them."""
    if not (isinstance(answer, Refusal) and "grants" in answer.errors):
        return answer
    wrong = ["有勾选的类别时，须填从哪天起和凭据"]
    return Refusal(answer.title, answer.code, answer.facts, {"valid_from": wrong, "evidence": wrong})


def _states() -> list[tuple[str, str]]:
    return [(str(state), name) for state, name in STATE_NAMES.items()]


def category_names(ask: Asker) -> dict[str, str]:
    """What special categories there are, by code, as the policy has them."""
    policies = ask.everything("policies.list")
    names: dict[str, str] = next(one["value"] for one in policies if one["key"] == "diner_categories")
    return names


def _diner_page(ask: Asker, person_id: UUID, refusal: Refusal | None = None) -> Response:
    diner = ask.read("diners.show", person_id=person_id)
    picked = request.form.getlist("categories") if refusal else []
    return screen(
        "desk/diner.html",
        ask.actor,
        refusal=refusal,
        filled=filled() if refusal else {"evidence": diner["proposal_evidence"] or ""},
        picked=picked,
        diner=diner,
        names=category_names(ask),
        townships=township_names(ask),
    )
