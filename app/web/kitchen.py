"""A kitchen's day, for the counter and the desk: what is cooked, what goes where, and when a meal was cooked."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from app.api.operation import sent_response
from app.api.workbooks import XLSX
from app.web.asking import Asker
from app.web.counter.meals import MEALS
from timebank.canteens.pricing.rules import DIET_FORM_NAMES, WAY_NAMES
from timebank.core import clock
from timebank.core.errors import BankError

_WHICH = ("on", "meal")


def which_meal(canteen_id: Any, *, on: str, meal: str) -> dict[str, str]:
    """The meal of a kitchen that the address or the form names, or else this one."""
    said = {name: request.values.get(name, "").strip() for name in _WHICH}
    wanted = said["meal"] if said["meal"] in MEALS else meal
    return {"canteen_id": str(canteen_id), "on": said["on"] or on, "meal": wanted}


def kitchen_seen(ask: Asker, wanted: dict[str, str]) -> dict[str, Any]:
    """What a screen shows of a meal; of a canteen that does not cook only who cooks for it."""
    shown = {"on": wanted["on"], "meal": wanted["meal"], "meals": MEALS, "today": str(clock.today())}
    names = {"diet_forms": _by_code(DIET_FORM_NAMES), "way_names": _by_code(WAY_NAMES)}
    try:
        plan = ask.read("kitchen.plan", wanted)
    except BankError as refusal:
        if refusal.code != "not_a_kitchen":
            raise
        return {**shown, "plan": None, "cooks": refusal.facts["kitchen_name"]}
    boxes = ask.read("kitchen.distribution", wanted)["distribution"]
    several = len({one["canteen_id"] for one in boxes}) > 1
    return {**shown, **names, "plan": plan, "boxes": boxes, "several": several}


def kitchen_workbook(ask: Asker, wanted: dict[str, str]) -> Response:
    """Both lists as a workbook, to be printed. Raises what ``kitchen.workbook`` raises."""
    return sent_response(200, ask.read("kitchen.workbook", wanted), XLSX)


def path_of(address: str, wanted: dict[str, str]) -> str:
    """The page of this meal: neither says who eats."""
    return f"{address}?on={wanted['on']}&meal={wanted['meal']}"


def _by_code(names: Any) -> dict[str, str]:
    return {str(code): name for code, name in names.items()}
