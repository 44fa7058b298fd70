"""A canteen's life at the desk: applied for, changed, its week and closed days, opened, suspended and closed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.web.asking import NOTHING, Asker, Refusal, Values, wrong
from app.web.desk.canteens import CANTEEN
from app.web.doors import form_key, page
from app.web.lists import township_names
from app.web.screens import filled, screen
from app.web.steps import after, ask_whether_sure, is_sure
from timebank.canteens.network.rules import CARRIER_NAMES, TYPE_NAMES
from timebank.canteens.pricing.rules import MEAL_NAMES

doors = Blueprint("desk_canteen_life", __name__)

MEALS = [(str(meal), name) for meal, name in MEAL_NAMES.items()]
_WEEKDAYS = [(str(day), f"星期{name}") for day, name in enumerate("一二三四五六日", 1)]
_NO_LINE = {"days": [], "opens": "", "closes": "", "capacity": ""}
_PARTICULARS = ("address", "phone", "carrier", "latitude", "longitude", "kitchen_id")
_NOTHING_YET: dict[str, Any] = dict.fromkeys(_PARTICULARS)


@page(doors, "/desk/canteens/apply", who="desk")
def apply_form(ask: Asker) -> Response:
    return _apply_form(ask)


@page(doors, "/desk/canteens/apply", who="desk", method="POST")
def apply(ask: Asker) -> Response:
    sent = filled()
    form = {name: sent.get(name) for name in ("name", "township_code", "canteen_type")}
    places = _places(sent)
    if isinstance(places, Refusal):
        return _apply_form(ask, places)
    answer = ask.write("canteens.apply", {**form, **places}, key=form_key())
    path = f"/desk/canteens/{answer['canteen_id']}" if isinstance(answer, dict) else ""
    return after(answer, "已申请，等区级现场验收", path, lambda no: _apply_form(ask, no))


@page(doors, f"{CANTEEN}/change", who="desk")
def change_form(ask: Asker, canteen_id: UUID) -> Response:
    return _change_form(ask, canteen_id)


@page(doors, f"{CANTEEN}/change", who="desk", method="POST")
def change(ask: Asker, canteen_id: UUID) -> Response:
    places = _places(filled())
    if isinstance(places, Refusal):
        return _change_form(ask, canteen_id, places)
    answer = ask.write("canteens.change", places, key=form_key(), canteen_id=canteen_id)
    return after(answer, "已变更", f"/desk/canteens/{canteen_id}", lambda no: _change_form(ask, canteen_id, no))


@page(doors, f"{CANTEEN}/hours", who="desk")
def hours_form(ask: Asker, canteen_id: UUID) -> Response:
    return _hours_form(ask, canteen_id)


@page(doors, f"{CANTEEN}/hours", who="desk", method="POST")
def set_hours(ask: Asker, canteen_id: UUID) -> Response:
    week = _week()
    if isinstance(week, Refusal):
        return _hours_form(ask, canteen_id, week)
    answer = ask.write("canteens.set_hours", {"hours": week}, key=form_key(), canteen_id=canteen_id)
    path = f"/desk/canteens/{canteen_id}"
    return after(answer, "供餐时间已更新", path, lambda no: _hours_form(ask, canteen_id, no))


@page(doors, f"{CANTEEN}/closed-days", who="desk")
def closed_days(ask: Asker, canteen_id: UUID) -> Response:
    return _closed_days(ask, canteen_id)


@page(doors, f"{CANTEEN}/closed-days", who="desk", method="POST")
def add_closed_days(ask: Asker, canteen_id: UUID) -> Response:
    answer = ask.write("canteens.add_closed_days", filled(), key=form_key(), canteen_id=canteen_id)
    return after(answer, "停餐日已登记", request.path, lambda no: _closed_days(ask, canteen_id, no))


@page(doors, f"{CANTEEN}/closed-days/remove", who="desk", method="POST")
def remove_closed_day(ask: Asker, canteen_id: UUID) -> Response:
    answer = ask.write("canteens.remove_closed_day", filled(), key=form_key(), canteen_id=canteen_id)
    path = f"/desk/canteens/{canteen_id}/closed-days"
    return after(answer, "停餐日已撤销，照常供餐", path, lambda no: _closed_days(ask, canteen_id, no))


@page(doors, f"{CANTEEN}/close", who="desk")
def close_form(ask: Asker, canteen_id: UUID) -> Response:
    return _close_form(ask, canteen_id)


@page(doors, f"{CANTEEN}/close", who="desk", method="POST")
def close(ask: Asker, canteen_id: UUID) -> Response:
    sent = {"reason": filled().get("reason")}
    unreadable = ask.unreadable("canteens.close", sent)
    if unreadable is not None:
        return _close_form(ask, canteen_id, unreadable)
    path = f"/desk/canteens/{canteen_id}"
    if not is_sure():
        name = ask.read("canteens.show", canteen_id=canteen_id)["name"]
        facts = (("助餐点", name), ("原因", sent["reason"] or ""), ("以后", "不能再供餐，编号保留，不能重新开业"))
        return ask_whether_sure(ask, f"真的永久关闭{name}？", facts, doing="永久关闭", back=path)
    answer = ask.write("canteens.close", sent, key=form_key(), canteen_id=canteen_id)
    return after(answer, "已关闭", path, lambda no: _close_form(ask, canteen_id, no))


def _places(sent: Values) -> dict[str, Any] | Refusal:
    """Particulars as the operation reads them: degrees as numbers, what is left empty as nothing."""
    body: dict[str, Any] = {name: sent.get(name) for name in _PARTICULARS}
    for name in ("latitude", "longitude"):
        try:
            body[name] = float(body[name]) if body[name] else NOTHING
        except ValueError:
            return wrong(name, "须为数字，如 29.71")
    return {**body, "kitchen_id": body["kitchen_id"] or NOTHING}


def _week() -> list[dict[str, Any]] | Refusal:
    """The lines of the form, a day each: a line counts where a weekday is ticked."""
    week = []
    for meal, name in MEALS:
        for number in range(int(request.form.get(f"{meal}-lines", "0")[:2] or 0)):
            days = request.form.getlist(f"{meal}-{number}-days")
            said = {part: request.form.get(f"{meal}-{number}-{part}", "") for part in ("opens", "closes", "capacity")}
            missing = next((part for part, value in said.items() if not value.strip()), None)
            if days and missing is not None:
                return wrong(f"{meal}-{number}-{missing}", f"{name}：打了勾的日子要填时间和份数")
            if days and not (said["capacity"].isascii() and said["capacity"].isdigit()):
                return wrong(f"{meal}-{number}-capacity", f"{name}：份数须为整数")
            week += [
                {
                    "weekday": int(day),
                    "meal": meal,
                    "opens_at": said["opens"],
                    "closes_at": said["closes"],
                    "capacity_meals": int(said["capacity"]),
                }
                for day in days
                if day in dict(_WEEKDAYS)
            ]
    return week


def _lines(hours: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A week as the form has it: for each meal, the days that are alike in one line, and an empty line more."""
    lines = []
    for meal, name in MEALS:
        alike: dict[tuple[str, str, int], list[str]] = {}
        for one in hours:
            if one["meal"] == meal:
                key = one["opens_at"], one["closes_at"], one["capacity_meals"]
                alike.setdefault(key, []).append(str(one["weekday"]))
        given = [
            {"days": days, "opens": opens, "closes": closes, "capacity": capacity}
            for (opens, closes, capacity), days in alike.items()
        ]
        lines.append({"meal": meal, "name": name, "given": [*given, _NO_LINE]})
    return lines


