"""Bad bodies, for every operation of the OpenAPI document: refused with the field named, and nothing changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from app.factory import MOST_BODY_BYTES
from tests.api.caller import Caller, proper_problem
from tests.api.description import Operation, describe
from tests.api.samples import sample, wrong_bodies
from tests.api.scene import Scene
from tests.api.whole_database import fingerprint

DESCRIPTION = describe()
WITH_BODY = [o for o in DESCRIPTION.operations.values() if o.body is not None]
_ids = [o.operation_id for o in WITH_BODY]

Doors = tuple[Flask, Scene]


@pytest.fixture
def caller(still_callers: dict[str, Caller]) -> Caller:
    """Bodies are read before roles are looked at, so one caller stands for all."""
    return still_callers["district"]


ANYTHING_SCANNED = {"vouchers.redeem": {"code"}, "vouchers.redeem_batch": {"scans"}}
"""What a scanner reads is answered, not refused as a request: the body gets as far as the question who asks."""


@pytest.mark.parametrize("operation", WITH_BODY, ids=_ids)
def test_a_wrong_field_is_named_and_nothing_changes(operation: Operation, caller: Caller, still_doors: Doors) -> None:
    bank = still_doors[0].extensions["timebank_database"]
    before, tried = fingerprint(bank), 0
    for what, field, body in wrong_bodies(operation):
        # json.dumps writes NaN and Infinity as the words that Python's reader takes.
        problem = caller.refused(operation.operation_id, data=json.dumps(body).encode())
        if problem["code"] == "clerk_only" and field.split(".")[0] in ANYTHING_SCANNED.get(operation.operation_id, ()):
            continue
        assert problem["code"] == "invalid_input", (what, field, problem)
        assert any(name == field or name.startswith(f"{field}.") for name in problem["errors"]), (what, field, problem)
        tried += 1
    assert tried > 5
    assert fingerprint(bank) == before


UNREADABLE: dict[str, bytes] = {
    "cut off": b'{"a": ',
    "no JSON": b"a=1&b=2",
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "nested without end": b"[" * 200_000,
    "nested in objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "nested deeper than needed": b'{"a":' * 100 + b"1" + b"}" * 100,
    "a number of 5000 digits": b'{"a": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("operation", WITH_BODY, ids=_ids)
def test_a_body_that_cannot_be_read_is_refused(operation: Operation, caller: Caller, still_doors: Doors) -> None:
    bank = still_doors[0].extensions["timebank_database"]
    before = fingerprint(bank)
    assert operation.body is not None
    for what, data in UNREADABLE.items():
        problem = caller.refused(operation.operation_id, data=data)
        assert (problem["status"], problem["code"]) == (400, "json_malformed"), what
    for data in (b"[]", b"[{}]", b"null", b'"text"', b"1", b"true"):
        problem = caller.refused(operation.operation_id, data=data)
        assert (problem["status"], problem["code"]) == (422, "invalid_input"), data
        assert problem["errors"] == {"_": ["须为 JSON 对象"]}
    if wanted := set(operation.body.get("required", [])):
        assert caller.refused(operation.operation_id, data=b"")["errors"].keys() == wanted
    good = json.dumps(sample(operation, operation.body)).encode()
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        problem = caller.refused(operation.operation_id, data=good, content_type=content_type)
        assert (problem["status"], problem["code"]) == (415, "not_json"), content_type
    assert fingerprint(bank) == before


@pytest.mark.parametrize("operation_id", [o.operation_id for o in DESCRIPTION.operations.values()])
def test_a_body_over_the_limit_is_refused_whoever_sends_it(
    operation_id: str, still_callers: dict[str, Caller], still_doors: Doors
) -> None:
    file = DESCRIPTION.operations[operation_id].file
    for caller in (still_callers["district"], still_callers["nobody"]):
        data = b'{"a": "' + b"x" * (file[1] if file is not None else MOST_BODY_BYTES) + b'"}'
        problem = caller.refused(operation_id, data=data)
        assert (problem["status"], problem["code"]) == (413, "request_too_large")


def test_a_body_at_the_limit_is_read(caller: Caller) -> None:
    padding = b" " * (MOST_BODY_BYTES - 2)
    assert caller.refused("tasks.request", data=b"{" + padding + b"}")["code"] == "invalid_input"


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"minutes": 10**15}, "minutes"),
        ({"starts_at": "2026-11-21T09:00:00"}, "starts_at"),
        ({"service_type": "x" * 41}, "service_type"),
    ],
)
def test_the_sentence_names_the_field_too(facts: dict[str, Any], says: str, caller: Caller) -> None:
    operation = DESCRIPTION.operations["tasks.request"]
    problem = caller.refused("tasks.request", {**sample(operation, operation.body or {}), **facts})
    assert problem["detail"].startswith(f"{says}：")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_wrong_method_is_refused_and_the_right_ones_named(method: str, still_callers: dict[str, Caller]) -> None:
    client = still_callers["nobody"].app.test_client()
    refused = 0
    methods: dict[str, set[str]] = {}
    for operation in DESCRIPTION.operations.values():
        methods.setdefault(operation.url({}), set()).add(operation.method)
    for url, known in methods.items():
        # /tasks/records and its like are also /tasks/{task_id} to a GET.
        if method not in known and not url.rsplit("/", 1)[1].isalpha():
            answer = client.open(url, method=method)
            assert proper_problem(answer)["code"] == "method_not_allowed"
            assert known <= set(answer.headers["Allow"].split(", "))
            refused += 1
    assert refused > 2


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/v1/tasks/", "/api/v2/tasks", "/api/", "/api/v1/tasks/x/accept"]
)
def test_an_unknown_path_is_a_problem_as_well(path: str, still_callers: dict[str, Caller]) -> None:
    answer = still_callers["nobody"].app.test_client().get(path)
    assert proper_problem(answer)["code"] == "not_found"
    assert answer.status_code == 404
