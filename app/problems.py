"""How a refusal leaves the house: RFC 9457 problem+json for programs, with the one table to HTTP statuses."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import structlog
from flask import Flask, Response, g, json, request
from marshmallow import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.exceptions import HTTPException

from timebank.core import clock
from timebank.core.errors import BankError, Conflict, NotAllowed, NotFound, Refused

STATUS_OF_CLASS: dict[type[BankError], int] = {NotFound: 404, NotAllowed: 403, Conflict: 409, Refused: 422}

STATUS_OF_CODE = {
    "not_signed_in": 401,
    "login_refused": 401,
    "wechat_code_invalid": 401,
    "wechat_blocked": 403,
    "too_many_attempts": 429,
    "too_many_lookups": 429,
    "wechat_too_often": 429,
    "wechat_unavailable": 503,
    "busy": 503,
    "idempotency_key_missing": 400,
    "file_type_not_taken": 415,
}
"""Where the kind of refusal alone does not say enough."""

HTTP_PROBLEMS = {
    400: ("json_malformed", "请求内容不是有效的 JSON"),
    404: ("not_found", "没有这个地址"),
    405: ("method_not_allowed", "这个地址不支持这种请求"),
    413: ("request_too_large", "请求内容过大"),
    415: ("not_json", "请求内容须为 JSON"),
    422: ("invalid_input", "填写有误，请检查标出的字段"),
    500: ("internal_error", "系统出错，请稍后再试"),
}
"""Code and title of what is refused before the bank is asked."""

_PASSING = frozenset({"55P03", "40P01", "40001", "57P01", "57P03"})
"""What PostgreSQL says of a wait that took too long, a deadlock it broke, a serialization that failed, a restart."""
_OTHER_SCHEMA = frozenset({"42P01", "42703"})
"""A table or column that is not there: the database is not at this version's schema."""
_BUSY_PAUSE_S = 5

_MOST_NAMED = 10
_KEPT_HEADERS = ("Allow", "Retry-After")

RefusalPage = Callable[[int, str], Response]
"""Draws a refusal for a person's browser: status and title."""

log = structlog.get_logger()


def status_of(error: BankError) -> int:
    """The HTTP status of a refusal."""
    by_class = next(status for kind, status in STATUS_OF_CLASS.items() if isinstance(error, kind))
    return STATUS_OF_CODE.get(error.code, by_class)


def problem(status: int, code: str, title: str, *, detail: str | None = None, **facts: Any) -> dict[str, Any]:
    """The body of a problem answer."""
    said = {
        "type": f"urn:timebank:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail or title,
        "code": code,
        "request_id": g.get("request_id", ""),
    }
    return {**{name: _told(fact) for name, fact in facts.items()}, **said}


def _told(fact: Any) -> Any:
    return fact.astimezone(clock.LOCAL).isoformat() if isinstance(fact, datetime) else fact


def problem_of(error: BankError) -> dict[str, Any]:
    """The body for a refusal of the bank."""
    facts = {name: fact for name, fact in error.facts.items() if name != "status"}
    said = problem(status_of(error), error.code, error.title, detail=error.detail, **facts)
    # ``status`` is the HTTP status here; where the bank tells in which status a thing stands, it is kept beside it.
    return {**said, "current_status": str(error.facts["status"])} if "status" in error.facts else said


