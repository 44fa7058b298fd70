"""A bank that goes from test to test: what SQLAlchemy has compiled for one database it need not compile again.

A fresh engine for each test spends longer on preparing its statements than most tests take.
"""

from __future__ import annotations

from typing import Any

import psycopg
from sqlalchemy import QueuePool, event, make_url
from sqlalchemy.orm import sessionmaker

from timebank.core.db import Database

OURS = "a warm bank"
"""How its connections call themselves at the server."""


class Handed(Database):
    """A bank handed out, with listeners of its own, which go away with it."""

    def __init__(self, base: Database, url: str, beside: psycopg.Connection | None) -> None:
        self.engine = base.engine.execution_options()
        # For whoever hands the address on to another process.
        self.engine.url = make_url(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self.beside = beside


class WarmBank:
    """Hands out banks on one database after the other, never on two at once; all databases lie on one server."""

    def __init__(self) -> None:
        self._base: Database | None = None
        self._database = ""

    def on(self, url: str, beside: psycopg.Connection | None = None) -> Handed:
        """A bank on the database at ``url``; one handed out before, on another database, is closed.

        ``beside`` is a connection to the same database, of the tests' own and longer lived than the bank's.
        """
        self._database = make_url(url).database or ""
        if self._base is None:
            # The connection used last knows most of the database.
            self._base = Database(url, pool_size=25, pool_use_lifo=True)
            event.listen(self._base.engine, "do_connect", self._connect)
        return Handed(self._base, url, beside)

    def in_use(self) -> bool:
        """Whether a connection was taken that has not been given back."""
        if self._base is None:
            return False
        pool = self._base.engine.pool
        assert isinstance(pool, QueuePool)
        return pool.checkedout() > 0

    def close(self) -> None:
        """Give back every connection of whatever bank was handed out last."""
        if self._base is not None:
            self._base.close()

    def _connect(self, _dialect: Any, _record: Any, _given: Any, parameters: dict[str, Any]) -> None:
        parameters["dbname"] = self._database
        parameters["application_name"] = OURS
