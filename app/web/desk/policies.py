"""Policies at the desk: what is in force, what is proposed and how it differs, and the second person's approval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal, wrong
from app.web.browser import tell
from app.web.desk.tables import Column, Filter, Table, list_page, said, table_page
from app.web.doors import form_key, go, page
from app.web.lists import moment_of, township_names
from app.web.screens import filled, screen
from timebank.core.errors import Refused
from timebank.people.family_rules import RELATION_NAMES
from timebank.policies.in_words import WORDS, value_text

doors = Blueprint("desk_policies", __name__)

CHANGE = "/desk/policies/changes/<int:change_id>"


@page(doors, "/desk/policies", who="desk")
def policies(ask: Asker) -> Response:
    found = ask.everything("policies.list")
    townships, words = township_names(ask), words_of(ask, found)
    items = [{**one, "text": text_of(one, one["value"], words), "own": _own(one, townships, words)} for one in found]
    return screen("desk/policies.html", ask.actor, items=items)


@list_page(doors, "/desk/policies/changes")
def changes(ask: Asker) -> Response:
    labels = _labels(ask)

    def what(change: dict[str, Any]) -> str:
        values = change["values"]
        first = labels.get(values[0]["key"], values[0]["key"]) if values else ""
        return f"{first}等 {len(values)} 项" if len(values) > 1 else first

    table = Table(
        name="policy_changes",
        asks="policies.changes",
        columns=(
            Column(
                "第几次",
                said("change_id"),
                "whole",
                "number",
                link=lambda one: f"/desk/policies/changes/{one['change_id']}",
                shows=lambda one: f"第 {one['change_id']} 次",
            ),
            Column("变更什么", what, note=said("reason"), width=30),
            Column("理由", said("reason"), on="sheet", width=40),
            Column("生效", said("effective_at"), "moment", "effective_at"),
            Column("提出", said("proposed_at"), "moment", note=said("proposed_by_name")),
            Column("提出人", said("proposed_by_name"), on="sheet"),
            Column(
                "批准",
                said("approved_at"),
                "moment",
                "approved_at",
                note=lambda one: one["approved_by_name"] or ("随系统交付" if one["shipped"] else "等第二人批准"),
            ),
            Column("批准人", said("approved_by_name"), on="sheet"),
        ),
        filters=(Filter("waiting", "要办的", [("true", "等第二人批准")]),),
        empty=("没有这样的变更。", "/desk/policies", "看现行办法"),
    )
    return table_page(ask, table)


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
        return _propose_form(ask, key, wrong("value", "须为整数"))
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


def words_of(ask: Asker, policies: list[dict[str, Any]]) -> dict[str, str]:
    """What the codes within policies mean: kinds of service, relations, special categories."""
    kinds = {one["code"]: one["name"] for one in ask.everything("service_types.list")}
    categories: dict[str, str] = next(one["value"] for one in policies if one["key"] == "diner_categories")
    relations = {str(relation): name for relation, name in RELATION_NAMES.items()}
    return {**WORDS, **relations, **categories, **kinds, "other": "其他"}


def text_of(policy: Mapping[str, Any], value: Any, words: Mapping[str, str] = WORDS) -> str:
    """A value of a policy as it is read out."""
    return value_text(value, policy["unit"], words)


def _own(policy: dict[str, Any], townships: dict[str, str], words: Mapping[str, str]) -> list[tuple[str, str]]:
    """Townships that have a value of their own, and it in words."""
    own = policy["township_values"].items()
    return [(townships.get(code, code), text_of(policy, value, words)) for code, value in own]


def _labels(ask: Asker) -> dict[str, str]:
    return {one["key"]: one["label"] for one in ask.everything("policies.list")}


def _change_page(ask: Asker, change_id: int, refusal: Refusal | None = None) -> Response:
    found = ask.read("policies.change", change_id=change_id)
    in_force, townships = ask.everything("policies.list"), township_names(ask)
    policies, words = {one["key"]: one for one in in_force}, words_of(ask, in_force)
    values = []
    for value in found["values"]:
        policy, code = policies[value["key"]], value["township_code"]
        now = policy["township_values"].get(code, policy["value"])
        where = townships.get(code, code) if code else "全区"
        values.append((policy["label"], where, text_of(policy, now, words), text_of(policy, value["value"], words)))
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
        policy={**policy, "text": text_of(policy, policy["value"])},
        townships=list(township_names(ask).items()),
    )
