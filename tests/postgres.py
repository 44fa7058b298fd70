"""A PostgreSQL for the tests: a throw-away one of their own, or the server of TIMEBANK_TEST_DATABASE_URL.

Whatever must be in every database (the migrations) goes once into a template, of which each test that needs a
database of its own gets a copy in a moment.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from timebank.core.embedded import EmbeddedPostgres

OLDEST_SERVER = 15
_LONGEST_NAME = 63  # bytes; PostgreSQL cuts longer ones off
_MEMORY_NEEDED = 4 * 2**30


def _roomy_memory() -> str | None:
    """A folder in memory with room for the databases of a run: a copy is some 900 files, which a disk writes slowly."""
    memory = Path("/dev/shm")
    try:
        free = shutil.disk_usage(memory).free
    except OSError:
        return None
    return str(memory) if free >= _MEMORY_NEEDED and os.access(memory, os.W_OK | os.X_OK) else None


class ThrowawayPostgres:
    """Databases of this test process, each dropped at ``close`` at the latest."""

    def __init__(self, url: str | None = None) -> None:
        """Use the server at ``url``, or start a throw-away cluster in a folder of its own.

        Raises ValueError when the server is older than 15 or its role may not create databases.
        """
        self._folder: Path | None = None
        self._embedded: EmbeddedPostgres | None = None
        self._mine: list[str] = []
        self._prefix = f"timebank_test_{os.getpid()}_{secrets.token_hex(4)}_"
        if url is None:
            url = self._start_own()
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self._connection = psycopg.connect(self._conninfo(), autocommit=True)
        try:
            self._check_server()
        except ValueError:
            self.close()
            raise

    @classmethod
    def from_environment(cls) -> ThrowawayPostgres:
        """The server of TIMEBANK_TEST_DATABASE_URL when it is set, else a throw-away cluster."""
        return cls(os.environ.get("TIMEBANK_TEST_DATABASE_URL") or None)

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the database from which the others are made, password included."""
        return self._url.render_as_string(hide_password=False)

    @property
    def version(self) -> int:
        """The server's major version."""
        return self._connection.info.server_version // 10000

    def make_template(self, name: str, prepare: Callable[[str], None]) -> str:
        """Create a database, let ``prepare(url)`` fill it, and close it to connections; returns its full name."""
        template = self._create(name, None)
        prepare(self.url_for(template))
        # A connection forgotten in a pool would make every copy fail.
        self._run("ALTER DATABASE {} ALLOW_CONNECTIONS false", template)
        self._disconnect_all(template)
        return template

    def clone(self, template: str, name: str) -> str:
        """Create a copy of ``template`` (as make_template named it); returns the copy's SQLAlchemy URL."""
        return self.url_for(self._create(name, template))

    def create(self, name: str) -> str:
        """Create an empty database; returns its SQLAlchemy URL."""
        return self.url_for(self._create(name, None))

    def drop(self, name: str) -> None:
        """Drop the database created as ``name``, whoever is still connected to it."""
        self._drop(self._full(name))

    def url_of(self, name: str) -> str:
        """The SQLAlchemy URL of the database created as ``name``, password included."""
        return self.url_for(self._full(name))

    @property
    def is_ours(self) -> bool:
        """Whether the cluster is our own, and no other's server."""
        return self._embedded is not None

    def as_superuser(self, name: str) -> psycopg.Connection | None:
        """A connection of the cluster's superuser to the database created as ``name``; None on a server not our own."""
        if self._embedded is None:
            return None
        around = self._embedded.client_environment()
        return psycopg.connect(
            host=around["PGHOST"],
            port=around["PGPORT"],
            user="postgres",
            passfile=around["PGPASSFILE"],
            dbname=self._full(name),
            autocommit=True,
        )

    def url_for(self, database: str) -> str:
        """The SQLAlchemy URL of a database of this server by its full name, password included."""
        return self._url.set(database=database).render_as_string(hide_password=False)

    def close(self) -> None:
        """Drop every database made here and stop the server, if it is our own."""
        try:
            if self._embedded is None:
                for database in list(self._mine):
                    self._drop(database)
        finally:
            self._connection.close()
            self._stop_own()

    def __enter__(self) -> ThrowawayPostgres:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _start_own(self) -> str:
        # Not pytest's tmp_path: as root that is closed to the server's user.
        self._folder = Path(tempfile.mkdtemp(prefix="timebank-test-", dir=_roomy_memory() or "/tmp"))
        try:
            self._folder.chmod(0o711)
            self._embedded = EmbeddedPostgres.start(self._folder / "home", durable=False)
        except BaseException:
            self._stop_own()
            raise
        return self._embedded.url

    def _stop_own(self) -> None:
        try:
            if self._embedded is not None:
                self._embedded.close()
        finally:
            if self._folder is not None:
                shutil.rmtree(self._folder)
                self._folder = None

    def _check_server(self) -> None:
        if self.version < OLDEST_SERVER:
            raise ValueError(f"PostgreSQL {self.version} is too old: the bank needs {OLDEST_SERVER} or newer")
        asked = self._connection.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        if asked.fetchone() != (True,):
            raise ValueError("the role of TIMEBANK_TEST_DATABASE_URL may not create databases (ALTER ROLE … CREATEDB)")

    def _full(self, name: str) -> str:
        full = self._prefix + name
        if len(full.encode()) > _LONGEST_NAME:
            raise ValueError(f"the database name {full} is longer than {_LONGEST_NAME} bytes")
        return full

    def _create(self, name: str, template: str | None) -> str:
        database = self._full(name)
        if template is None:
            self._run("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", database)
        else:
            # Copy and drop of 60 tables took 35 ms this way and 48 ms with wal_log; with fsync on as long as that.
            self._run("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", database, template)
        self._mine.append(database)
        return database

    def _drop(self, database: str) -> None:
        # Not WITH (FORCE): that refuses where the server's own vacuum happens to be at work in the database, which a
        # plain DROP sends away.
        self._disconnect_all(database)
        self._run("DROP DATABASE IF EXISTS {}", database)
        with suppress(ValueError):
            self._mine.remove(database)

    def _disconnect_all(self, database: str) -> None:
        self._connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND backend_type = 'client backend'",
            [database],
        )

    def _run(self, statement: str, *names: str) -> None:
        self._connection.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))

    def _conninfo(self) -> str:
        return self._url.set(drivername="postgresql").render_as_string(hide_password=False)
