"""Numbering what ended early, for the list that counters download."""

from __future__ import annotations

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from timebank.redemption.offline_models import VoucherEnding

_NUMBERING_LOCK = 0x7B009
"""Advisory lock held to the end by who numbers: numbers become visible in their order, and none is ever missed."""

_NUMBER = text("""
WITH waiting AS (
    SELECT w.id, row_number() OVER (ORDER BY w.id) AS place
    FROM (SELECT id FROM voucher_ending WHERE number IS NULL ORDER BY id LIMIT :limit) w),
newest AS (SELECT coalesce(max(number), 0) AS number FROM voucher_ending)
UPDATE voucher_ending e SET number = newest.number + waiting.place
FROM waiting, newest WHERE e.id = waiting.id
""")


def endings_waiting(session: Session) -> list[None]:
    """One item where an ending has no number yet."""
    waits = session.scalar(select(VoucherEnding.id).where(VoucherEnding.number.is_(None)).limit(1))
    return [] if waits is None else [None]


def number_endings(session: Session, *, limit: int) -> int:
    """Give the next numbers to at most ``limit`` endings; answers to how many."""
    session.execute(select(func.pg_advisory_xact_lock(_NUMBERING_LOCK)))
    # A statement of its own after the lock, so that it sees what whoever held it before has numbered.
    return int(session.execute(_NUMBER, {"limit": limit}).rowcount)  # type: ignore[attr-defined]
