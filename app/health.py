"""What whoever runs the bank asks it: is it alive, is it ready, how is it doing."""

from __future__ import annotations

import os

import structlog
from flask import Flask, Response, json
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy.exc import SQLAlchemyError

from app.session import database
from timebank.migrations import current_revision, newest_revision

log = structlog.get_logger()


def register_health(app: Flask) -> None:
    """``/healthz``, ``/readyz`` and ``/metrics``."""
    newest = newest_revision()

    @app.get("/healthz")
    def healthz() -> Response:
        return _json({"status": "alive"})

    @app.get("/readyz")
    def readyz() -> Response:
        try:
            with database().engine.connect() as connection:
                found = current_revision(connection)
        except SQLAlchemyError as unreachable:
            log.warning("not_ready", error=type(unreachable).__name__)
            return _json({"status": "not_ready", "reason": "数据库没有回应"}, 503)
        if found != newest:
            return _json({"status": "not_ready", "reason": "数据库版本不是最新", "revision": found}, 503)
        return _json({"status": "ready", "revision": found})

    @app.get("/metrics")
    def metrics() -> Response:
        registry = REGISTRY
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _json(body: dict[str, object], status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")
