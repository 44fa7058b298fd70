"""Applications to eat at canteens: read, and approved with the categories whose papers were shown, or refused."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.lists import asked, listed, township_names
from app.web.doors import form_key, go, page
from app.web.screens import filled, screen
from timebank.canteens.diners.rules import STATE_NAMES

doors = Blueprint("desk_diners", __name__)

DINER = "/desk/diners/<uuid:person_id>"


@page(doors, "/desk/diners", who="desk")
def diners(ask: Asker) -> Response:
    found = listed(ask, "diners.list", asked("state", "township_code"))
    return screen("desk/diners.html", ask.actor, states=_states(), townships=township_names(ask), **found)


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


def _category_names(ask: Asker) -> dict[str, str]:
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
        names=_category_names(ask),
        townships=township_names(ask),
    )
