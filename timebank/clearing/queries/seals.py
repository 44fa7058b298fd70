"""The seal of a window as its rows make it."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from timebank.clearing.models import ClearingWindow, MovedLine, Statement
from timebank.clearing.queries.positions import sums_of
from timebank.clearing.sealing import window_seal


def seal_of(session: Session, window: ClearingWindow) -> bytes:
    """The seal over a closed window as it stands now; once it is settled this never changes again."""
    assert window.to_seq is not None
    assert window.closed_at is not None
    assert window.prices is not None
    moved = session.scalars(
        select(MovedLine).where(or_(MovedLine.from_window == window.number, MovedLine.to_window == window.number))
    )
    statements = session.scalars(select(Statement).where(Statement.window_number == window.number))
    return window_seal(
        name=window.name,
        number=window.number,
        seqs=(window.from_seq, window.to_seq),
        times=(window.opened_at, window.closed_at),
        prices=window.prices,
        sums=sums_of(session, window),
        moved=[(one.transfer_id, one.from_window, one.to_window, one.minutes) for one in moved],
        positions=[(one.township_code, one.position_minutes, one.position_fen) for one in statements],
    )
