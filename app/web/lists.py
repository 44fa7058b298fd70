"""What rooms share: filters of lists, counts of what waits, and forms that name people by number."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import ValidationError

from app.web.asking import Asker, Refusal, wrong
from timebank.core.errors import BankError
from timebank.core.sorting import MOST_COUNTED


def asked(*names: str) -> dict[str, str]:
    """What the address says of these filters; an empty one is none."""
    return {name: value for name in names if (value := request.args.get(name, "").strip())}


def listed(ask: Asker, operation_id: str, filters: dict[str, Any], *, limit: int = 30, **path: Any) -> dict[str, Any]:
    """One page of a list, with the filters it was asked with, for the link to the next one."""
    found = ask.read(operation_id, {**filters, "limit": limit, "cursor": request.args.get("cursor")}, **path)
    return {"items": found["items"], "next_cursor": found["next_cursor"], "asked": filters}


def how_many(ask: Asker, operation_id: str, query: dict[str, Any]) -> tuple[int, bool]:
    """How many a sorted list holds, and whether there are more than one counts."""
    total = ask.read(operation_id, {**query, "limit": 1, "count": "true"})["total"]
    return (MOST_COUNTED, True) if total is None else (total, False)


def township_names(ask: Asker) -> dict[str, str]:
    """Townships by code."""
    return {one["code"]: one["name"] for one in ask.everything("townships.list")}


def person_of_number(ask: Asker, field: str) -> dict[str, Any] | Refusal:
    """Whom the identity number in a form's field stands for; a number is never part of an address."""
    number = request.form.get(field, "").strip()
    if not number:
        return wrong(field, "请填身份证号")
    try:
        found: dict[str, Any] = ask.read("people.find", {"id_number": number})
    except BankError as refusal:
        words = refusal.detail or refusal.title
        return Refusal(words, refusal.code, {}, {field: [words]})
    except ValidationError:
        return Refusal("身份证号不对", "invalid_input", {}, {field: ["身份证号不对，请核对"]})
    return found


def moment_of(typed: str | None) -> str | None:
    """What a field for day and time holds, with Beijing's offset, as operations read it."""
    return f"{typed}:00+08:00" if typed and len(typed) == len("2026-11-22T09:00") else typed


def renamed(refusal: Refusal, names: dict[str, str]) -> Refusal:
    """A refusal whose errors stand at the fields of the form, where those are called otherwise than the body's."""
    errors = {names.get(name, name): said for name, said in refusal.errors.items()}
    return Refusal(refusal.title, refusal.code, refusal.facts, errors)
