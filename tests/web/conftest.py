"""Pages on the scene of the API's tests, each test on a copy of its own."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.web.browser import Browser
from timebank.core.db import Database


@pytest.fixture
def bank(app: Flask) -> Database:
    """The database behind the doors."""
    found: Database = app.extensions["timebank_database"]
    return found


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)
