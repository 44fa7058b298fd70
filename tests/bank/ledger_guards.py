"""Trying raw SQL against what the database promises, with its guard in place and with its guard taken away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.bank.ledger_books import NOON, Scene, open_account, open_scene
from tests.postgres import ThrowawayPostgres
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.ledger.models import Transfer
from timebank.ledger.rules import AccountKind

Row = dict[str, Any]
Attempt = Callable[[Session, Any], object]
"""Something tried on a scene: the ledger's here, other tests open their own."""

Open = Callable[[Session], Any]

OWN_STATE = "TB001"
"""The SQLSTATE of the ledger's own triggers; constraints have PostgreSQL's."""


@dataclass(frozen=True, slots=True)
class Guard:
    """An attempt, who stops it (a constraint, or words of a trigger's message), and SQL that takes that away."""

    promise: str
    attempt: Attempt
    named: str
    taken_away: tuple[str, ...]

    def __str__(self) -> str:
        return self.promise


def constraint(table: str, name: str) -> str:
    """SQL that drops a table's constraint."""
    return f"ALTER TABLE {table} DROP CONSTRAINT {name}"


def trigger(table: str, name: str) -> str:
    """SQL that switches one of a table's triggers off."""
    return f"ALTER TABLE {table} DISABLE TRIGGER {name}"


def clause(function: str, found: str, instead: str = "") -> str:
    """A change to a trigger's function, carried out by ``take_away``: ``found`` is replaced."""
    return json.dumps([function, found, instead])


def take_away(session: Session, *guards: str) -> None:
    """Drop constraints, switch triggers off, or cut clauses out of their functions."""
    for guard in guards:
        if not guard.startswith("["):
            session.execute(text(guard))
            continue
        function, found, instead = json.loads(guard)
        source = session.execute(
            text("SELECT pg_get_functiondef(CAST(:name AS regproc))"), {"name": function}
        ).scalar_one()
        assert source.count(found) == 1, f"{function} has no one clause {found}"
        session.connection().exec_driver_sql(source.replace(found, instead).replace("%", "%%"))


def refusal_of(session: Session, attempt: Callable[[], object]) -> str:
    """What the database says to an attempt: the constraint's name or the trigger's message; '' where it passes."""
    try:
        with session.begin_nested():
            attempt()
            session.flush()
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.Error):
            raise
        diagnosis = error.orig.diag
        own = diagnosis.sqlstate == OWN_STATE or diagnosis.constraint_name is None
        return str(diagnosis.message_primary if own else diagnosis.constraint_name)
    return ""


def says_no(bank: Database, guard: Guard, opened: Open = open_scene) -> str:
    """What the database says to the guard's attempt, on the scene that is opened; nothing of it stays."""
    return _tried(bank, guard, opened)


def says_no_without(bank: Database, guard: Guard, opened: Open = open_scene) -> str:
    """The same with the guard taken away."""
    return _tried(bank, guard, opened, *guard.taken_away)


def _tried(bank: Database, guard: Guard, opened: Open, *taken_away: str) -> str:
    with bank.session() as session:
        scene = opened(session)
        take_away(session, *taken_away)
        answer = refusal_of(session, lambda: guard.attempt(session, scene))
        session.rollback()
    return answer


@contextmanager
def one_database(postgres: ThrowawayPostgres, template: str, name: str) -> Iterator[Database]:
    """A bank on a database that many tests of a module share."""
    bank = Database(postgres.clone(template, name), pool_size=25)
    try:
        yield bank
    finally:
        bank.close()
        postgres.drop(name)


def sql(statement: str) -> Attempt:
    """An attempt of one statement; ``{mei}`` is an account with a balance, ``{closed}`` one that is closed."""

    def attempt(session: Session, scene: Scene) -> None:
        closed = closed_account(session, scene)
        session.execute(text(statement.format(mei=scene.here.mei, closed=closed)))

    return attempt


def closed_account(session: Session, scene: Scene) -> int:
    """A savings account here that was opened and closed again."""
    account_id = open_account(session, scene.here.book, AccountKind.SAVINGS)
    session.execute(text("UPDATE ledger_account SET closed_at = opened_at WHERE id = :id"), {"id": account_id})
    return account_id


def leg(session: Session, source: int, target: int, amount: int, **fields: Any) -> Row:
    """A row for ``ledger_transfer`` as the ledger would write it; any field may be given otherwise."""
    row: Row = {"id": new_id(), "from_account_id": source, "to_account_id": target, "amount": amount, "kind": "opening"}
    row |= {"effective_at": NOON, "recorded_at": _recorded_last(session, source, target), "note": "原始写入"}
    for side, account_id, delta in (("from", source, -amount), ("to", target, amount)):
        found = session.execute(text("SELECT * FROM ledger_account WHERE id = :id"), {"id": account_id}).one_or_none()
        if found is None:
            continue
        row |= {"book_code": row.get("book_code", found.book_code), "unit": row.get("unit", found.unit)}
        if found.floored:
            row |= {f"{side}_version": found.version + 1, f"{side}_balance": found.posted + delta}
    return row | fields


def _recorded_last(session: Session, *account_ids: int) -> Any:
    query = text("SELECT coalesce(max(last_recorded_at), :noon) FROM ledger_account WHERE id = ANY(:ids)")
    return session.execute(query, {"ids": list(account_ids), "noon": NOON}).scalar_one()


def insert(session: Session, rows: Sequence[Row]) -> None:
    """Write rows into ``ledger_transfer`` in one statement, past everything but the database itself."""
    columns = ", ".join(column.name for column in Transfer.__table__.columns if column.name != "seq")
    source = "jsonb_populate_recordset(NULL::ledger_transfer, CAST(:rows AS jsonb))"
    statement = f"INSERT INTO ledger_transfer ({columns}) SELECT {columns} FROM {source}"
    session.execute(text(statement), {"rows": json.dumps(rows, default=str)})


def pair(session: Session, scene: Scene, amount: int, **fields: Any) -> list[Row]:
    """The two linked legs of a movement from Mei here to Mei there, as the ledger would write them."""
    first = new_id()
    out = leg(session, scene.here.mei, scene.here.clearing, amount, id=first, link_id=first)
    into = leg(session, scene.there.clearing, scene.there.mei, amount, link_id=first)
    return [
        out | {"counterpart_book_code": scene.there.book} | fields,
        into | {"counterpart_book_code": scene.here.book} | fields,
    ]
