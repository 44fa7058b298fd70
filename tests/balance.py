"""Verifying after every test what that test has changed, and not again what was seen with the same rows before.

A check's answer follows from the rows of the tables that its query names, and from nothing else: no check reads a
clock. So a check that found no misfit need not be made again on the same rows. Most tests touch a tenth of the tables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.api.whole_database import contents, driver_of
from tests.warm import Handed
from timebank.core.db import Base, Database
from timebank.ledger.verify import Check, Misfit
from timebank.supervision.verify import checks

Rows = frozenset[tuple[str, tuple[int, str]]]
"""What lies in some tables: the number of rows of each, and a hash of them."""

_FUNCTIONS = text("""
    SELECT proname FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prorettype <> 'trigger'::regtype""")

_good: set[tuple[str, Rows]] = set()
"""Checks, and rows that have passed them in this process."""


class _Hearing:
    """Stands in for a session, to hear the one query of a check in SQL."""

    query = ""

    def execute(self, query: Any) -> _Hearing:
        self.query = str(query)
        return self

    def first(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Heard:
    """A check, its one query and the tables that this reads; neither where only making the check shows."""

    check: Check
    query: LiteralString = ""
    tables: frozenset[str] = frozenset()


_heard: list[Heard] = []


def books_must_balance(bank: Database) -> None:
    """Fail with the first rows that do not fit, of each check as ``verify`` finds them."""
    with bank.session() as session:
        found = _misfits(session, bank.beside if isinstance(bank, Handed) else None)
    assert found == [], found


def _misfits(session: Session, beside: psycopg.Connection | None) -> list[Misfit]:
    """Asks the queries ``beside`` the session where there is such a connection, which has planned them before."""
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
    if not _heard:
        functions = set(session.scalars(_FUNCTIONS))
        _heard.extend(hear(check, functions) for check in checks())
    connection = beside or driver_of(session)
    rows = contents(connection, Base.metadata.tables, at_once=beside is None)
    found = []
    for heard in _heard:
        if heard.query:
            seen = heard.check.name, frozenset((table, rows[table]) for table in heard.tables & rows.keys())
            if seen in _good or connection.execute(heard.query).fetchone() is None:
                _good.add(seen)
                continue
        misfit = heard.check.first_misfit(session)
        if misfit is not None:
            found.append(misfit)
    return found


def hear(check: Check, functions: set[str]) -> Heard:
    """What a check asks; ``functions`` are the bank's own in SQL, which may read tables that no query names."""
    hearing: Any = _Hearing()
    try:
        check.first_misfit(hearing)
    except AttributeError:  # It asks for more than one first row: a check in Python.
        return Heard(check)
    words = set(re.findall(r"\w+", hearing.query))
    if words & functions:
        return Heard(check)
    return Heard(check, hearing.query, frozenset(words & Base.metadata.tables.keys()))
