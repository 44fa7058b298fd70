"""Seeing positions 头寸 and the bilateral matrix. A positive position is owed to the township; they sum to zero.

What has been tallied is read from the tally, what came later from the raw transfers: the tail that the job has not
reached yet.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from sqlalchemy import ARRAY, Text, bindparam, func, select, text
from sqlalchemy.orm import Session

from timebank.clearing.models import ClearingWindow, LimitOverride
from timebank.clearing.queries.windows import find_window
from timebank.clearing.rules import (
    PRICE_KIND_NAMES,
    LimitState,
    Net,
    PricedSum,
    PriceKind,
    Standing,
    Sum,
    WindowStatus,
    nets,
    price,
    standing,
)
from timebank.core import clock
from timebank.ledger.rules import HOUSE
from timebank.policies.queries import in_force
from timebank.townships.queries import township_names, townships

MOMENT = timedelta(microseconds=1)
"""A policy that begins at the end of a window belongs to the next one: the last moment is this much before."""

ALL_TIME = "all"
"""Instead of a window's name: every movement there ever was, but not again what was carried from window to window."""

HOUSE_NAME = "区清算中心"


@dataclass(frozen=True, slots=True)
class Position:
    """What a township is owed (positive) or owes (negative) in a window, and how it stands against its limits.

    ``owed_minutes`` is what it owes now in all windows that are not settled; that is what the limits are for, also
    where the window is an old one. ``override_minutes`` is what was granted beyond the hard limit and still holds,
    ``beyond_limit_minutes`` the part of the debt that lies beyond it.
    """

    township_code: str
    township_name: str
    position_minutes: int
    position_fen: int | None
    owed_minutes: int
    soft_limit_minutes: int
    hard_limit_minutes: int
    override_minutes: int
    limit_state: LimitState
    beyond_limit_minutes: int


@dataclass(frozen=True, slots=True)
class MatrixPart:
    """What is owed between two townships at one price, gross; ``fen`` is None where the price is missing."""

    price_kind: PriceKind
    price_kind_name: str
    minutes: int
    transfers: int
    fen: int | None


@dataclass(frozen=True, slots=True)
class MatrixLine:
    """What one township owes another for what was done there, gross; ``house`` stands for minutes carried over."""

    debtor_township_code: str
    debtor_name: str
    creditor_township_code: str
    creditor_name: str
    minutes: int
    transfers: int
    fen: int | None
    parts: Sequence[MatrixPart]


# The first leg, into its own book's clearing account, is the debtor's; the second, linked, is the creditor's. What
# settles a window belongs to none. The newest window alone has a tail, and a closed one was tallied to its end.
_SUMS = text("""
WITH mark AS MATERIALIZED (SELECT upto_seq FROM clearing_tally_mark), parts AS (
    SELECT debtor, creditor, kind, minutes, transfers FROM clearing_tally
    WHERE CASE WHEN :all_time THEN kind NOT IN ('carried_meal', 'carried_care', 'carried_aid')
               ELSE window_number = :number END
    UNION ALL
    SELECT t.book_code, t.counterpart_book_code, t.kind, sum(t.amount)::bigint, count(*)
    FROM ledger_transfer t
    WHERE (:all_time OR :is_open)
      AND t.seq > (SELECT upto_seq FROM mark) AND t.seq <= (SELECT 9223372036854775807 FROM mark)
      AND t.unit = 'minute' AND t.id = t.link_id AND t.kind NOT IN ('settlement', 'settlement_undone')
      AND NOT (:all_time AND t.kind IN ('carried_meal', 'carried_care', 'carried_aid'))
    GROUP BY 1, 2, 3
    UNION ALL
    SELECT debtor, creditor, kind, minutes, 1 FROM clearing_moved_line WHERE NOT :all_time AND to_window = :number
    UNION ALL
    SELECT debtor, creditor, kind, -minutes, -1 FROM clearing_moved_line WHERE NOT :all_time AND from_window = :number)
SELECT debtor, creditor, kind, sum(minutes)::bigint, sum(transfers)::bigint
FROM parts GROUP BY 1, 2, 3 HAVING sum(transfers) <> 0 ORDER BY 1, 2, 3
""")

# Along each clearing account's own indexes, so that one township's debt is not paid for by reading all others'; the
# account itself by the index of open accounts, which it never leaves, since every purchase asks this.
_OWED = text("""
SELECT p.township_code, p.owed_minutes + i.total - o.total
FROM clearing_participant p
JOIN ledger_account a ON a.book_code = p.township_code AND a.kind = 'clearing' AND a.unit = 'minute'
     AND a.closed_at IS NULL
CROSS JOIN (SELECT upto_seq FROM clearing_tally_mark) m
CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0)::bigint AS total FROM ledger_transfer
                    WHERE to_account_id = a.id AND to_version IS NULL AND seq > m.upto_seq) i
CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0)::bigint AS total FROM ledger_transfer
                    WHERE from_account_id = a.id AND from_version IS NULL AND seq > m.upto_seq) o
WHERE p.township_code = ANY(:codes)
""").bindparams(bindparam("codes", type_=ARRAY(Text)))


