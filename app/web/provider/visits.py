"""A provider's visits: today's, those to come and those before; and what its people do at the door."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.lists import listed
from app.web.phone.acting import policies_for
from app.web.screens import filled, screen
from timebank.core import clock
from timebank.core.amounts import hours_text
from timebank.tasks.rules import at_rate

doors = Blueprint("provider_visits", __name__)

HOME = "/care/"
VISIT = "/care/visits/<uuid:booking_id>"
_A_PAGE = 20
_STEPS = {
    "not_home": "上门无人",
    "decline": "谢绝这次派单",
    "cancel": "取消这次服务",
    "dispute": "有争议，请镇街裁定",
}
"""What is done with a reason, and what its page is called."""
_DONE = {
    "not_home": "已登记上门无人，老人和镇街会收到通知",
    "decline": "已谢绝，镇街另派机构",
    "cancel": "已取消，老人的时长全部退回",
    "dispute": "已提交，等镇街裁定",
}
_MAY = {
    "booked": ("decline",),
    "assigned": ("not_home", "decline", "cancel"),
    "checked_in": ("dispute",),
    "checked_out": ("dispute",),
}
"""What may be done with a reason where a visit stands so."""


@page(doors, HOME, who="provider")
def today(ask: Asker) -> Response:
    day = clock.today()
    return _list(ask, "today", {"since": day, "until": day, "sort": "starts_at"})


@page(doors, "/care/coming", who="provider")
def coming(ask: Asker) -> Response:
    return _list(ask, "coming", {"since": clock.today() + timedelta(days=1), "sort": "starts_at"})


@page(doors, "/care/past", who="provider")
def past(ask: Asker) -> Response:
    return _list(ask, "past", {"until": clock.today() - timedelta(days=1), "sort": "-starts_at"})


@page(doors, VISIT, who="provider")
def visit(ask: Asker, booking_id: UUID) -> Response:
    return _drawn(ask, booking_id)


@page(doors, f"{VISIT}/check-in", who="provider", method="POST")
def check_in(ask: Asker, booking_id: UUID) -> Response:
    answer = ask.write("care_bookings.check_in", filled(), key=form_key(), booking_id=booking_id)
    return _after(ask, booking_id, answer, "已签到，服务开始计时")


@page(doors, f"{VISIT}/check-out", who="provider", method="POST")
def check_out(ask: Asker, booking_id: UUID) -> Response:
    answer = ask.write("care_bookings.check_out", key=form_key(), booking_id=booking_id)
    served = hours_text(answer["served_minutes"]) if isinstance(answer, dict) else ""
    return _after(ask, booking_id, answer, f"已签退，服务了 {served}，等老人确认")


@page(doors, f"{VISIT}/<any(not_home, decline, cancel, dispute):step>", who="provider")
def step_form(ask: Asker, booking_id: UUID, step: str) -> Response:
    return _step_form(ask, booking_id, step)


@page(doors, f"{VISIT}/not_home", who="provider", method="POST")
def not_home(ask: Asker, booking_id: UUID) -> Response:
    answer = ask.write("care_bookings.not_home", filled(), key=form_key(), booking_id=booking_id)
    return _stepped(ask, booking_id, "not_home", answer)


@page(doors, f"{VISIT}/decline", who="provider", method="POST")
def decline(ask: Asker, booking_id: UUID) -> Response:
    answer = ask.write("care_bookings.decline", filled(), key=form_key(), booking_id=booking_id)
    return _stepped(ask, booking_id, "decline", answer)


@page(doors, f"{VISIT}/cancel", who="provider", method="POST")
def cancel(ask: Asker, booking_id: UUID) -> Response:
    answer = ask.write("care_bookings.cancel", filled(), key=form_key(), booking_id=booking_id)
    return _stepped(ask, booking_id, "cancel", answer)


@page(doors, f"{VISIT}/dispute", who="provider", method="POST")
def dispute(ask: Asker, booking_id: UUID) -> Response:
    answer = ask.write("care_bookings.dispute", filled(), key=form_key(), booking_id=booking_id)
    return _stepped(ask, booking_id, "dispute", answer)


def _after(ask: Asker, booking_id: UUID, answer: Any, words: str) -> Response:
    if isinstance(answer, Refusal):
        return _drawn(ask, booking_id, answer)
    tell(words)
    return go(f"/care/visits/{booking_id}")


def _stepped(ask: Asker, booking_id: UUID, step: str, answer: Any) -> Response:
    if isinstance(answer, Refusal):
        return _step_form(ask, booking_id, step, answer)
    tell(_DONE[step])
    # A visit that was declined is no business of this provider any more.
    return go(HOME if step == "decline" else f"/care/visits/{booking_id}")


def _list(ask: Asker, which: str, wanted: dict[str, Any]) -> Response:
    found = listed(ask, "care_bookings.list", wanted, limit=_A_PAGE)
    shown = {"visits": found["items"], "next_cursor": found["next_cursor"]}
    return screen("provider/visits.html", ask.actor, which=which, day=clock.today(), **shown)


def _drawn(ask: Asker, booking_id: UUID, refusal: Refusal | None = None) -> Response:
    found = ask.read("care_bookings.show", booking_id=booking_id)
    steps = [(step, _STEPS[step]) for step in _MAY.get(found["status"], ())]
    return screen("provider/visit.html", ask.actor, refusal=refusal, visit=found, steps=steps)


def _step_form(ask: Asker, booking_id: UUID, step: str, refusal: Refusal | None = None) -> Response:
    found = ask.read("care_bookings.show", booking_id=booking_id)
    held: int = found["held_minutes"]
    percent = int(policies_for(ask, found["township_code"])["care_not_home_percent"])
    begun = clock.now() >= datetime.fromisoformat(found["starts_at"])
    return screen(
        "provider/step.html",
        ask.actor,
        refusal=refusal,
        visit=found,
        step=step,
        title=_STEPS[step],
        may=step in _MAY.get(found["status"], ()),
        begun=begun,
        taken_minutes=at_rate(held, percent),
        back_minutes=held - at_rate(held, percent),
    )
