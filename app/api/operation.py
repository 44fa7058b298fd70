"""One way to write a route: parse, one unit of work, one call, one answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import marshmallow
from flask import Response, g, json
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser, abort

from app.api.fields import Answer, Whole, cursor_of
from app.auth.current import current_actor
from app.idempotency import KeyRule, once, read_key
from app.problems import problem_response
from app.session import request_session
from timebank.core.actors import Actor
from timebank.core.db import unit_of_work
from timebank.core.errors import BankError

ANYONE = Actor(login_id=None, name="")
"""The actor of operations that need no login."""

View = Callable[..., Any]


class StrictParser(FlaskParser):
    """Reads request bodies; what cannot be read at all is malformed JSON, however it fails."""

    def load_json(self, req: Any, schema: marshmallow.Schema) -> Any:
        """The body, or 400."""
        try:
            return super().load_json(req, schema)
        except (ValueError, RecursionError):
            abort(400, messages={"json": ["不是有效的 JSON"]})


class Doors(Blueprint):  # type: ignore[misc]  # flask-smorest ships no types
    """A domain's blueprint."""

    ARGUMENTS_PARSER = StrictParser()


@dataclass(frozen=True, slots=True)
class Spec:
    """What one operation takes and answers."""

    operation_id: str
    answers: type[marshmallow.Schema] | None
    media_type: str
    status: int
    key: KeyRule | None
    anyone: bool
    has_body: bool


def operation(
    doors: Doors,
    rule: str,
    operation_id: str,
    summary: str,
    *,
    answers: type[marshmallow.Schema] | None,
    method: str = "GET",
    body: type[marshmallow.Schema] | None = None,
    query: type[marshmallow.Schema] | None = None,
    status: int = 200,
    key: KeyRule | None = None,
    anyone: bool = False,
    media_type: str = "application/json",
) -> Callable[[View], View]:
    """Register ``view(session, actor, [body or query], **path)`` as one operation.

    ``key`` says whether an Idempotency-Key is required or may be given; what moves minutes requires it. The view
    returns what ``answers`` dumps, or a BankError to refuse and still keep what was written. With another
    ``media_type`` there is no schema, and the view returns bytes.
    """
    spec = Spec(operation_id, answers, media_type, status, key, anyone, body is not None)

    def decorate(view: View) -> View:
        @wraps(view)
        def door(*parsed: Any, **path: Any) -> Response:
            return _answer(spec, view, parsed, path)

        wrapped: Any = door
        if body is not None:
            wrapped = doors.arguments(body, location="json")(wrapped)
        if query is not None:
            wrapped = doors.arguments(query, location="query")(wrapped)
        documented = answers or {"type": "string", "format": "binary"}
        wrapped = doors.response(status, documented, content_type=media_type)(wrapped)
        wrapped = doors.doc(operationId=operation_id, summary=summary, **_documented(key, anyone))(wrapped)
        doors.route(rule, methods=[method])(wrapped)
        return view

    return decorate


def _documented(key: KeyRule | None, anyone: bool) -> dict[str, Any]:
    parameters = []
    if key is not None:
        parameters.append(
            {
                "in": "header",
                "name": "Idempotency-Key",
                "required": key == "required",
                "schema": {"type": "string", "maxLength": 200},
                "description": "同一键同一内容只办一次；重复请求得到第一次的答复。",
            }
        )
    return {"security": [] if anyone else [{"bearer": []}], **({"parameters": parameters} if parameters else {})}


def _answer(spec: Spec, view: View, parsed: tuple[Any, ...], path: dict[str, Any]) -> Response:
    session = request_session()
    replayed = False
    with unit_of_work(session):
        actor = ANYONE if spec.anyone else current_actor(session)
        given_key = read_key(spec.key) if spec.key is not None else None
        g.operation_id = spec.operation_id

        def deed() -> tuple[int, Any]:
            found = view(session, actor, *parsed, **path)
            # A refusal that is returned, not raised, keeps what was written beside it (a counted failure).
            if isinstance(found, BankError) or spec.answers is None:
                return spec.status, found
            return spec.status, spec.answers().dump(found)

        if given_key is None:
            status, body = deed()
        else:
            status, body, replayed = once(session, actor, given_key, spec.operation_id, deed, has_body=spec.has_body)
    if isinstance(body, BankError):
        raise body
    response = _response(status, body, spec.media_type)
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _response(status: int, body: Any, media_type: str) -> Response:
    if status >= 400:
        return problem_response(body)
    sent = body if isinstance(body, bytes) else json.dumps(body)
    return Response(sent, status=status, content_type=media_type)


class Page(Answer):
    """Base of list answers; subclasses add ``items``."""

    next_cursor = marshmallow.fields.String(allow_none=True, metadata={"description": "null 表示没有更多"})


def page(found: Any, limit: int, place: Callable[[Any], Any]) -> dict[str, Any]:
    """One page from a query asked for ``limit + 1`` rows; ``place`` is where the next page goes on after a row."""
    items = list(found[:limit])
    return {"items": items, "next_cursor": cursor_of(place(items[-1])) if len(found) > limit else None}


class Problem(Answer):
    """RFC 9457 problem answer; facts stand beside these fields."""

    type = marshmallow.fields.String(required=True)
    title = marshmallow.fields.String(required=True)
    status = Whole(required=True)
    detail = marshmallow.fields.String(required=True)
    code = marshmallow.fields.String(required=True)
    request_id = marshmallow.fields.String(required=True)
    errors = marshmallow.fields.Dict(metadata={"description": "字段名与说明"})
