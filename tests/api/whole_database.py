"""The whole database as one value, to see whether anything changed."""

from __future__ import annotations

from collections.abc import Collection

import psycopg
from psycopg import sql
from sqlalchemy.orm import Session

from timebank.core.db import Base, Database

MAY_CHANGE = frozenset({"kept_reply", "login_attempt"})
"""Kept refusals and counted failures are what a refused request does leave behind."""

Contents = dict[str, tuple[int, str]]
"""Rows and a hash of every table that has any."""

_ON_DISK = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0"""
_ROWS = sql.SQL(
    "SELECT {}, count(*), coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') FROM public.{} t"
)

_last: tuple[str, str, Contents] = ("", "", {})


def driver_of(session: Session) -> psycopg.Connection:
    """The connection under a session."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection


def contents(connection: psycopg.Connection, tables: Collection[str], *, at_once: bool = True) -> Contents:
    """What lies in those of ``tables`` that hold anything; a table without a page on the disk has no row.

    ``at_once`` asks in one statement; else in one for each table, which a connection that lives long need not plan.
    """
    named = sorted(name for (name,) in connection.execute(_ON_DISK) if name in tables)
    parts: list[sql.Composable] = [_ROWS.format(sql.Literal(name), sql.Identifier(name)) for name in named]
    if at_once:
        parts = [sql.SQL(" UNION ALL ").join(parts)] if parts else []
    # Rows that were taken back leave pages behind, and are no difference.
    return {name: (rows, hashed) for part in parts for name, rows, hashed in connection.execute(part) if rows}


def fingerprint(bank: Database) -> Contents:
    """Rows and a hash of every table that has any, but those that may change."""
    global _last
    tables = set(Base.metadata.tables) - MAY_CHANGE
    assert len(tables) > 15
    url = bank.engine.url.render_as_string()
    with bank.session() as session:
        connection = driver_of(session)
        # Whoever sees the same transactions as ended and as still going on sees the same rows.
        (sees,) = connection.execute("SELECT pg_current_snapshot()::text").fetchone() or ("",)
        if _last[:2] != (url, sees):
            _last = url, sees, contents(connection, tables)
    return _last[2]
