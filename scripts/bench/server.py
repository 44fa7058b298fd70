"""A PostgreSQL for benchmarks: filled without waiting for the disk, measured on as durably as the bank itself runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from timebank.core.embedded import EmbeddedPostgres

_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


class BenchServer:
    """A running server and the databases in it."""

    def __init__(self, embedded: EmbeddedPostgres) -> None:
        self._embedded = embedded
        url = make_url(embedded.url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(url, autocommit=True)

    @property
    def version(self) -> str:
        """The server's version, as ``18.6``."""
        return str(self._show("server_version")).split()[0]

    def make(self, name: str, fill: Callable[[str], None], *, like: str = "template0") -> None:
        """A new database, a copy of ``like``, filled by ``fill(url)`` and left without rubbish."""
        self._copy(name, like)
        url = self._embedded.url_for(name)
        fill(url)
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute("VACUUM (FREEZE, ANALYZE)")

    @contextmanager
    def copy_of(self, name: str) -> Iterator[str]:
        """A copy of a database for the length of the block; its SQLAlchemy URL."""
        copy = f"{name}_copy"
        self._copy(copy, name)
        try:
            yield self._embedded.url_for(copy)
        finally:
            self._connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(copy)))

    def must_be_durable(self) -> None:
        """Raises RuntimeError where a commit would not wait for the disk."""
        loose = [name for name in _DURABLE if self._show(name) != "on"]
        if loose:
            raise RuntimeError(f"not durable: {', '.join(loose)}")

    def close(self) -> None:
        """Stop the server."""
        self._connection.close()
        self._embedded.close()

    def _copy(self, name: str, like: str) -> None:
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self._connection.execute(command.format(sql.Identifier(name), sql.Identifier(like)))

    def _show(self, name: str) -> str:
        row = self._connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        assert row is not None
        return str(row[0])


@contextmanager
def filling(folder: Path) -> Iterator[BenchServer]:
    """The server of ``folder`` while databases are filled: no commit waits, all is on the disk afterwards."""
    with _running(folder, durable=False) as server:
        yield server
    os.sync()


@contextmanager
def measuring(folder: Path) -> Iterator[BenchServer]:
    """The same server as the bank runs it: every commit has reached the disk when it is answered."""
    with _running(folder, durable=True) as server:
        server.must_be_durable()
        yield server


@contextmanager
def _running(folder: Path, *, durable: bool) -> Iterator[BenchServer]:
    server = BenchServer(EmbeddedPostgres.start(folder / "home", durable=durable))
    try:
        yield server
    finally:
        server.close()
