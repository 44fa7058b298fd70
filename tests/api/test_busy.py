"""A wait that took too long is told as such, with when to come back; nothing has happened."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy.exc import OperationalError

from app.config import Settings
from app.factory import create_app
from tests.conftest import SECRET


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    settings = Settings(database_url=database_url, wechat_base_url="http://127.0.0.1:9", secret_key=SECRET)
    app = create_app(settings)
    yield app
    app.extensions["timebank_database"].close()


@pytest.mark.parametrize(("fault", "status"), [(LockNotAvailable, 503), (DeadlockDetected, 503), (ValueError, 500)])
def test_a_wait_that_took_too_long_is_answered_as_busy(
    app: Flask, monkeypatch: pytest.MonkeyPatch, fault: type[Exception], status: int
) -> None:
    def stuck(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, fault())

    monkeypatch.setattr("timebank.townships.queries.townships", stuck)
    answer = app.test_client().get("/api/v1/townships")
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    if status == 503:
        assert (answer.json or {})["code"] == "busy"
        assert answer.headers["Retry-After"] == "5"
