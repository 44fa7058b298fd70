"""Seeing positions 头寸 and the bilateral matrix. A positive position is owed to the township; they sum to zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from timebank.clearing.rules import Window, window
from timebank.core import clock
from timebank.core.errors import Refused
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
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
    """Every township's position in one window, with the limits in force now or at the window's last moment.

    Raises as ``matrix``, and Refused ``window_before_opening`` where no policy was in force yet.
    """
    found, lines = matrix(session, window_name=window_name)
    policies = _policies_of(session, found)
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


def _policies_of(session: Session, found: Window) -> PolicyBook:
    # A change at the very end of a window belongs to the next one.
    last_moment = found.ends_at - timedelta(microseconds=1)
    try:
        return in_force(session, at=min(clock.now(), last_moment))
    except LookupError:
        raise Refused("window_before_opening", "时间银行在这个清算周期还没有开办", field="window") from None
