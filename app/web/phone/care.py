"""Care at home: booking a visit, who comes and when, cancelling, and what one says of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.phone.acting import elder_named, means_of, policies_for, spending, sure, township_of, whom
from app.web.screens import day_text, filled, moment_text, screen
from timebank.core import clock
from timebank.core.amounts import hours_text
from timebank.redemption.care.rules import USUAL_SERVICE, price_minutes

doors = Blueprint("care", __name__)

HOME = "/m/care"
_SCOPE = "care"
_DAYS_OFFERED = 31
_LENGTHS = (30, 60, 90, 120, 180, 240)
_RATINGS = ((5, "很满意"), (4, "满意"), (3, "一般"), (2, "不满意"), (1, "很不满意"))
_STANDS = {
    "booked": "约好了，等镇街派人。",
    "assigned": "已派人，到时候上门。",
    "checked_in": "服务人员已到，正在服务。",
    "checked_out": "服务做完了，请您确认。",
    "disputed": "您提了异议，等镇街裁定。裁定以前不扣时长。",
    "confirmed": "服务完成了。",
    "cancelled": "已取消。",
    "not_home": "服务人员上门时没有人应门。",
    "no_show": "机构没有来，不扣时长。",
    "lapsed": "这次预约已失效，冻结的时长已退回。",
}


@page(doors, HOME, who="person")
def bookings(ask: Asker) -> Response:
    found = ask.read("care_bookings.list", {"limit": 20, "cursor": request.args.get("cursor")})
    return screen("phone/care_list.html", ask.actor, bookings=found["items"], next_cursor=found["next_cursor"])


@page(doors, f"{HOME}/book", who="person")
def booking_form(ask: Asker) -> Response:
    return _book_form(ask, {})


@page(doors, f"{HOME}/book/sure", who="person", method="POST")
def booking_sure(ask: Asker) -> Response:
    """Shows what a visit will hold; nothing is done yet, and what was typed stays out of the address."""
    sent = filled()
    wanted = _visit(sent)
    wrong = ask.unreadable("care_bookings.book", wanted)
    if wrong is not None:
        return _book_form(ask, sent, wrong)
    elder = elder_named(ask, whom(ask, _SCOPE), wanted.get("for_person_id"))
    service = _service(ask, sent.get("service", ""))
    price = price_minutes(int(wanted["minutes"]), service["rate_percent"])
    return sure(
        ask,
        "约这次上门照护",
        to=f"{HOME}/book",
        button="确定，预约",
        back=f"{HOME}/book",
        words=[
            *([f"替{elder}办，用的是{elder}的时长。"] if elder else []),
            "时长先冻结，做完了用多少扣多少，剩下的退回。",
        ],
        facts=[
            ("项目", service["name"]),
            ("时间", moment_text(wanted["starts_at"])),
            ("多久", hours_text(int(wanted["minutes"]))),
            ("机构", _provider_name(ask, wanted.get("provider_id"))),
            *([("地址", wanted["address"])] if wanted.get("address") else []),
            *([("要说明的", wanted["note"])] if wanted.get("note") else []),
            *spending(ask, price, wanted.get("for_person_id")),
        ],
        hidden={name: value for name, value in sent.items() if value},
    )


@page(doors, f"{HOME}/book", who="person", method="POST")
def book(ask: Asker) -> Response:
    sent = filled()
    answer = ask.write("care_bookings.book", _visit(sent), key=form_key())
    if isinstance(answer, Refusal):
        return _book_form(ask, sent, answer)
    tell(f"约好了：{moment_text(answer['starts_at'])}，冻结 {hours_text(answer['held_minutes'])}")
    return go(f"{HOME}/{answer['booking_id']}")


@page(doors, f"{HOME}/<uuid:booking_id>", who="person")
def booking(ask: Asker, booking_id: UUID) -> Response:
    found = ask.read("care_bookings.show", booking_id=booking_id)
    charged_unserved = found["status"] in ("not_home", "cancelled") and bool(found["payable_minutes"])
    return screen(
        "phone/care_one.html",
        ask.actor,
        booking=found,
        stands=_STANDS[found["status"]],
        is_own=found["elder_id"] == str(ask.actor.person()),
        returned=None if found["payable_minutes"] is None else _returned(found),
        may_object=found["status"] in ("checked_in", "checked_out") or (charged_unserved and not found["objection"]),
    )


@page(doors, f"{HOME}/<uuid:booking_id>/cancel", who="person")
def cancelling(ask: Asker, booking_id: UUID) -> Response:
    return _cancel_sure(ask, booking_id)


@page(doors, f"{HOME}/<uuid:booking_id>/cancel", who="person", method="POST")
def cancel(ask: Asker, booking_id: UUID) -> Response:
    answer = ask.write("care_bookings.cancel", {}, key=form_key(), booking_id=booking_id)
    if isinstance(answer, Refusal):
        return _cancel_sure(ask, booking_id, answer)
    paid = answer["payable_minutes"] or 0
    tell(f"取消了，扣了 {hours_text(paid)}" if paid else "取消了，没有扣时长")
    return go(f"{HOME}/{booking_id}")


@page(doors, f"{HOME}/<uuid:booking_id>/confirm", who="person")
def confirming(ask: Asker, booking_id: UUID) -> Response:
    return _confirm_form(ask, booking_id)


@page(doors, f"{HOME}/<uuid:booking_id>/confirm", who="person", method="POST")
def confirm(ask: Asker, booking_id: UUID) -> Response:
    answer = ask.write("care_bookings.confirm", filled(), key=form_key(), booking_id=booking_id)
    if isinstance(answer, Refusal):
        return _confirm_form(ask, booking_id, answer)
    tell(f"确认了，扣 {hours_text(answer['payable_minutes'])}，谢谢您")
    return go(f"{HOME}/{booking_id}")


@page(doors, f"{HOME}/<uuid:booking_id>/object", who="person")
def objecting(ask: Asker, booking_id: UUID) -> Response:
    return _object_form(ask, booking_id)


@page(doors, f"{HOME}/<uuid:booking_id>/object", who="person", method="POST")
def object_to(ask: Asker, booking_id: UUID) -> Response:
    answer = ask.write("care_bookings.dispute", filled(), key=form_key(), booking_id=booking_id)
    if isinstance(answer, Refusal):
        return _object_form(ask, booking_id, answer)
    tell("异议提了，等镇街核实" if answer["objection"] else "异议提了，等镇街裁定；裁定以前不扣时长")
    return go(f"{HOME}/{booking_id}")


def _visit(sent: Mapping[str, str]) -> dict[str, str]:
    """What the form says, as the bank reads it: a day and a time become one moment of Fenghua."""
    told = {name: value for name, value in sent.items() if name not in ("day", "time") and value}
    return {**told, "starts_at": f"{sent.get('day', '')}T{sent.get('time', '')}:00+08:00"}


def _book_form(ask: Asker, sent: Mapping[str, str], refusal: Refusal | None = None) -> Response:
    people = whom(ask, _SCOPE)
    # Who comes and how far ahead is as in the elder's township; before one is chosen, that of anybody one acts for.
    townships = {township_of(ask, sent.get("for_person_id") or person_id) for person_id, _ in people}
    policies = policies_for(ask, next(iter(townships)) if len(townships) == 1 else None)
    shortest, longest = policies["care_min_minutes"], policies["care_max_minutes"]
    today = clock.today()
    days = [today + timedelta(days=ahead) for ahead in range(min(int(policies["care_ahead_days"]), _DAYS_OFFERED) + 1)]
    providers = [one for code in townships for one in ask.everything("care_providers.list", {"township_code": code})]
    return screen(
        "phone/care_book.html",
        ask.actor,
        refusal=refusal,
        filled=dict(sent),
        people=people,
        services=[
            (one["code"], f"{one['name']}（1小时扣{hours_text(one['rate_percent'] * 60 // 100)}）")
            for one in _services(ask)
        ],
        usual=USUAL_SERVICE,
        providers=sorted({(one["provider_id"], one["name"]) for one in providers if one["active"]}, key=itemgetter(1)),
        days=[(day.isoformat(), day_text(day)) for day in days],
        tomorrow=(today + timedelta(days=1)).isoformat(),
        times=[f"{hour:02}:{half:02}" for hour in range(6, 21) for half in (0, 30)],
        lengths=[(one, hours_text(one)) for one in _LENGTHS if shortest <= one <= longest],
        means=means_of(ask, people),
    )


def _services(ask: Asker) -> list[dict[str, Any]]:
    return [one for one in ask.everything("care_services.list") if one["active"]]


def _service(ask: Asker, code: str) -> dict[str, Any]:
    usual = {"code": code, "name": "上门服务", "rate_percent": 100}
    return next((one for one in _services(ask) if one["code"] == (code or USUAL_SERVICE)), usual)


def _provider_name(ask: Asker, provider_id: str | None) -> str:
    found = ask.everything("care_providers.list") if provider_id else []
    return next((str(one["name"]) for one in found if one["provider_id"] == provider_id), "由镇街派")


def _returned(found: Mapping[str, Any]) -> int:
    return int(found["held_minutes"]) - int(found["captured_minutes"] or 0)


def _cancel_sure(ask: Asker, booking_id: UUID, refusal: Refusal | None = None) -> Response:
    found = ask.read("care_bookings.show", booking_id=booking_id)
    return sure(
        ask,
        "取消这次上门照护",
        to=f"{HOME}/{booking_id}/cancel",
        button="确定，取消预约",
        back=f"{HOME}/{booking_id}",
        words=_late_words(ask, found),
        facts=[
            ("老人", found["elder_name"]),
            ("项目", found["service_name"]),
            ("时间", moment_text(found["starts_at"])),
            ("冻结着", hours_text(found["held_minutes"])),
        ],
        danger=True,
        refusal=refusal,
    )


def _late_words(ask: Asker, found: Mapping[str, Any]) -> list[str]:
    """Until when cancelling is free, and what it costs afterwards."""
    policies = policies_for(ask, found["township_code"])
    free, percent = policies["care_cancel_free_minutes"], policies["care_late_cancel_percent"]
    if found["status"] != "assigned" or not percent:
        return ["取消不扣时长，冻结的全部退回。"]
    until = datetime.fromisoformat(found["starts_at"]) - timedelta(minutes=free)
    kept = hours_text((found["held_minutes"] * percent + 50) // 100)
    return [f"{moment_text(until)}以前取消，不扣时长。", f"过了这个时间，机构已安排了人，要扣 {kept}。"]


def _confirm_form(ask: Asker, booking_id: UUID, refusal: Refusal | None = None) -> Response:
    return _of_booking(ask, "phone/care_confirm.html", booking_id, refusal, ratings=_RATINGS)


def _object_form(ask: Asker, booking_id: UUID, refusal: Refusal | None = None) -> Response:
    return _of_booking(ask, "phone/care_object.html", booking_id, refusal)


def _of_booking(ask: Asker, template: str, booking_id: UUID, refusal: Refusal | None, **more: Any) -> Response:
    return screen(
        template,
        ask.actor,
        refusal=refusal,
        booking=ask.read("care_bookings.show", booking_id=booking_id),
        **more,
    )
