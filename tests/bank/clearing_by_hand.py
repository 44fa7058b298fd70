"""Windows counted by hand: from the raw transfers, without the bank's own sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from tests.bank.clearing_crowd import TOWNSHIPS
from timebank.clearing.models import ClearingWindow, Statement
from timebank.clearing.queries import lines, matrix, open_window
from timebank.core.db import Database

Owing = dict[tuple[str, str], tuple[int, int]]
"""Minutes and number of movements, by debtor and creditor."""

_MOVEMENTS = text("""
SELECT f.id, f.seq, f.book_code AS debtor, f.counterpart_book_code AS creditor, f.amount, f.kind
FROM ledger_transfer f JOIN ledger_transfer s ON s.link_id = f.id AND s.id <> f.id AND s.book_code <> f.book_code
WHERE f.link_id = f.id AND f.unit = 'minute' ORDER BY f.seq
""")


def movements(session: Session) -> Sequence[Row[tuple[UUID, int, str, str, int, str]]]:
    """Every movement between townships, by its first leg."""
    return session.execute(_MOVEMENTS).all()


def windows_of(session: Session) -> list[ClearingWindow]:
    """All windows, the oldest first."""
    return list(session.scalars(select(ClearingWindow).order_by(ClearingWindow.number)))


def contains(window: ClearingWindow, seq: int) -> bool:
    """Whether a movement whose first leg has this number is the window's."""
    return window.from_seq < seq and (window.to_seq is None or seq <= window.to_seq)


def must_agree(bank: Database) -> list[int]:
    """Each movement in one window; the matrix, the statements and the lines of each as counted by hand.

    Answers how many movements each window has, the oldest first.
    """
    with bank.session() as session:
        made, windows = movements(session), windows_of(session)
        assert [sum(contains(window, one.seq) for window in windows) for one in made] == [1] * len(made)
        summed: Counter[tuple[str, str]] = Counter()
        for window in windows:
            own = [one for one in made if contains(window, one.seq)]
            _must_say(session, window, own)
            for one in own:
                summed[one.debtor, one.creditor] += one.amount
        total = _owing(session, "all")
        assert {pair: minutes for pair, (minutes, _) in total.items()} == summed
        assert total == _by_hand(made)
        return [sum(contains(window, one.seq) for one in made) for window in windows]


def _must_say(
    session: Session, window: ClearingWindow, own: Sequence[Row[tuple[UUID, int, str, str, int, str]]]
) -> None:
    assert _owing(session, window.name) == _by_hand(own)
    position: Counter[str] = Counter()
    for one in own:
        position[one.debtor] -= one.amount
        position[one.creditor] += one.amount
    if window.status != "open":
        said = session.scalars(select(Statement).where(Statement.window_number == window.number))
        assert {one.township_code: one.position_minutes for one in said} == position
    for code in TOWNSHIPS:
        shown = {line.transfer_id: line.minutes for line in lines(session, window, code, limit=100_000)}
        wanted = {one.id: one.amount * (1 if one.creditor == code else -1) for one in own if code in one[2:4]}
        assert shown == wanted


def owing_in(bank: Database, window_name: str | None) -> Owing:
    """The matrix of a window (None: the open one) as the bank shows it."""
    with bank.session() as session:
        return _owing(session, window_name or open_window(session).name)


def _owing(session: Session, window_name: str) -> Owing:
    _, found = matrix(session, window_name=window_name)
    return {(one.debtor_township_code, one.creditor_township_code): (one.minutes, one.transfers) for one in found}


def _by_hand(made: Sequence[Row[tuple[UUID, int, str, str, int, str]]]) -> Owing:
    minutes: Counter[tuple[str, str]] = Counter()
    transfers: Counter[tuple[str, str]] = Counter()
    for one in made:
        minutes[one.debtor, one.creditor] += one.amount
        transfers[one.debtor, one.creditor] += 1
    return {pair: (minutes[pair], transfers[pair]) for pair in minutes}
