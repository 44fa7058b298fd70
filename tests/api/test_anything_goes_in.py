"""Whatever is sent by whomever: an answer as the document says, never a fault of the server; the books balance."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.caller import Caller
from tests.api.description import Json, Operation, describe
from tests.api.samples import NOTHING, kind_of, nullable, sample
from tests.api.scene import ROLES, Scene
from tests.factories.people import DAYAN, SHANGTIAN, XIWU

OPERATIONS = [o for o in describe().operations.values() if o.operation_id != "dev.set_clock"]
"""Moving the clock would age all tokens and tasks of the scene at once."""

Doors = tuple[Flask, Scene]
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30)
_JUNK = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
_TOWNSHIPS = st.sampled_from([XIWU, SHANGTIAN, DAYAN, "330213999"])


def value_of(operation: Operation, schema: Json, name: str, ids: list[str]) -> st.SearchStrategy[Any]:
    """Mostly what the field takes, so that calls come far; sometimes anything."""
    schema = operation.resolved(schema)
    kind, good = kind_of(schema), st.just(sample(operation, schema, name))
    if name == "township_code":
        good = _TOWNSHIPS
    elif schema.get("format") == "uuid":
        good = st.sampled_from([NOTHING, *ids])
    elif schema.get("format") == "date-time":
        good = st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())
    elif "enum" in schema:
        good = st.sampled_from(schema["enum"])
    elif kind == "integer":
        good = st.integers(schema.get("minimum", 0), schema.get("maximum", 10)) | st.integers(1, 5)
    elif kind == "string":
        good = good | st.text(min_size=1, max_size=schema.get("maxLength", 30))
    elif kind == "number":
        good = st.floats(-180, 180)
    elif kind == "object":
        good = body_of(operation, schema, ids)
    elif kind == "array":
        good = st.lists(value_of(operation, schema["items"], name, ids), min_size=1, max_size=3)
    return st.one_of(good, good, good, st.none() if nullable(schema) else good, _JUNK)


def body_of(operation: Operation, schema: Json, ids: list[str]) -> st.SearchStrategy[Any]:
    fields = {n: value_of(operation, s, n, ids) for n, s in schema.get("properties", {}).items()}
    wanted = {n: s for n, s in fields.items() if n in schema.get("required", [])}
    return st.fixed_dictionaries(wanted, optional={n: s for n, s in fields.items() if n not in wanted})


@pytest.fixture(scope="module")
def known_ids(still_doors: Doors) -> list[str]:
    scene = still_doors[1]
    people = [str(actor.person_id) for actor in scene.people.values()]
    return [*people, *map(str, scene.tasks.values()), *map(str, scene.vouchers.values()), str(scene.transfer_id)]


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_request_whatever_is_a_fault_of_the_server(
    data: st.DataObject, still_callers: dict[str, Caller], still_doors: Doors, known_ids: list[str]
) -> None:
    operation = data.draw(st.sampled_from(OPERATIONS), label="operation")
    caller = still_callers[data.draw(st.sampled_from(ROLES), label="who")]
    path = {
        p["name"]: data.draw(value_of(operation, p["schema"], p["name"], known_ids).map(str))
        for p in operation.parameters("path")
    }
    query = {
        p["name"]: data.draw(value_of(operation, p["schema"], p["name"], known_ids).map(str))
        for p in operation.parameters("query")
        if p["required"] or data.draw(st.booleans())
    }
    body = data.draw(body_of(operation, operation.body, known_ids)) if operation.body is not None else {}
    path = {name: value.encode("utf-8", "replace").decode() for name, value in path.items()}
    query = {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}
    if not all(value.strip("./") for value in path.values()):
        path = {name: NOTHING for name in path}
    how: dict[str, Any] = {"data": json.dumps(body).encode(), "query": query, **path}
    answer = caller.raw(operation.operation_id, **how)
    assert answer.status_code < 500, (operation.operation_id, caller, body, answer.text)
