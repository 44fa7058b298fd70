"""Seeing positions 头寸 and the bilateral matrix. A positive position is owed to the township; they sum to zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from timebank.clearing.rules import Window, window
from timebank.core import clock
from timebank.policies.queries import in_force
from timebank.townships.queries import townships


@dataclass(frozen=True, slots=True)
class Position:
    """What a township is owed (positive) or owes (negative), in minutes, and its limits."""

    township_code: str
    township_name: str
    position_minutes: int
    soft_limit_minutes: int
    hard_limit_minutes: int


@dataclass(frozen=True, slots=True)
class MatrixLine:
    """What one township owes another for what was done there, gross, in minutes."""

    debtor_township_code: str
    creditor_township_code: str
    minutes: int
    transfers: int


# The leg into its own book's clearing account is the debtor's; the leg out of it, linked, is the creditor's.
_MATRIX = text("""
SELECT t.book_code AS debtor, t.counterpart_book_code AS creditor,
       sum(t.amount)::bigint AS minutes, count(*) AS transfers
FROM ledger_transfer t
WHERE t.unit = 'minute' AND t.id = t.link_id AND t.recorded_at >= :starts_at AND t.recorded_at < :ends_at
GROUP BY t.book_code, t.counterpart_book_code
ORDER BY t.book_code, t.counterpart_book_code
""")


def matrix(session: Session, *, window_name: str | None) -> tuple[Window, Sequence[MatrixLine]]:
    """Who owes whom in one window. Raises Refused ``window_invalid``, ``window_in_future``."""
    found = window(window_name, clock.today())
    rows = session.execute(_MATRIX, {"starts_at": found.starts_at, "ends_at": found.ends_at})
    return found, [MatrixLine(*row) for row in rows]


def positions(session: Session, *, window_name: str | None) -> tuple[Window, Sequence[Position]]:
    """Every township's position in one window. Raises as ``matrix``."""
    found, lines = matrix(session, window_name=window_name)
    policies = in_force(session, at=min(clock.now(), found.ends_at))
    owed: dict[str, int] = {}
    for line in lines:
        owed[line.debtor_township_code] = owed.get(line.debtor_township_code, 0) - line.minutes
        owed[line.creditor_township_code] = owed.get(line.creditor_township_code, 0) + line.minutes
    return found, [
        Position(
            township.code,
            township.name,
            owed.get(township.code, 0),
            policies.whole("position_soft_limit_minutes", township.code),
            policies.whole("position_hard_limit_minutes", township.code),
        )
        for township in townships(session)
    ]
