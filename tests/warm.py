"""A bank that goes from test to test: what SQLAlchemy has compiled for one database it need not compile again.

A fresh engine for each test spends longer on preparing its statements than most tests take.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event, make_url
from sqlalchemy.orm import sessionmaker

from timebank.core.db import Database


class WarmBank:
    """Hands out banks on one database after the other, never on two at once; all databases lie on one server."""

    def __init__(self) -> None:
        self._base: Database | None = None
        self._database = ""

    def on(self, url: str) -> Database:
        """A bank on the database at ``url``; the one handed out before is closed."""
        self._database = make_url(url).database or ""
        if self._base is None:
            self._base = Database(url, pool_size=25)
            event.listen(self._base.engine, "do_connect", self._connect)
        return _Handed(self._base, url)

    def _connect(self, _dialect: Any, _record: Any, _given: Any, parameters: dict[str, Any]) -> None:
        parameters["dbname"] = self._database


class _Handed(Database):
    """With listeners of its own, which go away with it."""

    def __init__(self, base: Database, url: str) -> None:
        self.engine = base.engine.execution_options()
        # For whoever hands the address on to another process.
        self.engine.url = make_url(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
