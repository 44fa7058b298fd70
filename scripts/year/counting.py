"""The year counted again from the raw rows: exact totals, a mark of the books, and what the database takes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from scripts.year.plan import Plan

# What moved, between whom, why and when, whatever ids and sequence numbers it got: the same for the same seed.
_MARK = text("""
SELECT count(*), coalesce(sum(('x' || left(md5(concat_ws('|', t.book_code, t.unit, t.kind, t.amount, t.effective_at,
                                             t.counterpart_book_code, f.name, a.name)), 15))::bit(60)::bigint), 0)::text
FROM ledger_transfer t JOIN named f ON f.id = t.from_account_id JOIN named a ON a.id = t.to_account_id
""")
_NAMED = text("""
CREATE TEMPORARY TABLE named AS
SELECT a.id, concat_ws(' ', a.book_code, a.unit, a.kind, p.id_number_index, o.name) AS name
FROM ledger_account a LEFT JOIN person p ON p.id = a.person_id LEFT JOIN organisation o ON o.id = a.organisation_id
""")

_TOTALS = {
    "visits": "SELECT count(*) FROM task_assignment WHERE status = 'confirmed'",
    "minutes": "SELECT coalesce(sum(payable_minutes), 0) FROM task_assignment WHERE status = 'confirmed'",
    "credited_minutes": "SELECT coalesce(sum(amount), 0) FROM ledger_transfer"
    " WHERE kind IN ('back_fill_credit', 'surplus') AND (link_id IS NULL OR link_id = id)",
    "elders_visited": "SELECT count(DISTINCT elder_id) FROM task",
    "meals": "SELECT count(*) FROM meal_order WHERE state = 'served'",
    "meal_days": "SELECT count(DISTINCT served_on) FROM meal_order",
    "diners": "SELECT count(DISTINCT diner_id) FROM meal_order",
    "canteens": "SELECT count(DISTINCT canteen_id) FROM meal_order",
    "list_fen": "SELECT coalesce(sum(list_fen), 0) FROM meal_order WHERE state = 'served'",
    "paid_fen": "SELECT coalesce(sum(amount), 0) FROM ledger_transfer WHERE cause_kind = 'meal_order'",
    "meal_transfers": "SELECT count(*) FROM ledger_transfer WHERE cause_kind = 'meal_order'",
    "visit_transfers": "SELECT count(*) FROM ledger_transfer WHERE kind IN ('back_fill_credit', 'surplus')",
    "voucher_meals": "SELECT count(*) FROM voucher WHERE status = 'redeemed'",
    "windows_settled": "SELECT count(*) FROM clearing_settlement WHERE status = 'completed'",
    "transfers": "SELECT count(*) FROM ledger_transfer",
    "crossing": "SELECT count(*) FROM ledger_transfer WHERE link_id = id AND unit = 'minute' AND kind <> 'settlement'",
}

_WHOLE = """
SELECT pg_database_size(current_database()), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0'),
       (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())
"""

_TABLES = """
SELECT c.relname, s.n_live_tup, pg_table_size(c.oid), pg_indexes_size(c.oid)
FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid
WHERE pg_total_relation_size(c.oid) > 1000000 ORDER BY pg_total_relation_size(c.oid) DESC
"""

# Nothing is said of those that keep a promise: they are looked into by every insertion and not counted for it.
_IDLE_INDEXES = """
SELECT s.indexrelname, pg_relation_size(s.indexrelid) FROM pg_stat_user_indexes s
JOIN pg_index i ON i.indexrelid = s.indexrelid
WHERE s.idx_scan = 0 AND NOT i.indisunique AND NOT i.indisexclusion ORDER BY 2 DESC, 1
"""


def counted(session: Session) -> dict[str, int]:
    """Every total by name."""
    return {name: int(session.execute(text(query)).scalar_one()) for name, query in _TOTALS.items()}


def mark_of_the_books(session: Session) -> str:
    """One line that stands for all transfers; it tells two years apart that differ in a single one."""
    session.execute(_NAMED)
    count, total = session.execute(_MARK).one()
    session.execute(text("DROP TABLE named"))
    return f"{count}-{total}"


def sizes(session: Session) -> dict[str, Any]:
    """Bytes of the database, its larger tables and its log, commits, and the indexes that no query has used."""
    tables = {
        name: {"rows": rows, "bytes": size, "index_bytes": of_indexes}
        for name, rows, size, of_indexes in session.execute(text(_TABLES))
    }
    idle = {name: size for name, size in session.execute(text(_IDLE_INDEXES))}
    whole, log, commits = session.execute(text(_WHOLE)).one()
    told = {"bytes": int(whole), "log_bytes": int(log), "commits": int(commits)}
    return {**told, "tables": tables, "indexes_not_used": idle}


def differences(plan: Plan, found: dict[str, int]) -> list[str]:
    """Where the year did not come to what was planned; nothing in a good year."""
    size = plan.size
    wanted = {
        "visits": size.visits,
        "minutes": size.hours * 60,
        "credited_minutes": size.hours * 60,
        "elders_visited": min(size.elders, size.visits),
        "meals": plan.meals,
        "meal_days": len(plan.days),
        "diners": size.diners,
        "canteens": size.canteens,
        "paid_fen": found["list_fen"],
        "windows_settled": size.months,
    }
    return [f"{name}: {found[name]:,}, not {value:,}" for name, value in wanted.items() if found[name] != value]
