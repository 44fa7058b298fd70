"""What the desk enters about an elder: what an assessment found; and the purse of somebody who died, paid by two."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.desk.people import PERSON, seen
from app.web.doors import form_key, page
from app.web.screens import filled, screen
from app.web.steps import after, ask_whether_sure, is_sure

doors = Blueprint("desk_elders", __name__)

_LEVELS = [
    (0, "0 级，能力完好"),
    (1, "1 级，轻度失能"),
    (2, "2 级，中度失能"),
    (3, "3 级，重度失能"),
    (4, "4 级，完全失能"),
]


@page(doors, f"{PERSON}/assess", who="desk")
def assess_form(ask: Asker, person_id: UUID) -> Response:
    return _assess_form(ask, person_id)


@page(doors, f"{PERSON}/assess", who="desk", method="POST")
def assess(ask: Asker, person_id: UUID) -> Response:
    sent = filled()
    said = [word for word in sent.get("circumstances", "").replace("，", "、").split("、") if word]
    form = {"level": sent.get("level"), "evidence": sent.get("evidence"), "circumstances": said or None}
    answer = ask.write("people.assess", form, key=form_key(), person_id=person_id)
    return after(answer, "能力评估已登记", f"/desk/people/{person_id}", lambda no: _assess_form(ask, person_id, no))


@page(doors, f"{PERSON}/estate", who="desk")
def estate_form(ask: Asker, person_id: UUID) -> Response:
    return _estate_form(ask, person_id)


@page(doors, f"{PERSON}/estate", who="desk", method="POST")
def pay_out_estate(ask: Asker, person_id: UUID) -> Response:
    sent = filled()
    form = {"person_id": str(person_id), **{name: sent.get(name) for name in ("receiver_name", "evidence")}}
    unreadable = ask.unreadable("purses.pay_out_estate", form)
    if unreadable is not None:
        return _estate_form(ask, person_id, unreadable)
    path = f"/desk/people/{person_id}"
    if not is_sure():
        facts = [
            ("谁的余额", seen(ask, person_id)["name"]),
            ("退给", sent["receiver_name"]),
            ("字据", sent["evidence"]),
        ]
        return ask_whether_sure(ask, "退给这位继承人？", facts, doing="办理，两位管理员都办了才付", back=path)
    answer = ask.write("purses.pay_out_estate", form, key=form_key())
    paid = isinstance(answer, dict) and answer["status"] == "paid"
    words = "已付清全部余额" if paid else "已申请，等另一位管理员也来办；钱还没有付"
    return after(answer, words, path, lambda no: _estate_form(ask, person_id, no))


def _assess_form(ask: Asker, person_id: UUID, refusal: Refusal | None = None) -> Response:
    return screen("desk/assess.html", ask.actor, refusal=refusal, person=seen(ask, person_id), levels=_LEVELS)


def _estate_form(ask: Asker, person_id: UUID, refusal: Refusal | None = None) -> Response:
    return screen("desk/estate.html", ask.actor, refusal=refusal, person=seen(ask, person_id))
