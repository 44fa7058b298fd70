"""Ready-made policy sets at the desk: against what is in force, tried on the bank's own history, and proposed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal, wrong
from app.web.desk.policies import text_of, words_of
from app.web.doors import form_key, page
from app.web.lists import asked, listed, moment_of, township_names
from app.web.screens import filled, screen
from app.web.steps import after

doors = Blueprint("desk_policy_sets", __name__)

SET = "/desk/policies/sets/<string:name>"


@page(doors, "/desk/policies/<string:key>/history", who="desk")
def history(ask: Asker, key: str) -> Response:
    found = ask.read("policies.history", {"limit": 50, "cursor": request.args.get("cursor")}, policy_key=key)
    words = words_of(ask, ask.everything("policies.list"))
    items = [{**one, "text": text_of(found, one["value"], words)} for one in found["items"]]
    shown = {"policy": found, "items": items, "townships": township_names(ask)}
    return screen("desk/policy_history.html", ask.actor, next_cursor=found["next_cursor"], **shown)


@page(doors, "/desk/policies/sets", who="desk")
def sets(ask: Asker) -> Response:
    return screen("desk/policy_sets.html", ask.actor, **listed(ask, "policies.sets", {}))


@page(doors, "/desk/policies/sets/compare", who="desk")
def compare(ask: Asker) -> Response:
    names = [(one["name"], one["title"]) for one in ask.everything("policies.sets")]
    wanted = {"one": names[0][0], "other": names[-1][0], **asked("one", "other")}
    words = words_of(ask, ask.everything("policies.list"))
    items = [
        {**one, **{side: {**one[side], "text": text_of(one, one[side]["value"], words)} for side in ("one", "other")}}
        for one in ask.everything("policies.compare", wanted)
    ]
    return screen("desk/policy_compare.html", ask.actor, items=items, names=names, asked=wanted, title_of=dict(names))


@page(doors, SET, who="desk")
def set_(ask: Asker, name: str) -> Response:
    return _set_page(ask, name)


@page(doors, SET, who="desk", method="POST")
def propose(ask: Asker, name: str) -> Response:
    sent, keys = filled(), request.form.getlist("keys")
    if not keys:
        return _set_page(ask, name, wrong("keys", "至少勾一项"))
    then = {one["key"]: one["then"]["value"] for one in ask.everything("policies.set", name=name)}
    form = {
        "values": [{"key": key, "value": then[key]} for key in keys if key in then],
        "effective_at": moment_of(sent.get("effective_at")),
        **{part: sent.get(part) for part in ("reason", "source")},
    }
    answer = ask.write("policies.propose", form, key=form_key())
    path = f"/desk/policies/changes/{answer['change_id']}" if isinstance(answer, dict) else ""
    return after(answer, "已提出，等另一位区级管理员批准", path, lambda no: _set_page(ask, name, no))


@page(doors, f"{SET}/trial", who="desk")
def trial(ask: Asker, name: str) -> Response:
    found = ask.read("policies.trial", asked("months"), name=name)
    return screen("desk/policy_trial.html", ask.actor, trial=found, months=asked("months").get("months", "12"))


def _set_page(ask: Asker, name: str, refusal: Refusal | None = None) -> Response:
    words = words_of(ask, ask.everything("policies.list"))
    title = {one["name"]: one["title"] for one in ask.everything("policies.sets")}.get(name, name)
    items: list[dict[str, Any]] = [
        {**one, "now_text": text_of(one, one["now"], words), "then_text": text_of(one, one["then"]["value"], words)}
        for one in ask.everything("policies.set", name=name)
    ]
    shown = {
        "name": name,
        "title": title,
        "differing": [one for one in items if one["differs"]],
        "alike": len([one for one in items if not one["differs"]]),
        "picked": request.form.getlist("keys"),
    }
    return screen("desk/policy_set.html", ask.actor, refusal=refusal, **shown)
