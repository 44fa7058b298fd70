"""A database that goes from test to test, washed in between until nothing tells it from a fresh copy.

Copying, connecting and planning everything anew takes longer than most tests. So a copy serves many of them: after
each, its rows and numbers are put back as the template has them, by the superuser of our own cluster, past all
triggers. It is thrown away when a test has changed more than rows, or left anybody connected or at work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import psycopg
from psycopg import sql

from tests.postgres import ThrowawayPostgres
from tests.warm import OURS, WarmBank
from timebank.core.db import Database

_MOST_TESTS = 40
_MOST_BYTES = 8 * 2**20
"""After so many tests, or with tables so large, the database is copied anew: the files of deleted rows only grow."""

_numbers = count()

_TABLES = """
    SELECT relname, pg_relation_size(oid) > 0 FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"""

_COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"""

_SEQUENCES = """
    SELECT sequencename, coalesce(last_value, start_value), last_value IS NOT NULL FROM pg_sequences
    WHERE schemaname = 'public'"""

_SCHEMA = "SELECT " + ", ".join(
    f"(SELECT (count(*), max(xmin::text::bigint))::text FROM {catalog})"
    for catalog in ("pg_class", "pg_constraint", "pg_trigger", "pg_proc", "pg_index", "pg_type", "pg_db_role_setting")
)
"""Changes with every change of the schema that is not taken back."""

_STRANGERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
      AND (application_name <> %s OR state <> 'idle')"""


_BYTES = """
    SELECT sum(pg_relation_size(oid)) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"""


class KeptBank:
    """Hands out banks on copies of one template, one after the other."""

    def __init__(self, postgres: ThrowawayPostgres, template: str) -> None:
        self._postgres = postgres
        self._template = template
        self._name = ""
        self._warm = WarmBank()
        self._served = 0
        self._washer: psycopg.Connection | None = None
        self._schema: object = None

    @contextmanager
    def lent(self) -> Iterator[Database]:
        """A bank for one test; whatever the test does to it, the next finds nothing of it."""
        if not self._name:
            self._copy()
        bank = self._warm.on(self._postgres.url_of(self._name), self._washer)
        try:
            yield bank
        except BaseException:
            self.discard()
            raise
        self._served += 1
        if self._served >= _MOST_TESTS or not self._washed():
            self.discard()

    def discard(self) -> None:
        """Throw the copy away; the next test gets a fresh one."""
        self._warm.close()
        if self._washer is not None:
            self._washer.close()
            self._washer = None
        if self._name:
            self._postgres.drop(self._name)
            self._name = ""

    def _copy(self) -> None:
        self._name, self._served = f"kept{next(_numbers)}", 0
        self._postgres.clone(self._template, self._name)
        self._washer = self._postgres.as_superuser(self._name)
        if self._washer is not None:
            # Every check, every table and what washing takes: all planned once.
            self._washer.prepare_threshold, self._washer.prepared_max = 0, 400
            _prepare(self._washer)
            self._schema = self._washer.execute(_SCHEMA).fetchone()

    def _washed(self) -> bool:
        """Put everything back; False where this copy cannot serve another test."""
        if self._washer is None or self._warm.in_use():
            return False
        try:
            if self._washer.execute(_STRANGERS, [OURS]).fetchone() != (0,):
                return False
            if self._washer.execute(_SCHEMA).fetchone() != self._schema:
                return False
            (used,) = self._washer.execute(_BYTES).fetchone() or (0,)
            if used > _MOST_BYTES:
                return False
            self._washer.execute("SELECT pg_temp.wash()")
        except psycopg.Error:
            return False
        return True


def _prepare(washer: psycopg.Connection) -> None:
    """Lay the template's rows aside, and write a function that puts them back in place of whatever is there."""
    washer.execute("SET session_replication_role = replica")
    washer.execute("SET lock_timeout = '2s'")
    taking, giving = [], []
    for table, full in washer.execute(_TABLES).fetchall():
        name = sql.Identifier(table)
        taking.append(sql.SQL("DELETE FROM public.{};").format(name))
        if full:
            aside = sql.Identifier("pg_temp", f"as_{table}"[:63])
            columns = sql.SQL(", ").join(sql.Identifier(column) for (column,) in washer.execute(_COLUMNS, [table]))
            washer.execute(
                sql.SQL("CREATE TEMP TABLE {} AS SELECT {} FROM public.{}").format(
                    sql.Identifier(f"as_{table}"[:63]), columns, name
                )
            )
            giving.append(
                sql.SQL("INSERT INTO public.{} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {};").format(
                    name, columns, columns, aside
                )
            )
    for sequence, value, called in washer.execute(_SEQUENCES).fetchall():
        giving.append(
            sql.SQL("PERFORM setval({}, {}, {});").format(
                sql.Literal(f"public.{sequence}"), sql.Literal(value), sql.Literal(called)
            )
        )
    body = sql.SQL("BEGIN {} END").format(sql.SQL(" ").join([*taking, *giving]))
    washer.execute(
        sql.SQL("CREATE FUNCTION pg_temp.wash() RETURNS void LANGUAGE plpgsql AS {}").format(
            sql.Literal(body.as_string(washer))
        )
    )