def problem_response(body: dict[str, Any]) -> Response:
    """The answer with its media type, and when to come back where that is known."""
    response = Response(json.dumps(body), status=body["status"], content_type="application/problem+json")
    if "retry_after_seconds" in body:
        response.headers["Retry-After"] = str(body["retry_after_seconds"])
    if body["status"] == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def register_problems(app: Flask, *, page: RefusalPage) -> None:
    """Answer every error under ``/api/`` as a problem, elsewhere as a ``page``; nothing personal goes into the log."""

    def told(body: dict[str, Any]) -> Response:
        if request.path.startswith("/api/"):
            return problem_response(body)
        return page(body["status"], body["title"])

    @app.errorhandler(BankError)
    def refused(error: BankError) -> Response:
        return problem_response(problem_of(error))

    @app.errorhandler(ValidationError)
    def invalid(error: ValidationError) -> Response:
        return problem_response(_invalid(error.messages))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response | HTTPException:
        if request.path.startswith("/api/"):
            return _http_problem(error)
        if error.code is None or error.code < 400:
            return error
        return page(error.code, HTTP_PROBLEMS.get(error.code, ("", "这一页打不开"))[1])

    @app.errorhandler(DBAPIError)
    def database_error(error: DBAPIError) -> Response:
        sqlstate = getattr(error.orig, "sqlstate", None)
        if sqlstate in _OTHER_SCHEMA:
            log.warning("schema_differs", endpoint=request.endpoint, sqlstate=sqlstate)
            return told(problem(503, "not_ready", "系统升级中，请稍后再试", retry_after_seconds=60))
        if sqlstate not in _PASSING and not error.connection_invalidated:
            return broken(error)
        return waited_too_long(sqlstate)

    @app.errorhandler(NoConnection)
    def no_connection(_error: NoConnection) -> Response:
        """All connections to the database were in use for so long that the pool gave up."""
        return waited_too_long("no_connection")

    def waited_too_long(why: str | None) -> Response:
        log.warning("request_waited_too_long", endpoint=request.endpoint, sqlstate=why)
        return told(problem(503, "busy", "系统正忙，请稍后再试", retry_after_seconds=_BUSY_PAUSE_S))

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        log.error("request_failed", endpoint=request.endpoint, error=type(error).__name__, trace=trace_of(error))
        return told(problem(500, *HTTP_PROBLEMS[500]))


def _http_problem(error: HTTPException) -> Response:
    status = error.code or 500
    if status == 422:
        messages = (getattr(error, "data", None) or {}).get("messages", {})
        # By the part of the request that they came in; a name is enough to know which field is meant.
        return problem_response(_invalid(list(messages.values())))
    code, title = HTTP_PROBLEMS.get(status, ("http_error", error.name))
    response = problem_response(problem(status, code, title))
    for name, value in error.get_headers():
        if name in _KEPT_HEADERS:
            response.headers[name] = value
    return response


def _invalid(messages: Any) -> dict[str, Any]:
    """The problem of wrong fields."""
    errors = field_errors(messages)
    status = 422
    code, title = HTTP_PROBLEMS[status]
    detail = "；".join(f"{name}：{said[0]}" for name, said in list(errors.items())[:_MOST_NAMED])
    return problem(status, code, title, detail=detail, errors=errors)


def field_errors(messages: Any) -> dict[str, list[str]]:
    """Each field that is wrong, as ``scans.3.code``, with what is wrong with it; ``_`` is the whole."""
    errors: dict[str, list[str]] = {}
    for name, said in _sentences(messages):
        errors.setdefault(name or "_", []).append(said)
    return errors


def _sentences(messages: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(messages, dict):
        for name, inner in messages.items():
            # What concerns an object as a whole stands under the object's own name.
            deeper = place if name == "_schema" else f"{place}.{name}" if place else str(name)
            yield from _sentences(inner, deeper)
    elif isinstance(messages, list):
        for inner in messages:
            yield from _sentences(inner, place)
    else:
        yield place, str(messages)


def trace_of(error: BaseException) -> str:
    """Where an error came from, cause by cause: types, places, and what PostgreSQL calls it, but no messages.

    Messages quote what people typed; PostgreSQL's even show the whole row that did not fit.
    """
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        diagnosis = getattr(seen, "diag", None)
        facts = [getattr(diagnosis, name, None) for name in ("sqlstate", "table_name", "constraint_name")]
        lines += [
            *traceback.format_tb(seen.__traceback__),
            " ".join([type(seen).__name__, *filter(None, facts)]) + "\n",
        ]
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "".join(lines)
