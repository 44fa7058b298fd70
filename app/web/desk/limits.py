"""Limits at the desk: positions against them, what was granted beyond them, and when the guarantee fund stood in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal, wrong
from app.web.desk.steps import after, ask_whether_sure, is_sure
from app.web.desk.today import limit_names, own_first
from app.web.doors import form_key, page
from app.web.lists import listed, moment_of, renamed, township_names
from app.web.screens import filled, moment_text, screen
from timebank.core.amounts import hours_text

doors = Blueprint("desk_limits", __name__)

LIMITS = "/desk/clearing/limits"


@page(doors, LIMITS, who="desk")
def limits(ask: Asker) -> Response:
    found = listed(ask, "clearing.overrides", {}, limit=20)
    positions = own_first(ask, ask.read("clearing.positions"))
    shown: dict[str, Any] = {"positions": positions, "limit_names": limit_names(), "townships": township_names(ask)}
    return screen("desk/limits.html", ask.actor, **shown, **found)


@page(doors, f"{LIMITS}/guarantee", who="desk")
def guarantee_calls(ask: Asker) -> Response:
    found = listed(ask, "clearing.guarantee_calls", {})
    return screen("desk/guarantee_calls.html", ask.actor, townships=township_names(ask), **found)


@page(doors, f"{LIMITS}/grant", who="desk")
def grant_form(ask: Asker) -> Response:
    return _grant_form(ask)


@page(doors, f"{LIMITS}/grant", who="desk", method="POST")
def grant(ask: Asker) -> Response:
    sent = filled()
    hours = sent.get("hours", "")
    if not (hours.isascii() and hours.isdigit() and int(hours[:9]) > 0):
        return _grant_form(ask, wrong("hours", "须为整数小时，如 200"))
    minutes = int(hours[:9]) * 60
    form = {
        "township_code": sent.get("township_code"),
        "extra_minutes": minutes,
        "valid_until": moment_of(sent.get("valid_until")),
        "reason": sent.get("reason"),
    }
    unreadable = ask.unreadable("clearing.grant_override", form)
    if unreadable is not None:
        return _grant_form(ask, unreadable)
    if not is_sure():
        name = township_names(ask).get(str(form["township_code"]), "")
        facts = [
            ("镇街", name),
            ("在硬限额之外再放行", hours_text(minutes)),
            ("到什么时候", moment_text(str(form["valid_until"]))),
            ("理由", str(form["reason"])),
        ]
        return ask_whether_sure(ask, f"放行{name}？", facts, doing="放行", back=LIMITS)
    answer = ask.write("clearing.grant_override", form, key=form_key())
    return after(answer, "已放行，到期自动失效", LIMITS, lambda no: _grant_form(ask, no))


def _grant_form(ask: Asker, refusal: Refusal | None = None) -> Response:
    shown = renamed(refusal, {"extra_minutes": "hours"}) if refusal is not None else None
    townships = list(township_names(ask).items())
    return screen("desk/limit_grant.html", ask.actor, refusal=shown, townships=townships)
