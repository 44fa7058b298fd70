"""What waits for a decision, counted in one statement."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many things of one kind wait; ``key`` names the kind for programs."""

    key: str
    label: str
    number: int


_LABELS = {
    "records": "补录待第二人审批",
    "disputes": "服务申诉待裁定",
    "line_disputes": "往来异议待裁定",
    "reversals": "冲正待第二人批准",
    "diners": "用餐申请待审核",
    "canteens": "助餐点待验收",
    "claims": "补贴结算待核",
    "findings": "补贴疑点待处理",
    "hardship": "困难帮扶待批准",
    "deaths": "身故上报待处理",
    "breaks": "对账差异未了结",
}

_COUNTED = text("""
WITH w (key, township_code) AS (
    SELECT CASE status WHEN 'recorded' THEN 'records' ELSE 'disputes' END, township_code FROM task
    WHERE status IN ('recorded', 'disputed')
    UNION ALL SELECT 'line_disputes', township_code FROM clearing_dispute WHERE ruling IS NULL
    UNION ALL SELECT 'reversals', t.book_code FROM ledger_reversal_request r
              JOIN ledger_transfer t ON t.id = r.transfer_id WHERE r.approved_at IS NULL
    UNION ALL SELECT 'diners', p.township_code FROM diner d JOIN person p ON p.id = d.person_id
              WHERE d.state = 'applied'
    UNION ALL SELECT 'canteens', g.township_code FROM canteen c JOIN organisation g ON g.id = c.id
              WHERE c.state = 'applied'
    UNION ALL SELECT 'claims', g.township_code FROM subsidy_claim s JOIN organisation g ON g.id = s.canteen_id
              WHERE s.state IN ('computed', 'checked', 'township_approved')
    UNION ALL SELECT 'findings', g.township_code FROM subsidy_finding f
              JOIN subsidy_claim s ON s.id = f.claim_id AND s.state IN ('computed', 'checked', 'township_approved')
              JOIN organisation g ON g.id = s.canteen_id
              WHERE f.decision IS NULL
    UNION ALL SELECT 'hardship', township_code FROM giving_hardship_request WHERE status = 'waiting'
    UNION ALL SELECT 'deaths', township_code FROM death_report
              WHERE declined_at IS NULL AND second_approved_at IS NULL
    UNION ALL SELECT 'breaks', owner_township_code FROM clearing_break WHERE cured_at IS NULL AND ended_at IS NULL
)
SELECT key, count(*) FROM w WHERE CAST(:township AS text) IS NULL OR township_code = :township GROUP BY 1
""")


def waiting(session: Session, township_code: str | None) -> list[Waiting]:
    """Everything that may wait, in a township or in all, also what does not wait at all (0)."""
    found = {key: number for key, number in session.execute(_COUNTED, {"township": township_code})}
    return [Waiting(key, label, found.get(key, 0)) for key, label in _LABELS.items()]
