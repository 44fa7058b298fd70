"""A diner's file 一人一档: applying to eat, what is kept, changing it; and the purse for meals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from app.web.asking import NOTHING, Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.phone.acting import policies_for
from app.web.phone.eaters import Eater, eater_asked, id_asked
from app.web.screens import filled, screen

doors = Blueprint("diner", __name__)

_FORMS = (
    ("normal", "普通"),
    ("soft", "软食（煮得软）"),
    ("minced", "碎食（切碎）"),
    ("liquid", "流食（打成糊）"),
)
_WISHES = ("diet_form", "allergies", "religious_diet", "usual_canteen_id", "delivery_address", "delivery_note")
_NONE_OF_IT = {"religious_diet": NOTHING, "usual_canteen_id": NOTHING, "delivery_address": " ", "delivery_note": " "}
"""What a field says that was emptied: texts become blank, choices nothing."""


@page(doors, "/m/meals/apply", who="person")
def apply_form(ask: Asker) -> Response:
    whose, everybody = eater_asked(ask)
    if whose.state in ("applied", "approved"):
        return go(f"/m/meals/file{whose.tail}")
    return _apply_form(ask, whose, everybody, {})


@page(doors, "/m/meals/apply", who="person", method="POST")
def apply(ask: Asker) -> Response:
    whose, everybody = eater_asked(ask)
    sent = _sent()
    answer = ask.write("diners.apply", {**sent, "person_id": whose.person_id}, key=form_key())
    if isinstance(answer, Refusal):
        return _apply_form(ask, whose, everybody, sent, answer)
    tell("申请交好了，镇街审核后会通知")
    return go(f"/m/meals{whose.tail}")


@page(doors, "/m/meals/file", who="person")
def file(ask: Asker) -> Response:
    whose, everybody = eater_asked(ask)
    if whose.file is None:
        return go(f"/m/meals{whose.tail}")
    categories = policies_for(ask, whose.file["township_code"])["diner_categories"]
    claimed = [categories.get(code, code) for code in whose.file["proposed_categories"] or ()]
    return screen("phone/meal_file.html", ask.actor, whose=whose, everybody=everybody, claimed=claimed)


@page(doors, "/m/meals/file/change", who="person")
def change_form(ask: Asker) -> Response:
    whose, _ = eater_asked(ask)
    if whose.file is None:
        return go(f"/m/meals{whose.tail}")
    return _change_form(ask, whose, {name: whose.file[name] or "" for name in _WISHES})


@page(doors, "/m/meals/file/change", who="person", method="POST")
def change(ask: Asker) -> Response:
    whose, _ = eater_asked(ask)
    sent = _sent()
    wishes = {name: sent.get(name) or _NONE_OF_IT.get(name, sent.get(name)) for name in _WISHES if name in sent}
    answer = ask.write("diners.change", wishes, key=form_key(), person_id=id_asked(whose.person_id))
    if isinstance(answer, Refusal):
        return _change_form(ask, whose, sent, answer)
    tell("改好了")
    return go(f"/m/meals/file{whose.tail}")


@page(doors, "/m/purse", who="person")
def purse(ask: Asker) -> Response:
    whose, everybody = eater_asked(ask)
    asked = {"person_id": whose.person_id}
    lines = ask.read("purses.statement", {**asked, "limit": 20, "cursor": request.args.get("cursor")})
    return screen(
        "phone/meal_purse.html",
        ask.actor,
        whose=whose,
        everybody=everybody,
        purse=ask.read("purses.show", asked),
        lines=lines["items"],
        next_cursor=lines["next_cursor"],
    )


def _sent() -> dict[str, Any]:
    """What the form sent; boxes that are not ticked say that there is nothing."""
    ticked = {name: request.form.getlist(name) for name in ("allergies", "categories") if f"{name}-shown" in filled()}
    plain = {name: value for name, value in filled().items() if not name.endswith("-shown")}
    return {**plain, **ticked}


def _apply_form(
    ask: Asker, whose: Eater, everybody: list[Eater], sent: Mapping[str, Any], refusal: Refusal | None = None
) -> Response:
    return _form(ask, "phone/meal_apply.html", whose, sent, refusal, everybody=everybody)


def _change_form(ask: Asker, whose: Eater, sent: Mapping[str, Any], refusal: Refusal | None = None) -> Response:
    return _form(ask, "phone/meal_file_change.html", whose, sent, refusal)


def _form(
    ask: Asker, template: str, whose: Eater, sent: Mapping[str, Any], refusal: Refusal | None, **more: Any
) -> Response:
    policies = policies_for(ask, (whose.file or {}).get("township_code"))
    return screen(
        template,
        ask.actor,
        refusal=refusal,
        filled=sent,
        whose=whose,
        forms=_FORMS,
        allergens=[(word, word) for word in policies["allergens"]],
        diets=[(word, word) for word in policies["religious_diets"]],
        categories=list(policies["diner_categories"].items()),
        canteens=ask.everything("canteens.list", {"state": "open"}),
        **more,
    )
