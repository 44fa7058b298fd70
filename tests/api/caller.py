"""Somebody at the door: calls operations by their id and holds every answer against the OpenAPI document."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from flask import Flask
from werkzeug.test import TestResponse

from tests.api.description import Description

Json = dict[str, Any]
NEW_KEY = "a new key for each call"


class Caller:
    """One login's way to the API; without a token nobody's."""

    def __init__(self, app: Flask, description: Description, token: str | None = None) -> None:
        self.app, self.description, self.token = app, description, token
        self.called: list[str] = []

    def raw(
        self,
        operation_id: str,
        body: Any = None,
        *,
        key: str | None = NEW_KEY,
        query: Any = None,
        headers: dict[str, str] | None = None,
        data: bytes | None = None,
        content_type: str = "application/json",
        **path: object,
    ) -> TestResponse:
        """The answer, whatever it is, once it was held against the document; ``data`` is sent as it stands."""
        operation = self.description.operations[operation_id]
        sent = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **(headers or {})}
        if key is not None and operation.key is not None:
            sent["Idempotency-Key"] = uuid4().hex if key is NEW_KEY else key
        how: Json = {"headers": sent, "query_string": query}
        if data is not None:
            how |= {"data": data, "content_type": content_type}
        elif body is not None:
            how["json"] = body
        answer = self.app.test_client().open(operation.url(path), method=operation.method, **how)
        misfit = operation.misfit(answer.status_code, answer.mimetype, answer.get_json(silent=True))
        assert misfit is None, f"{operation_id} {answer.status_code}: {misfit}\n{answer.text[:600]}"
        return answer

    def ok(self, operation_id: str, body: Any = None, **how: Any) -> Any:
        """The answer's body, which must be a success."""
        answer = self.raw(operation_id, body, **how)
        assert answer.status_code < 300, answer.text
        self.called.append(operation_id)
        return answer.get_json() if answer.is_json else answer.data

    def refused(self, operation_id: str, body: Any = None, **how: Any) -> Json:
        """The problem, which it must be; with everything that a person and a program need."""
        answer = self.raw(operation_id, body, **how)
        assert 400 <= answer.status_code < 500, f"{operation_id}: {answer.status_code} {answer.text[:600]}"
        return proper_problem(answer)


def proper_problem(answer: TestResponse) -> Json:
    """The body of a problem answer, with all its parts."""
    assert answer.mimetype == "application/problem+json", answer.text
    problem: Json = answer.get_json()
    assert problem["status"] == answer.status_code
    assert problem["code"]
    assert problem["type"] == f"urn:timebank:problem:{problem['code']}"
    for said in (problem["title"], problem["detail"], *(s for f in problem.get("errors", {}).values() for s in f)):
        assert any("\u4e00" <= c <= "\u9fff" for c in said), f"not in Chinese: {said}"
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    return problem
