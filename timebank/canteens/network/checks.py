"""What ``timebank verify`` asks of canteens: grades against the ledger, and counters that know whether they serve."""

from __future__ import annotations

from collections.abc import Iterator

from timebank.ledger.verify import Check, sql_check


def network_checks() -> Iterator[Check]:
    """Every check of canteens."""
    yield sql_check(
        "grades_credited",
        "每个批准的等级都有相符的运营补贴划转",
        "canteen_grade",
        """SELECT g.canteen_id, 'grade of ' || g.year || ': ' || g.subsidy_fen || ' fen, credited '
               || coalesce(t.amount, 0)
        FROM canteen_grade g
        LEFT JOIN LATERAL (
            SELECT t.amount FROM ledger_transfer t
            JOIN ledger_account f ON f.id = t.from_account_id JOIN ledger_account a ON a.id = t.to_account_id
            WHERE t.id = g.transfer_id AND t.kind = 'operating_subsidy' AND t.cause_id = g.canteen_id
              AND f.kind = 'subsidy' AND a.kind = 'canteen' AND a.organisation_id = g.canteen_id) t ON true
        WHERE g.approved_at IS NOT NULL AND coalesce(t.amount, 0) <> g.subsidy_fen
        ORDER BY g.canteen_id, g.year LIMIT 1""",
    )
    yield sql_check(
        "operating_subsidies_graded",
        "每笔运营补贴都属于一个批准的等级",
        "ledger_transfer",
        """SELECT t.id, 'an operating subsidy that no approved grade names' FROM ledger_transfer t
        WHERE t.kind = 'operating_subsidy'
          AND NOT EXISTS (SELECT FROM canteen_grade g WHERE g.transfer_id = t.id AND g.approved_at IS NOT NULL)
        ORDER BY t.seq LIMIT 1""",
    )
    yield sql_check(
        "canteens_serve_while_open",
        "助餐点的柜台与其营业状态一致",
        "canteen",
        """SELECT c.id, c.state || ', but its counter '
               || CASE WHEN o.not_serving_since IS NULL THEN 'serves' ELSE 'does not serve' END
        FROM canteen c JOIN organisation o ON o.id = c.id
        WHERE (c.state = 'open') <> (o.not_serving_since IS NULL) ORDER BY c.id LIMIT 1""",
    )
    yield sql_check(
        "canteen_numbers_accepted",
        "每个助餐点编号都有一次通过的验收",
        "canteen",
        """SELECT c.id, 'number ' || c.number || ' without an acceptance that it passed' FROM canteen c
        WHERE c.number IS NOT NULL AND c.applied_by IS NOT NULL
          AND NOT EXISTS (SELECT FROM canteen_acceptance a WHERE a.canteen_id = c.id AND a.passed)
        ORDER BY c.number LIMIT 1""",
    )
