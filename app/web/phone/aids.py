"""Rehabilitation aids: what can be borrowed near, reserving one, fetching it, keeping it longer, or not after all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.lists import township_names
from app.web.phone.acting import elder_named, means_of, policies_for, spending, sure, township_of, whom
from app.web.screens import filled, moment_text, screen
from timebank.core.amounts import hours_text

doors = Blueprint("aids", __name__)

HOME = "/m/aids"
_SCOPE = "aids"
_WISH = ("kind", "township_code", "days", "for_person_id")


@page(doors, HOME, who="person")
def loans(ask: Asker) -> Response:
    found = ask.read("aid_loans.list", {"limit": 20, "cursor": request.args.get("cursor")})
    return screen(
        "phone/aid_list.html",
        ask.actor,
        loans=found["items"],
        next_cursor=found["next_cursor"],
        townships=township_names(ask),
    )


@page(doors, f"{HOME}/shelf", who="person")
def shelf(ask: Asker) -> Response:
    return screen("phone/aid_shelf.html", ask.actor, shelf=_shelf(ask), townships=township_names(ask))


@page(doors, f"{HOME}/borrow", who="person")
def borrowing(ask: Asker) -> Response:
    return _borrow_form(ask, request.args.to_dict())


@page(doors, f"{HOME}/borrow/sure", who="person")
def borrowing_sure(ask: Asker) -> Response:
    wanted = {name: request.args.get(name, "") for name in _WISH}
    wrong = ask.unreadable("aid_loans.reserve", wanted)
    if wrong is not None:
        return _borrow_form(ask, wanted, wrong)
    kind, days = _kind(ask, wanted["kind"]), int(wanted["days"])
    elder = elder_named(ask, whom(ask, _SCOPE), wanted["for_person_id"])
    price = kind["price_minutes_per_day"]
    return sure(
        ask,
        f"借{kind['name']} {days} 天",
        to=f"{HOME}/borrow",
        button="确定，预约",
        back=f"{HOME}/shelf",
        words=[
            *([f"替{elder}办，用的是{elder}的时长。"] if elder else []),
            "时长先冻结，用一天扣一天，早还的退回。",
        ],
        facts=[
            ("到哪里取", township_names(ask).get(wanted["township_code"], "有货的镇街")),
            ("一天", hours_text(price)),
            *spending(ask, price * days, wanted["for_person_id"]),
        ],
        hidden={name: value for name, value in wanted.items() if value},
    )


@page(doors, f"{HOME}/borrow", who="person", method="POST")
def borrow(ask: Asker) -> Response:
    sent = filled()
    answer = ask.write("aid_loans.reserve", sent, key=form_key())
    if isinstance(answer, Refusal):
        return _borrow_form(ask, sent, answer)
    tell(f"约好了{answer['item_name']}，请来取")
    return go(f"{HOME}/{answer['loan_id']}")


@page(doors, f"{HOME}/<uuid:loan_id>", who="person")
def loan(ask: Asker, loan_id: UUID) -> Response:
    found = ask.read("aid_loans.show", loan_id=loan_id)
    is_own = found["holder_id"] == str(ask.actor.person())
    return screen("phone/aid_one.html", ask.actor, loan=found, townships=township_names(ask), is_own=is_own)


@page(doors, f"{HOME}/<uuid:loan_id>/extend", who="person")
def extending(ask: Asker, loan_id: UUID) -> Response:
    return _extend_form(ask, loan_id)


@page(doors, f"{HOME}/<uuid:loan_id>/extend/sure", who="person")
def extending_sure(ask: Asker, loan_id: UUID) -> Response:
    wanted = {"days": request.args.get("days", "")}
    wrong = ask.unreadable("aid_loans.extend", wanted)
    if wrong is not None:
        return _extend_form(ask, loan_id, wrong, wanted)
    found, days = ask.read("aid_loans.show", loan_id=loan_id), int(wanted["days"])
    return sure(
        ask,
        f"{found['item_name']}再借 {days} 天",
        to=f"{HOME}/{loan_id}/extend",
        button="确定，续借",
        back=f"{HOME}/{loan_id}",
        words=["时长先冻结，用一天扣一天，早还的退回。"],
        facts=[
            ("借用人", found["holder_name"]),
            ("一天", hours_text(found["price_minutes"])),
            *spending(ask, found["price_minutes"] * days, found["holder_id"]),
        ],
        hidden=wanted,
    )


@page(doors, f"{HOME}/<uuid:loan_id>/extend", who="person", method="POST")
def extend(ask: Asker, loan_id: UUID) -> Response:
    sent = filled()
    answer = ask.write("aid_loans.extend", sent, key=form_key(), loan_id=loan_id)
    if isinstance(answer, Refusal):
        return _extend_form(ask, loan_id, answer, sent)
    tell(f"续借好了，一共借 {answer['days']} 天")
    return go(f"{HOME}/{loan_id}")


@page(doors, f"{HOME}/<uuid:loan_id>/cancel", who="person")
def cancelling(ask: Asker, loan_id: UUID) -> Response:
    return _cancel_sure(ask, loan_id)


@page(doors, f"{HOME}/<uuid:loan_id>/cancel", who="person", method="POST")
def cancel(ask: Asker, loan_id: UUID) -> Response:
    answer = ask.write("aid_loans.cancel", {}, key=form_key(), loan_id=loan_id)
    if isinstance(answer, Refusal):
        return _cancel_sure(ask, loan_id, answer)
    tell("取消了，冻结的时长全部退回")
    return go(HOME)


def _kind(ask: Asker, code: str) -> dict[str, Any]:
    nameless = {"code": code, "name": "辅具", "price_minutes_per_day": 0}
    return next((one for one in ask.everything("aid_items.kinds") if one["code"] == code), nameless)


def _shelf(ask: Asker) -> list[dict[str, Any]]:
    """What can be borrowed now, by kind and place, first where one lives or an elder whom one acts for."""
    near = {township_of(ask, person_id): "老人的镇街" for person_id, _ in whom(ask, _SCOPE)}
    near[ask.actor.township_code] = "您的镇街"
    found = ask.everything("aid_items.list", {"available": "true"})
    counted = Counter((one["kind"], one["at_township_code"]) for one in found)
    kinds = {one["code"]: one for one in ask.everything("aid_items.kinds")}
    listed = [
        {**kinds[kind], "township_code": where, "count": count, "near": near.get(where, "")}
        for (kind, where), count in counted.items()
        if kind in kinds
    ]
    return sorted(listed, key=lambda one: (not one["near"], one["name"], one["township_code"]))


def _borrow_form(ask: Asker, sent: Mapping[str, str], refusal: Refusal | None = None) -> Response:
    people = whom(ask, _SCOPE)
    townships = [township_of(ask, person_id) for person_id, _ in people]
    most = max(int(policies_for(ask, code)["aid_max_days"]) for code in townships)
    return screen(
        "phone/aid_borrow.html",
        ask.actor,
        refusal=refusal,
        filled=dict(sent),
        kind=_kind(ask, sent.get("kind", "")),
        where=township_names(ask).get(sent.get("township_code", ""), "有货的镇街"),
        people=people,
        most=most,
        means=means_of(ask, people),
    )


def _extend_form(
    ask: Asker, loan_id: UUID, refusal: Refusal | None = None, sent: Mapping[str, str] | None = None
) -> Response:
    return screen(
        "phone/aid_extend.html",
        ask.actor,
        refusal=refusal,
        filled=dict(sent or {}),
        loan=ask.read("aid_loans.show", loan_id=loan_id),
    )


def _cancel_sure(ask: Asker, loan_id: UUID, refusal: Refusal | None = None) -> Response:
    found = ask.read("aid_loans.show", loan_id=loan_id)
    return sure(
        ask,
        "不借了，取消预约",
        to=f"{HOME}/{loan_id}/cancel",
        button="确定，取消预约",
        back=f"{HOME}/{loan_id}",
        words=["还没取走的，取消不扣时长。"],
        facts=[
            ("辅具", found["item_name"]),
            ("保留到", moment_text(found["reserved_until"])),
            ("退回", hours_text(found["held_minutes"])),
        ],
        danger=True,
        refusal=refusal,
    )
