"""How a refusal leaves the house: RFC 9457 problem+json for programs, with the one table to HTTP statuses."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, g, json, request
from werkzeug.exceptions import HTTPException

from timebank.core.errors import BankError, Conflict, NotAllowed, NotFound, Refused

STATUS_OF_CLASS: dict[type[BankError], int] = {NotFound: 404, NotAllowed: 403, Conflict: 409, Refused: 422}

STATUS_OF_CODE = {
    "not_signed_in": 401,
    "login_refused": 401,
    "wechat_code_invalid": 401,
    "wechat_blocked": 403,
    "too_many_attempts": 429,
    "wechat_too_often": 429,
    "wechat_unavailable": 503,
    "idempotency_key_missing": 400,
}
"""Where the kind of refusal alone does not say enough."""

_HTTP_CODES = {
    400: ("bad_request", "请求格式有误"),
    404: ("not_found", "没有这个地址"),
    405: ("method_not_allowed", "这个地址不支持这种请求"),
    413: ("request_too_large", "请求内容过大"),
    415: ("not_json", "请求内容须为 JSON"),
    422: ("invalid_input", "填写有误，请检查标出的字段"),
    500: ("internal_error", "系统出错，请稍后再试"),
}

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
    return {**facts, **said}


def problem_of(error: BankError) -> dict[str, Any]:
    """The body for a refusal of the bank."""
    return problem(status_of(error), error.code, error.title, detail=error.detail, **error.facts)


def problem_response(body: dict[str, Any]) -> Response:
    """The answer with its media type, and when to come back where that is known."""
    response = Response(json.dumps(body), status=body["status"], content_type="application/problem+json")
    if "retry_after_seconds" in body:
        response.headers["Retry-After"] = str(body["retry_after_seconds"])
    if body["status"] == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def register_problems(app: Flask) -> None:
    """Answer every error under ``/api/`` as a problem; nothing personal goes into the log."""

    @app.errorhandler(BankError)
    def refused(error: BankError) -> Response:
        return problem_response(problem_of(error))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response | HTTPException:
        return _http_problem(error) if request.path.startswith("/api/") else error

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response | tuple[str, int]:
        log.error(
            "request_failed", endpoint=request.endpoint, error=type(error).__name__, exc_info=_without_values(error)
        )
        code, title = _HTTP_CODES[500]
        if request.path.startswith("/api/"):
            return problem_response(problem(500, code, title))
        return title, 500


def _http_problem(error: HTTPException) -> Response:
    if error.response is not None and error.code is None:
        return error.response  # type: ignore[return-value]
    status = error.code or 500
    code, title = _HTTP_CODES.get(status, ("http_error", error.name))
    found = getattr(error, "data", None) or {}
    messages = found.get("messages")
    facts = {"errors": _fields(messages)} if messages else {}
    if status == 400 and messages:
        code, title = "json_malformed", "请求内容不是有效的 JSON"
        facts = {}
    return problem_response(problem(status, code, title, detail=_sentence(facts.get("errors")), **facts))


def _fields(messages: dict[str, Any]) -> dict[str, Any]:
    """Messages by field, whichever part of the request the field came in."""
    fields: dict[str, Any] = {}
    for place in messages.values():
        fields.update(place if isinstance(place, dict) else {"_": place})
    return {str(name): said for name, said in fields.items()}


def _sentence(errors: dict[str, Any] | None) -> str | None:
    if not errors:
        return None
    return "；".join(f"{name}：{_first(said)}" for name, said in list(errors.items())[:10])


def _first(said: Any) -> str:
    while isinstance(said, (dict, list)) and said:
        said = next(iter(said.values())) if isinstance(said, dict) else said[0]
    return str(said)


def _without_values(error: Exception) -> tuple[type[BaseException], BaseException, Any]:
    """The traceback, with a database error's statement and parameters left out: they may hold personal data."""
    if hasattr(error, "hide_parameters"):
        error.hide_parameters = True
    return type(error), error, error.__traceback__
