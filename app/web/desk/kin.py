"""Relatives and heirs at the desk, for those who sign on paper; and what becomes of their coupons."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.api.operation import sent_response
from app.web.asking import NOTHING, Asker, Refusal
from app.web.desk.people import PERSON, seen
from app.web.doors import form_key, page
from app.web.lists import person_of_number, renamed
from app.web.screens import filled, screen
from app.web.steps import after
from timebank.people.family_rules import RELATION_NAMES

doors = Blueprint("desk_kin", __name__)

RELATIVE = f"{PERSON}/relatives/<uuid:relation_id>"
COUPON = f"{PERSON}/coupons/<uuid:voucher_id>"


@page(doors, f"{PERSON}/relatives/new", who="desk")
def relative_form(ask: Asker, person_id: UUID) -> Response:
    return _relative_form(ask, person_id)


@page(doors, f"{PERSON}/relatives/new", who="desk", method="POST")
def register_relative(ask: Asker, person_id: UUID) -> Response:
    relative = person_of_number(ask, "relative_id_number")
    if isinstance(relative, Refusal):
        return _relative_form(ask, person_id, relative)
    sent = filled()
    form = {
        "person_id": str(person_id),
        "relative_id": relative["person_id"],
        **{name: sent.get(name) for name in ("relation", "consent_evidence")},
    }
    answer = ask.write("family.register", form, key=form_key())
    waits = isinstance(answer, dict) and answer["status"] == "waiting"
    words = "已发给有手机的一方，等本人在手机上确认" if waits else f"登记好了：{relative['name']}"

    def again(no: Refusal) -> Response:
        return _relative_form(ask, person_id, renamed(no, {"relative_id": "relative_id_number"}))

    return after(answer, words, f"/desk/people/{person_id}", again)


@page(doors, f"{RELATIVE}/end", who="desk")
def end_relation_form(ask: Asker, person_id: UUID, relation_id: UUID) -> Response:
    return _end_form(ask, person_id, relation_id)


@page(doors, f"{RELATIVE}/end", who="desk", method="POST")
def end_relation(ask: Asker, person_id: UUID, relation_id: UUID) -> Response:
    answer = ask.write("family.end", key=form_key(), relation_id=relation_id)
    path = f"/desk/people/{person_id}"
    return after(answer, "亲属登记已解除", path, lambda no: _end_form(ask, person_id, relation_id, no))


@page(doors, f"{PERSON}/heir", who="desk")
def heir_form(ask: Asker, person_id: UUID) -> Response:
    return _heir_form(ask, person_id)


@page(doors, f"{PERSON}/heir", who="desk", method="POST")
def name_heir(ask: Asker, person_id: UUID) -> Response:
    sent = filled()
    form = {
        "person_id": sent.get("heir_id") or NOTHING,
        "of_person_id": str(person_id),
        "evidence": sent.get("evidence"),
    }
    answer = ask.write("family.name_heir", form, key=form_key())
    named = isinstance(answer, dict) and answer["person_id"] is not None
    words = "继承人已登记" if named else "不再指定继承人"

    def again(no: Refusal) -> Response:
        return _heir_form(ask, person_id, renamed(no, {"person_id": "heir_id"}))

    return after(answer, words, f"/desk/people/{person_id}", again)


@page(doors, f"{COUPON}/void", who="desk")
def void_form(ask: Asker, person_id: UUID, voucher_id: UUID) -> Response:
    return _void_form(ask, person_id, voucher_id)


@page(doors, f"{COUPON}/void", who="desk", method="POST")
def void(ask: Asker, person_id: UUID, voucher_id: UUID) -> Response:
    answer = ask.write("vouchers.void", filled(), key=form_key(), voucher_id=voucher_id)
    path = f"/desk/people/{person_id}"
    return after(answer, "这张用餐券已作废，时长已退回", path, lambda no: _void_form(ask, person_id, voucher_id, no))


@page(doors, f"{PERSON}/coupons/print", who="desk", method="POST")
def print_coupons(ask: Asker, person_id: UUID) -> Response:
    """All that somebody has unused, on paper, for those without a phone."""
    body = {"for_person_id": str(person_id), "format": filled().get("format")}
    answer = ask.write("vouchers.sheet", body, key=form_key())
    if isinstance(answer, Refusal):
        return screen("refused.html", ask.actor, status=422, title=answer.title, detail=answer.title)
    return sent_response(200, answer, "text/html")


def _relative_form(ask: Asker, person_id: UUID, refusal: Refusal | None = None) -> Response:
    relations = [(str(relation), name) for relation, name in RELATION_NAMES.items()]
    shown: dict[str, Any] = {"person": seen(ask, person_id), "relations": relations}
    return screen("desk/relative.html", ask.actor, refusal=refusal, **shown)


def _end_form(ask: Asker, person_id: UUID, relation_id: UUID, refusal: Refusal | None = None) -> Response:
    relatives = ask.everything("family.list", {"person_id": person_id})
    relative = next((one for one in relatives if one["relation_id"] == str(relation_id)), None)
    shown: dict[str, Any] = {"person": seen(ask, person_id), "relative": relative}
    return screen("desk/relative_end.html", ask.actor, refusal=refusal, **shown)


def _heir_form(ask: Asker, person_id: UUID, refusal: Refusal | None = None) -> Response:
    relatives = ask.everything("family.list", {"person_id": person_id})
    shown: dict[str, Any] = {"person": seen(ask, person_id), "relatives": relatives}
    return screen("desk/heir.html", ask.actor, refusal=refusal, **shown)


def _void_form(ask: Asker, person_id: UUID, voucher_id: UUID, refusal: Refusal | None = None) -> Response:
    coupons = ask.everything("vouchers.list", {"for_person_id": person_id, "status": "issued"})
    coupon = next((one for one in coupons if one["voucher_id"] == str(voucher_id)), None)
    shown: dict[str, Any] = {"person": seen(ask, person_id), "coupon": coupon}
    return screen("desk/coupon_void.html", ask.actor, refusal=refusal, **shown)
