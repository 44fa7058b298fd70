"""Where a door is tried, the bank is the one behind it."""

from __future__ import annotations

import pytest
from flask import Flask

from timebank.core.db import Database


@pytest.fixture
def bank(app: Flask) -> Database:
    """The database behind the doors."""
    found: Database = app.extensions["timebank_database"]
    return found