def sums_of(session: Session, window: ClearingWindow | None) -> list[Sum]:
    """Who owes whom for what in a window, or of all time (None), moved lines counted where they belong now."""
    asked = {
        "all_time": window is None,
        "number": window.number if window else 0,
        "is_open": window is not None and window.status == WindowStatus.OPEN,
    }
    return [Sum(*row) for row in session.execute(_SUMS, asked)]


def owed_minutes(session: Session, township_codes: Collection[str]) -> dict[str, int]:
    """What these townships owe (negative: are owed) in all windows not settled, at this moment."""
    return {code: owed for code, owed in session.execute(_OWED, {"codes": list(township_codes)})}


def prices_of(session: Session, window: ClearingWindow | None) -> Mapping[str, int]:
    """Fen per hour by price kind: as of the window's end, or now for one that is open."""
    if window is not None and window.prices is not None:
        return dict(window.prices)
    return dict(in_force(session, at=clock.now()).value("reference_price_fen_per_hour"))


def priced(session: Session, window: ClearingWindow | None) -> list[PricedSum]:
    """Who owes whom at which price, in minutes and fen."""
    return price(sums_of(session, window), prices_of(session, window))


def matrix(session: Session, *, window_name: str | None) -> tuple[ClearingWindow | None, Sequence[MatrixLine]]:
    """Who owes whom in one window, None for the open one, or of all time. Raises NotFound ``window_unknown``."""
    window = None if window_name == ALL_TIME else find_window(session, window_name)
    return window, matrix_lines(session, priced(session, window))


def matrix_lines(session: Session, sums: Sequence[PricedSum]) -> list[MatrixLine]:
    """The same by pair of townships, with their names; ``sums`` come in the order of ``price``."""
    names = {**township_names(session), HOUSE: HOUSE_NAME}
    found = []
    for (debtor, creditor), group in groupby(sums, key=lambda one: (one.debtor, one.creditor)):
        parts = [
            MatrixPart(one.price_kind, PRICE_KIND_NAMES[one.price_kind], one.minutes, one.transfers, one.fen)
            for one in group
        ]
        fen = [part.fen for part in parts if part.fen is not None]
        found.append(
            MatrixLine(
                debtor_township_code=debtor,
                debtor_name=names[debtor],
                creditor_township_code=creditor,
                creditor_name=names[creditor],
                minutes=sum(part.minutes for part in parts),
                transfers=sum(part.transfers for part in parts),
                fen=sum(fen) if len(fen) == len(parts) else None,
                parts=parts,
            )
        )
    return found


def positions(session: Session, *, window_name: str | None) -> tuple[ClearingWindow | None, Sequence[Position]]:
    """Every township's position in one window, or of all time; debts and limits are of now. Raises as ``matrix``."""
    window = None if window_name == ALL_TIME else find_window(session, window_name)
    net = nets(priced(session, window))
    everybody = townships(session)
    now = standings(session, [township.code for township in everybody])
    return window, [_position(one.code, one.name, net.get(one.code, Net()), now[one.code]) for one in everybody]


def override_minutes(session: Session) -> dict[str, int]:
    """What is granted beyond hard limits at this moment, by township, in minutes."""
    granted = (
        select(LimitOverride.township_code, func.sum(LimitOverride.extra_minutes))
        .where(LimitOverride.valid_until > clock.now())
        .group_by(LimitOverride.township_code)
    )
    return {code: int(minutes) for code, minutes in session.execute(granted)}


def standings(session: Session, township_codes: Collection[str]) -> dict[str, Standing]:
    """How these townships stand against their limits at this moment."""
    policies = in_force(session, at=clock.now())
    owed, granted = owed_minutes(session, township_codes), override_minutes(session)
    return {code: standing(policies, code, owed[code], granted.get(code, 0)) for code in township_codes}


def _position(code: str, name: str, net: Net, now: Standing) -> Position:
    return Position(
        code,
        name,
        position_minutes=net.minutes,
        position_fen=net.fen,
        owed_minutes=now.owed_minutes,
        soft_limit_minutes=now.soft_limit_minutes,
        hard_limit_minutes=now.hard_limit_minutes,
        override_minutes=now.override_minutes,
        limit_state=now.limit_state,
        beyond_limit_minutes=now.beyond_limit_minutes,
    )