def _typed_lines() -> list[dict[str, Any]]:
    """The lines as they were sent, for the form that is drawn again."""
    lines = []
    for meal, name in MEALS:
        given = [
            {
                "days": request.form.getlist(f"{meal}-{number}-days"),
                **{part: request.form.get(f"{meal}-{number}-{part}", "") for part in ("opens", "closes", "capacity")},
            }
            for number in range(int(request.form.get(f"{meal}-lines", "0")[:2] or 0))
        ]
        lines.append({"meal": meal, "name": name, "given": given})
    return lines


def _apply_form(ask: Asker, refusal: Refusal | None = None) -> Response:
    own = ask.actor.township_code
    townships = [(code, name) for code, name in township_names(ask).items() if own in (None, code)]
    types = [(str(kind), name) for kind, name in TYPE_NAMES.items()]
    canteen = {**_NOTHING_YET, "township_code": own or ""}
    shown: dict[str, Any] = {"townships": townships, "types": types, "canteen": canteen}
    return screen("desk/canteen_apply.html", ask.actor, refusal=refusal, **shown, **_choices(ask, None))


def _change_form(ask: Asker, canteen_id: UUID, refusal: Refusal | None = None) -> Response:
    canteen = ask.read("canteens.show", canteen_id=canteen_id)
    choices = _choices(ask, canteen["canteen_id"])
    return screen("desk/canteen_change.html", ask.actor, refusal=refusal, canteen=canteen, **choices)


def _choices(ask: Asker, but: str | None) -> dict[str, Any]:
    """Who may carry, and whose kitchen may cook."""
    kitchens = ask.everything("canteens.list", {"state": "open"}, most=200)
    return {
        "carriers": [(str(carrier), name) for carrier, name in CARRIER_NAMES.items()],
        "kitchens": [(one["canteen_id"], one["name"]) for one in kitchens if one["canteen_id"] != but],
    }


def _hours_form(ask: Asker, canteen_id: UUID, refusal: Refusal | None = None) -> Response:
    canteen = ask.read("canteens.show", canteen_id=canteen_id)
    lines = _lines(canteen["hours"]) if refusal is None else _typed_lines()
    shown = {"canteen": canteen, "lines": lines, "weekdays": _WEEKDAYS}
    return screen("desk/canteen_hours.html", ask.actor, refusal=refusal, **shown)


def _closed_days(ask: Asker, canteen_id: UUID, refusal: Refusal | None = None) -> Response:
    canteen = ask.read("canteens.show", canteen_id=canteen_id)
    shown = {"canteen": canteen, "meals": MEALS, "meal_names": dict(MEALS)}
    return screen("desk/canteen_closed_days.html", ask.actor, refusal=refusal, **shown)


def _close_form(ask: Asker, canteen_id: UUID, refusal: Refusal | None = None) -> Response:
    canteen = ask.read("canteens.show", canteen_id=canteen_id)
    return screen("desk/canteen_close.html", ask.actor, refusal=refusal, canteen=canteen)
