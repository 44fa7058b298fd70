"""Structured logs: one line a request, with its id and the login's; never a body, a query or a name."""

from __future__ import annotations

import logging
import re
import sys
import time
from functools import cache
from typing import TextIO, cast
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram

_REQUESTS = Counter("timebank_requests_total", "Requests answered", ["operation", "status"])
_SECONDS = Histogram("timebank_request_seconds", "Seconds to answer", ["operation"])
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", flags=re.ASCII)

log = structlog.get_logger()


class _StandardError:
    """Standard error as it is when a line is written; whoever redirects it later is heeded."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def configure_logs(*, development: bool, level: int = logging.INFO) -> None:
    """Readable lines in development, JSON in production; both to standard error."""
    # Plain tracebacks: the rich ones would show local variables, and with them what people typed.
    console = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    renderer = console if development else structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=cast(TextIO, _StandardError())),
        cache_logger_on_first_use=True,
    )


@cache
def _meters(operation: str, status: int) -> tuple[Counter, Histogram]:
    """What counts the answers of this status to an operation, and what times its answers; found once."""
    return _REQUESTS.labels(operation, status), _SECONDS.labels(operation)


def register_logs(app: Flask) -> None:
    """Give every request an id, and write its line and its metrics."""

    @app.before_request
    def begin() -> None:
        asked = request.headers.get("X-Request-Id", "")
        g.request_id = asked if _REQUEST_ID.fullmatch(asked) else uuid4().hex
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        operation = g.get("operation_id") or request.endpoint or "none"
        seconds = time.perf_counter() - g.began
        requests, took = _meters(operation, response.status_code)
        requests.inc()
        took.observe(seconds)
        log.info("request", operation=operation, status=response.status_code, ms=round(seconds * 1000, 1))
        response.headers["X-Request-Id"] = g.request_id
        return response
