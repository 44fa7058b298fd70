"""Policies at the desk: what is in force, what is proposed and how it differs, and the second person's approval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.lists import listed, moment_of, township_names
from app.web.doors import form_key, go, page
from app.web.screens import filled, screen
from timebank.core.errors import NotFound, Refused
from timebank.people.family_rules import RELATION_NAMES
from timebank.policies.in_words import WORDS, value_text

doors = Blueprint("desk_policies", __name__)

CHANGE = "/desk/policies/changes/<int:change_id>"


@page(doors, "/desk/policies", who="desk")
def policies(ask: Asker) -> Response:
    found = ask.everything("policies.list")
    townships, words = township_names(ask), _words(ask, found)
    items = [{**one, "text": _text(one, one["value"], words), "own": _own(one, townships, words)} for one in found]
    return screen("desk/policies.html", ask.actor, items=items)


@page(doors, "/desk/policies/changes", who="desk")
def changes(ask: Asker) -> Response:
    found = listed(ask, "policies.changes", {}, limit=20)
    return screen("desk/changes.html", ask.actor, labels=_labels(ask), **found)


@page(doors, CHANGE, who="desk")
def change(ask: Asker, change_id: int) -> Response:
    return _change_page(ask, change_id)


@page(doors, f"{CHANGE}/approve", who="desk", method="POST")
def approve_change(ask: Asker, change_id: int) -> Response:
    answer = ask.write("policies.approve", key=form_key(), change_id=change_id)
    if isinstance(answer, Refusal):
        return _change_page(ask, change_id, answer)
    tell("办法变更已批准，到生效时间自动执行")
    return go(f"/desk/policies/changes/{change_id}")


@page(doors, "/desk/policies/<string:key>/propose", who="desk")
def propose_form(ask: Asker, key: str) -> Response:
    return _propose_form(ask, key)


@page(doors, "/desk/policies/<string:key>/propose", who="desk", method="POST")
def propose(ask: Asker, key: str) -> Response:
    sent = filled()
    typed = sent.get("value", "")
    if not (typed.isascii() and typed.isdigit()):
        wrong = Refusal("填写有误，请检查标出的地方", "invalid_input", {}, {"value": ["须为整数"]})
        return _propose_form(ask, key, wrong)
    value = {"key": key, "value": int(typed), "township_code": sent.get("township_code") or None}
    form = {
        "values": [value],
        "effective_at": moment_of(sent.get("effective_at")),
        **{name: sent.get(name) for name in ("reason", "source")},
    }
    answer = ask.write("policies.propose", form, key=form_key())
    if isinstance(answer, Refusal):
        return _propose_form(ask, key, answer)
    tell("已提出，等另一位区级管理员批准")
    return go(f"/desk/policies/changes/{answer['change_id']}")


def _words(ask: Asker, policies: list[dict[str, Any]]) -> dict[str, str]:
    """What the codes within policies mean: kinds of service, relations, special categories."""
    kinds = {one["code"]: one["name"] for one in ask.everything("service_types.list")}
    categories: dict[str, str] = next(one["value"] for one in policies if one["key"] == "diner_categories")
    relations = {str(relation): name for relation, name in RELATION_NAMES.items()}
    return {**WORDS, **relations, **categories, **kinds, "other": "其他"}


def _text(policy: dict[str, Any], value: Any, words: Mapping[str, str] = WORDS) -> str:
    return value_text(value, policy["unit"], words)


def _own(policy: dict[str, Any], townships: dict[str, str], words: Mapping[str, str]) -> list[tuple[str, str]]:
    """Townships that have a value of their own, and it in words."""
    own = policy["township_values"].items()
    return [(townships.get(code, code), _text(policy, value, words)) for code, value in own]


def _labels(ask: Asker) -> dict[str, str]:
    return {one["key"]: one["label"] for one in ask.everything("policies.list")}


def _change_page(ask: Asker, change_id: int, refusal: Refusal | None = None) -> Response:
    found = next((one for one in ask.everything("policies.changes") if one["change_id"] == change_id), None)
    if found is None:
        raise NotFound("change_unknown", "没有这次变更")
    in_force, townships = ask.everything("policies.list"), township_names(ask)
    policies, words = {one["key"]: one for one in in_force}, _words(ask, in_force)
    values = []
    for value in found["values"]:
        policy, code = policies[value["key"]], value["township_code"]
        now = policy["township_values"].get(code, policy["value"])
        where = townships.get(code, code) if code else "全区"
        values.append((policy["label"], where, _text(policy, now, words), _text(policy, value["value"], words)))
    return screen("desk/change.html", ask.actor, refusal=refusal, change=found, values=values)


def _propose_form(ask: Asker, key: str, refusal: Refusal | None = None) -> Response:
    policy = next((one for one in ask.everything("policies.list") if one["key"] == key), None)
    if policy is None:
        raise Refused("policy_unknown", "没有这项办法", key=key)
    if not isinstance(policy["value"], int) or isinstance(policy["value"], bool):
        raise Refused("policy_not_a_number", "这里只能变更是一个数的办法，别的请用 timebank policies propose")
    return screen(
        "desk/propose.html",
        ask.actor,
        refusal=refusal,
        policy={**policy, "text": _text(policy, policy["value"])},
        townships=list(township_names(ask).items()),
    )
