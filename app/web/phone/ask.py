"""Asking for help, for oneself or for an elder one acts for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.phone.acting import whom
from app.web.screens import filled, screen
from timebank.core import clock
from timebank.core.amounts import hours_text
from timebank.policies.in_words import value_text

doors = Blueprint("ask", __name__)

_OTHER = "other"
_SPANS = (*((minutes, hours_text(minutes)) for minutes in (30, 60, 90, 120)), (_OTHER, "别的时长"))


@page(doors, "/m/ask", who="person")
def before_asking(ask: Asker) -> Response:
    if ask.actor.person_id is None:
        return go("/m/register")
    return _form(ask)


@page(doors, "/m/ask", who="person", method="POST")
def ask_for_help(ask: Asker) -> Response:
    sent = filled()
    answer = ask.write("tasks.request", {**_wanted(sent), **_place(ask, sent)}, key=form_key())
    if isinstance(answer, Refusal):
        return _form(ask, _beside_what_was_asked(answer, sent))
    tell("已发布，等志愿者接单")
    return go(f"/m/tasks/{answer['task_id']}")


def _wanted(sent: dict[str, str]) -> dict[str, Any]:
    day, at, minutes = sent.get("day", ""), sent.get("at", ""), sent.get("minutes")
    return {
        "service_type": sent.get("service_type"),
        "elder_id": sent.get("elder_id"),
        "starts_at": f"{day}T{at}:00+08:00" if day and at else None,
        "minutes": sent.get("other_minutes") if minutes == _OTHER else minutes,
        "note": sent.get("note"),
    }


def _place(ask: Asker, sent: dict[str, str]) -> dict[str, Any]:
    """Where the visit goes: as the form says, or where the diner's file of whoever is helped has meals brought."""
    if sent.get("address"):
        return {"address": sent["address"]}
    helped = sent.get("elder_id") or str(ask.actor.person())
    files = (one for one in ask.everything("diners.list") if str(one["person_id"]) == helped)
    file = next(files, None)
    if file is None:
        return {}
    return {"address": file["delivery_address"], "latitude": file["latitude"], "longitude": file["longitude"]}


def _beside_what_was_asked(refusal: Refusal, sent: dict[str, str]) -> Refusal:
    """What is wrong, beside the fields as this page has them: a moment is asked for as a day and a time."""
    moment = "day" if not sent.get("day") else "at" if not sent.get("at") else "day"
    minutes = "other_minutes" if sent.get("minutes") == _OTHER else "minutes"
    places = {"starts_at": moment, "minutes": minutes}
    return replace(refusal, errors={places.get(name, name): said for name, said in refusal.errors.items()})


def _form(ask: Asker, refusal: Refusal | None = None) -> Response:
    people = whom(ask, "help")
    others = people[1:]
    # A daughter comes here for her mother; whoever may be helped themselves comes for themselves.
    for_whom = others[0][0] if len(others) == 1 and "elder" not in ask.actor.roles else people[0][0]
    today = clock.today()
    return screen(
        "phone/help_ask.html",
        ask.actor,
        refusal=refusal,
        kinds=ask.everything("service_types.list"),
        whom=people,
        payers=_who_pays(ask, for_others=bool(others)),
        for_whom=for_whom,
        spans=_SPANS,
        today=today.isoformat(),
        tomorrow=(today + timedelta(days=1)).isoformat(),
    )


def _who_pays(ask: Asker, *, for_others: bool) -> str:
    """From where the helper's hours will come, in the order of policy; nothing where it depends on the elder."""
    [order] = [one for one in ask.everything("policies.list") if one["key"] == "payment_order"]
    if for_others and order["township_values"]:
        return ""
    township_code = ask.read("me.show")["township_code"]
    return value_text(order["township_values"].get(township_code, order["value"]), "")
