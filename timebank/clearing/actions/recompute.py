"""Recomputing every night 复算: all positions from raw transfers, against what the bank shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.clearing.models import Recomputation
from timebank.core import clock
from timebank.core.actors import SYSTEM
from timebank.core.errors import BankError, Refused
from timebank.notifications.actions import notify_stewards

FROM_HOUR = 2
"""When the night's work begins in Fenghua, after the day's last meals and before the first."""

# One statement, so that everything it compares is of one moment. What lies beyond the tally's mark is read from raw
# transfers whenever a position is shown, and needs no comparing.
_DIFFERENCES = text("""
WITH moved AS (
    SELECT from_window AS number, debtor, creditor, -minutes AS minutes FROM clearing_moved_line
    UNION ALL SELECT to_window, debtor, creditor, minutes FROM clearing_moved_line),
recomputed AS (
    SELECT w.number, t.book_code AS debtor, t.counterpart_book_code AS creditor, sum(t.amount) AS minutes
    FROM ledger_transfer t
    JOIN clearing_window w ON t.seq > w.from_seq AND (w.to_seq IS NULL OR t.seq <= w.to_seq)
    WHERE t.unit = 'minute' AND t.id = t.link_id AND t.kind NOT IN ('settlement', 'settlement_undone')
      AND t.seq <= (SELECT upto_seq FROM clearing_tally_mark)
    GROUP BY 1, 2, 3
    UNION ALL SELECT * FROM moved),
tallied AS (
    SELECT window_number AS number, debtor, creditor, minutes FROM clearing_tally UNION ALL SELECT * FROM moved),
figures (number, township_code, what, minutes) AS (
    SELECT number, debtor, 'recomputed', -minutes FROM recomputed
    UNION ALL SELECT number, creditor, 'recomputed', minutes FROM recomputed
    UNION ALL SELECT number, debtor, 'position', -minutes FROM tallied
    UNION ALL SELECT number, creditor, 'position', minutes FROM tallied
    UNION ALL SELECT window_number, township_code, 'statement', position_minutes FROM clearing_statement),
compared AS (
    SELECT f.number, f.township_code, coalesce(sum(minutes) FILTER (WHERE what = 'recomputed'), 0) AS recomputed,
           coalesce(sum(minutes) FILTER (WHERE what = 'position'), 0) AS position,
           coalesce(sum(minutes) FILTER (WHERE what = 'statement'), 0) AS statement
    FROM figures f WHERE f.township_code <> 'house' GROUP BY 1, 2)
SELECT w.name, s.place, c.township_code, s.shown::bigint, c.recomputed::bigint
FROM compared c
JOIN clearing_window w ON w.number = c.number
CROSS JOIN LATERAL (VALUES ('position', c.position), ('statement', c.statement)) AS s (place, shown)
WHERE s.shown <> c.recomputed AND (s.place = 'position' OR w.status <> 'open')
UNION ALL
SELECT 'all', 'debt', p.township_code, p.owed_minutes, coalesce(d.owed, 0)::bigint
FROM clearing_participant p
LEFT JOIN (SELECT book_code, sum(CASE WHEN id = link_id THEN amount ELSE -amount END) AS owed
           FROM ledger_transfer WHERE unit = 'minute' AND link_id IS NOT NULL
             AND seq <= (SELECT upto_seq FROM clearing_tally_mark) GROUP BY book_code) d
    ON d.book_code = p.township_code
WHERE p.owed_minutes <> coalesce(d.owed, 0)
ORDER BY 1, 2, 3
""")

_FIELDS = ("window", "where", "township_code", "shown_minutes", "recomputed_minutes")


def recomputations_due(session: Session) -> Sequence[date]:
    """Today, from the small hours on, unless this night's recomputation is made."""
    now, today = clock.now().astimezone(clock.LOCAL), clock.today()
    if now.hour < FROM_HOUR or session.get(Recomputation, today) is not None:
        return []
    return [today]


def recompute(session: Session, *, day: date) -> list[BankError]:
    """Recompute all positions once for this day; differences are kept, told to the stewards, and answered by name.

    Each answer is a Refused ``positions_differ``; none means that everything agrees, or was recomputed already.
    """
    differences: list[dict[str, Any]] = [dict(zip(_FIELDS, row, strict=True)) for row in session.execute(_DIFFERENCES)]
    row = {"day": day, "made_at": clock.now(), "differences": differences}
    made = insert(Recomputation).values(row).on_conflict_do_nothing().returning(Recomputation.day)
    if session.scalar(made) is None or not differences:
        return []
    note_down(session, actor=SYSTEM, action="positions_differ", subject=("day", day), differences=differences)
    for code in sorted({one["township_code"] for one in differences}):
        own = [one for one in differences if one["township_code"] == code]
        body = "；".join(_sentence(one) for one in own)
        for audience in (code, None):
            notify_stewards(session, township_code=audience, title="头寸复算不符", body=body)
    return [Refused("positions_differ", "头寸与按划转复算的不符", detail=_sentence(one), **one) for one in differences]


def _sentence(one: dict[str, Any]) -> str:
    what = {"statement": "对账单", "position": "头寸", "debt": "未结算应付"}[one["where"]]
    return (
        f"清算周期 {one['window']} 镇街 {one['township_code']} 的{what}为 {one['shown_minutes']} 分钟，"
        f"按划转复算为 {one['recomputed_minutes']} 分钟"
    )
