"""No row of clearing is removed, some are never changed, and each names only what there is."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import BigInteger, Table, Uuid

from tests.bank.clearing_life import changed, copy_of, raw
from tests.bank.guards_of_history import CLEARING_STAYS
from tests.bank.guards_of_reviews import one_of
from tests.bank.guards_of_windows import closing, opening
from tests.bank.ledger_guards import Guard, constraint
from timebank.core.db import Base

TABLES: list[Table] = sorted(
    (
        mapper.local_table
        for mapper in Base.registry.mappers
        if mapper.class_.__module__ == "timebank.clearing.models" and isinstance(mapper.local_table, Table)
    ),
    key=lambda table: table.name,
)
"""The tables of clearing; those of reconciliation stand elsewhere."""

CHANGED = {
    "clearing_moved_line": changed("clearing_moved_line", "true", kind="'gift'"),
    "clearing_limit_override": changed("clearing_limit_override", "true", extra_minutes="extra_minutes + 1"),
    "clearing_guarantee_call": changed("clearing_guarantee_call", "true", minutes="minutes + 1"),
    "clearing_recomputation": changed("clearing_recomputation", "true", differences="differences"),
}
NEW_WINDOW = "DELETE FROM clearing_window WHERE number = (SELECT max(number) FROM clearing_window)"


def _stays() -> Iterator[Guard]:
    def refused(table: str, how: str, *statements: str) -> Guard:
        said = f"rows of {table} are never changed or removed"
        return Guard(f"no row of {table} is {how}", raw(*statements), said, CLEARING_STAYS)

    for table in TABLES:
        yield refused(table.name, "emptied", f"TRUNCATE {table.name} CASCADE")
    for name, statement in CHANGED.items():
        yield refused(name, "changed", statement)
    for name in (*CHANGED, "clearing_participant"):
        yield refused(name, "removed", f"DELETE FROM {name}")
    yield refused("clearing_window", "removed", closing(), opening(), NEW_WINDOW)


def _nowhere(column: str, kind: object) -> str:
    if isinstance(kind, Uuid):
        return "gen_random_uuid()"
    if isinstance(kind, BigInteger):
        return "1000000" if column == "to_window" else "-1"
    return "'nowhere'"


def _references() -> Iterator[Guard]:
    """Triggers stand before some of these; without them a row would still have to name something that there is."""
    for table in TABLES:
        for column in table.columns:
            if not column.foreign_keys:
                continue
            one_row = f"ctid = (SELECT min(ctid) FROM {table.name} WHERE {column.name} IS NOT NULL)"
            statement = changed(table.name, one_row, **{column.name: _nowhere(column.name, column.type)})
            name = f"fk_{table.name}_{column.name}"
            yield Guard(
                f"{column.name} of {table.name} that is nowhere",
                raw(statement, behind=[f"ALTER TABLE {table.name} DISABLE TRIGGER USER"]),
                *(name, (constraint(table.name, name),)),
            )


def _limits() -> Iterator[Guard]:
    override, call, recomputation = "clearing_limit_override", "clearing_guarantee_call", "clearing_recomputation"
    tries = [
        (override, "an override of nothing", "ck_clearing_limit_override_positive", {"extra_minutes": "0"}),
        (
            override,
            "an override that is over",
            "ck_clearing_limit_override_valid_order",
            {"valid_until": "r.granted_at"},
        ),
        (override, "an override without a reason", "ck_clearing_limit_override_reasoned", {"reason": "''"}),
        (call, "a guarantee of nothing", "ck_clearing_guarantee_call_positive", {"minutes": "0"}),
    ]
    free = {override: {"id": "gen_random_uuid()"}, call: {"transfer_id": "'{line_closed}'"}}
    for table, promise, name, changes in tries:
        yield one_of(table, promise, copy_of(table, "true", **free[table], **changes), name)
    for table in (override, call, recomputation, "clearing_participant"):
        yield one_of(table, f"the same row of {table} twice", copy_of(table, "true", **{"note": "NULL"}), f"pk_{table}")


GUARDS = [*_stays(), *_references(), *_limits()]
