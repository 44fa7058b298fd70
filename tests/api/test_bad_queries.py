"""Bad queries and addresses, for every operation of the OpenAPI document that takes any."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from flask import Flask

from tests.api.caller import Caller, proper_problem
from tests.api.description import Json, Operation, describe
from tests.api.samples import kind_of, sample
from tests.api.scene import Scene
from tests.api.whole_database import fingerprint

OPERATIONS = describe().operations.values()
WITH_QUERY = [o for o in OPERATIONS if o.parameters("query")]
WITH_PATH = [o for o in OPERATIONS if o.parameters("path")]
Doors = tuple[Flask, Scene]


def cursor(place: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


_CURSORS = ["x", "%%%", "甲", "e30", cursor(None), cursor({}), cursor("x"), cursor([]), cursor([1, 2, 3])]
_CURSORS += [cursor([-1, -1]), cursor([2**63, 1]), cursor([True, True]), cursor([1.5, 1.5]), cursor(["a", "b"])]
_CURSORS += [cursor(7), cursor(10**400), base64.urlsafe_b64encode(b"[" * 100_000).decode()]
_WHOLE = ["0", "101", "-1", "1.5", "60.0", "abc", "", "true", "1e1", "9007199254740992", "9" * 400, "１", "+1", " 1"]
_TEXT = ["", " ", "甲\x00", "\x1b", "长" * 300]


def wrong_queries(parameter: Json) -> list[str]:
    """What no query parameter like this one may be."""
    schema = parameter["schema"]
    if parameter["name"] == "cursor":
        return _CURSORS
    if kind_of(schema) == "integer":
        return [text for text in _WHOLE if not _within(text, schema)]
    if kind_of(schema) == "boolean":
        return ["maybe", "", "2", "null"]
    wrong = {"uuid": ["1", "x" * 36, ""]}.get(schema.get("format", ""), list(_TEXT))
    return [*wrong, "nothing of this kind"] if "enum" in schema else wrong


def _within(text: str, schema: Json) -> bool:
    """Whether a text is a whole number that this parameter may be after all."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        return False
    return bool(schema["minimum"] <= int(text) <= schema["maximum"])


def _asking(operation: Operation) -> str:
    """Whose cursor it is shows only further in, so somebody must ask who may come that far."""
    if operation.operation_id == "offline.bundle":
        return "clerk"
    of_people = ("me", "vouchers", "family", "proxies")
    return "volunteer" if operation.operation_id.split(".")[0] in of_people else "district"


@pytest.mark.parametrize("operation", WITH_QUERY, ids=[o.operation_id for o in WITH_QUERY])
def test_a_wrong_query_is_refused_by_name(
    operation: Operation, still_callers: dict[str, Caller], still_doors: Doors
) -> None:
    bank = still_doors[0].extensions["timebank_database"]
    before = fingerprint(bank)
    needed = {
        p["name"]: sample(operation, p["schema"], p["name"]) for p in operation.parameters("query") if p["required"]
    }
    asking = still_callers[_asking(operation)]
    for parameter in operation.parameters("query"):
        name = parameter["name"]
        for value in wrong_queries(parameter):
            problem = asking.refused(operation.operation_id, query={**needed, name: value})
            assert (problem["code"], list(problem["errors"])) == ("invalid_input", [name]), (name, value)
        twice = [*needed.items(), (name, "1"), (name, "1")]
        problem = asking.refused(operation.operation_id, query=twice)
        assert (problem["code"], list(problem["errors"])) == ("invalid_input", [name])
    problem = asking.refused(operation.operation_id, query={**needed, "no_such_name": "1"})
    assert list(problem["errors"]) == ["no_such_name"]
    assert fingerprint(bank) == before


@pytest.mark.parametrize("operation", WITH_PATH, ids=[o.operation_id for o in WITH_PATH])
def test_a_malformed_id_in_the_address_leads_nowhere(operation: Operation, still_callers: dict[str, Caller]) -> None:
    caller = still_callers["district"]
    name = operation.parameters("path")[0]["name"]
    for value in ("1x", "-1", "1.5", "甲", "\x00", "9" * 30, "9" * 5000, "019aa000-0000-7000-8000-00000000000g", " "):
        url = operation.url({name: value})
        headers = {"Authorization": f"Bearer {caller.token}", "Idempotency-Key": "one"}
        answer = caller.app.test_client().open(url, method=operation.method, headers=headers, json={})
        assert answer.status_code in (404, 405), (value, answer.text)
        proper_problem(answer)


@pytest.mark.parametrize("window", ["1999-01", "2099-01", "2026-13", "2026-00", "2026-1", "now", "2026-11-01"])
@pytest.mark.parametrize("operation_id", ["clearing.positions", "clearing.matrix"])
def test_a_window_that_never_was_is_refused(operation_id: str, window: str, still_callers: dict[str, Caller]) -> None:
    problem = still_callers["auditor"].refused(operation_id, query={"window": window})
    assert (problem["status"], problem["code"], problem["window"]) == (404, "window_unknown", window)


def test_pages_follow_one_another_without_gap_or_repeat(still_callers: dict[str, Caller]) -> None:
    steward = still_callers["steward_xiwu"]
    whole = [task["task_id"] for task in steward.ok("tasks.list")["items"]]
    assert len(whole) > 5
    found, query = [], {"limit": "2"}
    while True:
        page = steward.ok("tasks.list", query=query)
        found += [task["task_id"] for task in page["items"]]
        if page["next_cursor"] is None:
            break
        query = {"limit": "2", "cursor": page["next_cursor"]}
    assert found == whole
