"""Checkpoints: balances of accounts without a floor, noted so that reading them stays short."""

from __future__ import annotations

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.ledger.actions.seal import SEALING_LOCK
from timebank.ledger.models import Seal


def take_checkpoints(session: Session) -> int:
    """Note the balances of accounts without a floor up to the newest seal; answers how many had moved."""
    if not session.scalar(select(func.pg_try_advisory_xact_lock(SEALING_LOCK))):
        return 0
    upto = session.scalar(select(func.max(Seal.to_seq)))
    if upto is None:
        return 0
    rows = session.execute(_DELTAS, {"upto": upto, "now": clock.now()})
    return len(rows.all())


_DELTAS = text("""
WITH latest AS (
    SELECT a.id, coalesce(c.upto_seq, 0) AS since, coalesce(c.balance, 0) AS balance
    FROM ledger_account a
    LEFT JOIN LATERAL (SELECT upto_seq, balance FROM ledger_checkpoint WHERE account_id = a.id
                       ORDER BY upto_seq DESC LIMIT 1) c ON true
    WHERE NOT a.floored)
INSERT INTO ledger_checkpoint (account_id, upto_seq, balance, taken_at)
SELECT l.id, :upto, l.balance + i.total - o.total, :now
FROM latest l,
LATERAL (SELECT coalesce(sum(amount), 0) AS total, count(*) AS n FROM ledger_transfer
         WHERE to_account_id = l.id AND to_version IS NULL AND seq > l.since AND seq <= :upto) i,
LATERAL (SELECT coalesce(sum(amount), 0) AS total, count(*) AS n FROM ledger_transfer
         WHERE from_account_id = l.id AND from_version IS NULL AND seq > l.since AND seq <= :upto) o
WHERE i.n + o.n > 0
RETURNING account_id
""")
