"""Allotments and seed hours against the ledger."""

from __future__ import annotations

from collections.abc import Iterator

from timebank.ledger.verify import Check, sql_check


def allotment_checks() -> Iterator[Check]:
    """Each grant has its one transfer into the person's lot of the right last day, and no transfer lacks its grant."""
    for table, kind, title in (
        ("allotment", "allotment", "每笔政府购买服务时长恰有一笔划转"),
        ("seed_grant", "seed_grant", "每笔种子时长恰有一笔划转"),
    ):
        yield sql_check(
            f"{kind}s_granted_once",
            title,
            table,
            f"""SELECT coalesce(g.id, t.cause_id), 'grant of ' || coalesce(g.minutes, 0) || ' minutes, transfers of '
                       || coalesce(t.minutes, 0)
            FROM {table} g
            FULL JOIN (SELECT x.cause_id, sum(x.amount) AS minutes, count(*) AS n,
                              min(a.person_id::text)::uuid AS person_id, min(a.expires_on) AS expires_on,
                              min(a.book_code) AS book_code
                       FROM ledger_transfer x JOIN ledger_account a ON a.id = x.to_account_id
                       WHERE x.kind = '{kind}' GROUP BY x.cause_id) t ON t.cause_id = g.id
            WHERE g.id IS NULL OR t.n IS DISTINCT FROM 1
               OR (g.minutes, g.person_id, g.expires_on, g.township_code)
                  IS DISTINCT FROM (t.minutes, t.person_id, t.expires_on, t.book_code)
            ORDER BY 1 LIMIT 1""",
        )
