"""Bodies and queries made from the OpenAPI document alone, so that a new operation is tried like the old ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from tests.api.description import Json, Operation
from tests.factories.people import XIWU
from timebank.core import clock
from timebank.people.id_numbers import check_character

NOTHING = "019aa000-0000-7000-8000-000000000000"
_BODY = "33022419590101001"
_BY_NAME = {
    "service_type": "companionship",
    "township_code": XIWU,
    "window": "2026-11",
    "id_number": _BODY + check_character(_BODY),
    "phone": "13812345678",
    "key": "voucher_valid_days",
    "month": "2026-11",
    "opens_at": "10:00",
    "closes_at": "13:30",
}

NUL, ESCAPE, SURROGATE = "甲\x00乙", "甲\x1b乙", "甲\ud800乙"
_WHOLE = [0, -1, 1.5, 60.0, True, "60", 2**53, 2**63, 10**400, [], {}, float("nan"), float("inf"), -float("inf")]
_TEXT = [1, 1.5, True, [], {}, ["甲"], {"甲": 1}, NUL, ESCAPE, SURROGATE, "\x7f", "\x85", float("nan")]
_MOMENT = ["2026-11-21T09:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+08:00", "2026-02-30T09:00:00+08:00"]
_MOMENT += ["2026-11-21", "2026-11-21T25:00:00Z", "2026-11-21T09:00:00+99:00", "昨天上午", "1764000000"]
_DATE = ["2026-1-5", "20260105", "2026-02-30", "1999-12-31", "2100-01-02", "2026-01-05T00:00:00Z", "昨天"]
_UUID = ["1", "019aa000-0000-7000-8000-00000000000g", "019aa000" * 100]
_NUMBER = ["29.6", True, [], {}, float("nan"), float("inf"), 10**400, 1000, -1000]


def sample(operation: Operation, schema: Json, name: str = "") -> Any:
    """A value that fits ``schema``."""
    schema = operation.resolved(schema)
    kind = kind_of(schema)
    if kind == "object":
        wanted = schema.get("required", [])
        return {p: sample(operation, s, p) for p, s in schema.get("properties", {}).items() if p in wanted}
    if kind == "array":
        return [sample(operation, schema["items"], name)]
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "string":
        formats = {"uuid": NOTHING, "date-time": (clock.now() + timedelta(days=1)).isoformat(), "date": "2026-01-05"}
        return formats.get(schema.get("format", ""), _BY_NAME.get(name, "甲乙"))
    if kind == "integer":
        return max(1, schema.get("minimum", 1))
    return {"number": 1.5, "boolean": False}.get(kind, 1)


def wrong_values(schema: Json) -> list[Any]:
    """Values that no field of this schema may take."""
    kind, wrong = kind_of(schema), []
    if kind == "integer":
        wrong = [value for value in _WHOLE if not (value == 0 and schema.get("minimum") == 0 and value is not False)]
    elif kind == "string":
        wrong = [*_TEXT, *{"date-time": _MOMENT, "date": _DATE, "uuid": _UUID}.get(schema.get("format", ""), [])]
        if "maxLength" in schema:
            wrong.append("长" * (schema["maxLength"] + 1))
        if schema.get("minLength"):
            wrong += ["", " \n "]
        if "enum" in schema:
            wrong.append("nothing of this kind")
    elif kind == "number":
        wrong = list(_NUMBER)
    elif kind == "array":
        wrong = ["甲", 1, {}, *([] if schema.get("minItems") == 0 else [[]]), [None], [[]], True]
    elif kind == "object":
        wrong = ["甲", 1, [], True]
    else:
        wrong = [NUL, SURROGATE, {NUL: 1}, [[SURROGATE]]]
    return wrong if nullable(schema) or not kind else [*wrong, None]


def wrong_bodies(operation: Operation) -> Iterator[tuple[str, str, Any]]:
    """Wrong bodies, each as what is wrong, which field the answer must name, and the body."""
    schema = operation.body
    assert schema is not None
    good = sample(operation, schema)
    yield "an unknown field", "no_such_field", {**good, "no_such_field": 1}
    for name in schema.get("required", []):
        yield "a missing field", name, {n: v for n, v in good.items() if n != name}
    for name, field in schema["properties"].items():
        for value in wrong_values(operation.resolved(field)):
            yield f"a wrong value {json.dumps(value)[:60]}", name, {**good, name: value}
    for name, field in schema["properties"].items():
        inner = operation.resolved(field.get("items", {}))
        for inside, deeper in inner.get("properties", {}).items():
            for value in wrong_values(operation.resolved(deeper)):
                one = sample(operation, inner)
                yield "a wrong value deeper", f"{name}.0.{inside}", {**good, name: [{**one, inside: value}]}


def kind_of(schema: Json) -> str:
    found = schema.get("type", "")
    return str(next((kind for kind in found if kind != "null"), "")) if isinstance(found, list) else str(found)


def nullable(schema: Json) -> bool:
    return "null" in schema.get("type", "") if isinstance(schema.get("type"), list) else False
