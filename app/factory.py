"""Building the web application."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, abort, request
from sqlalchemy.orm import configure_mappers

from app.adapters.wechat import WeChat
from app.api.openapi import register_api
from app.api.together import register_gatherings
from app.api.uploads import most_body_bytes
from app.config import CONNECTIONS, Settings, SettingsRefused, read_settings
from app.health import register_health
from app.logs import configure_logs, register_logs
from app.problems import register_problems
from app.processes import end_with_parent
from app.session import register_session
from app.web.pages import register_pages
from app.web.screens import refused_screen
from timebank.core import clock, crypto
from timebank.core.db import Database

MOST_BODY_BYTES = 1024 * 1024
_API_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


class Bank(Flask):
    """The application; none of its views waits for an event loop, so none has to be looked at for that."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """``func``, a plain function as all of them are; asking that at every call takes a twentieth of a request."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """The application for one process. Raises SettingsRefused where the environment does not do."""
    settings = settings or read_settings()
    if settings.database_url is None:
        raise SettingsRefused(
            "TIMEBANK_DATABASE_URL 未设置 is not set; `timebank serve` starts the embedded PostgreSQL"
        )
    if settings.wechat_base_url is None:
        raise SettingsRefused("TIMEBANK_WECHAT_BASE_URL 未设置 is not set; `timebank serve` starts the fake WeChat")
    serving = "TIMEBANK_SERVING_PID" in os.environ
    if serving:
        end_with_parent(int(os.environ["TIMEBANK_SERVING_PID"]))
    configure_logs(development=settings.development)
    crypto.use_secret(settings.secret())
    clock.movable_by(settings.clock_file if settings.development else None)
    app = Bank("timebank", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY_BYTES
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.extensions["timebank_database"] = Database(settings.database_url, pool_size=CONNECTIONS, overflow=0)
    app.extensions["wechat"] = WeChat(settings.wechat_base_url, settings.wechat_appid, settings.wechat_secret)
    register_logs(app)
    register_session(app)
    register_gatherings(app, at_once=settings.gather_most, most_waiting=settings.gather_queue)
    register_api(app, development=settings.development)
    register_problems(app, page=refused_screen)
    register_health(app)
    register_pages(app, development=settings.development)
    app.before_request(_refuse_oversized)
    app.after_request(_protect)
    if serving:
        _settle()
    return app


def _settle() -> None:
    """Do before the first request what would make it wait, and let the collector never again look at what stays."""
    configure_mappers()
    gc.collect()
    gc.freeze()


def _refuse_oversized() -> None:
    """Refuse a body that says itself that it is too long, also where an operation would never read it."""
    request.max_content_length = most_body_bytes(MOST_BODY_BYTES)
    if (request.content_length or 0) > request.max_content_length:
        abort(413)


def _protect(response: Response) -> Response:
    """An answer of the API is nothing to keep, to frame or to guess the type of; a page of it says its own style."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.path.startswith("/api/"):
        for name, value in _API_HEADERS.items():
            response.headers.setdefault(name, value)
    return response
