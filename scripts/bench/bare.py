"""The bare server: takes an order, or is asked for something, and says always the same; served exactly as the bank is.

What is left of a request when there is no bank behind it; run as ``python -m scripts.bench.bare PORT BYTES WORKERS``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from types import FrameType

from flask import Flask, Response, request

from app.cli.serve import serve_until_told
from app.processes import end_with_parent

_BYTES, _PARENT = "TIMEBANK_BENCH_ANSWER_BYTES", "TIMEBANK_BENCH_PID"


def create_app() -> Flask:
    """An application for ``serve_until_told``; its answer is as long as the environment says."""
    end_with_parent(int(os.environ[_PARENT]))
    app = Flask("bare", static_folder=None)
    empty = json.dumps({"order_id": ""})
    answer = json.dumps({"order_id": "0" * (int(os.environ[_BYTES]) - len(empty))})

    @app.post("/api/v1/orders")
    def place() -> Response:
        request.get_json()
        return Response(answer, status=201, content_type="application/json")

    @app.get("/api/v1/me/<what>")
    def read(what: str) -> Response:  # noqa: ARG001
        return Response(answer, content_type="application/json")

    @app.get("/readyz")
    def ready() -> str:
        return "ready"

    return app


def main(port: str, answer_bytes: str, workers: str) -> None:
    """Serve until told to stop."""
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, _leave)
    os.environ.update({_BYTES: answer_bytes, _PARENT: str(os.getpid())})
    serve_until_told("scripts.bench.bare:create_app", address="127.0.0.1", port=int(port), workers=int(workers))


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
