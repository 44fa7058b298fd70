"""Closing a clearing window 关账.

The end of a window is a sequence number. Whoever posts takes no lock on the window and never waits: a movement whose
first leg got a number up to the end is in the window, any other in the next, and the closing waits for those few that
have taken such a number and not ended yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.clearing.actions.tally import lock_mark, tally_up_to
from timebank.clearing.models import ClearingWindow, Statement
from timebank.clearing.queries import find_window, open_window
from timebank.clearing.queries.positions import MOMENT, sums_of
from timebank.clearing.queries.windows import months_of_a_window
from timebank.clearing.rules import PricedSum, WindowStatus, must_have_prices, nets, price, window_due, window_name
from timebank.core import clock
from timebank.core.actors import SYSTEM, Actor
from timebank.core.amounts import hours_text
from timebank.core.errors import BankError, Conflict, Refused
from timebank.ledger.actions import settled_seq
from timebank.ledger.rules import HOUSE
from timebank.notifications.actions import notify_stewards
from timebank.notifications.models import Notice
from timebank.policies.queries import in_force

# Second legs come right after their first ones; those of the last movements may have numbers beyond the end.
_LAST_LEG = text("""
SELECT max(s.seq) FROM ledger_transfer s JOIN ledger_transfer f ON f.id = s.link_id
WHERE s.seq > :to_seq AND s.seq <= 9223372036854775807 AND f.seq > :from_seq AND f.seq <= :to_seq
""")


def close_window(session: Session, *, actor: Actor, window_name: str) -> ClearingWindow:
    """Close the open window of this name, draw up every township's statement, and open the next window.

    For the district's stewards, and the bank itself when the window is due. Raises NotAllowed ``district_only``;
    NotFound ``window_unknown``; Conflict ``window_already_closed``, ``postings_unfinished``; Refused
    ``price_missing``.
    """
    if actor is not SYSTEM:
        actor.must_be_district()
    window = find_window(session, window_name, for_update=True)
    if window.status != WindowStatus.OPEN:
        raise Conflict("window_already_closed", "这个清算周期已经关账", window=window.name, closed_at=window.closed_at)
    return _close(session, actor, window)


def close_due_window(session: Session, *, window_name: str) -> ClearingWindow | BankError:
    """Close a window whose time is over; where that is refused, tell the district once a day and answer the refusal."""
    try:
        with session.begin_nested():
            return close_window(session, actor=SYSTEM, window_name=window_name)
    except Refused as refusal:
        title = f"{window_name} 到期未能关账"
        told = select(Notice.id).where(Notice.title == title, Notice.written_at >= clock.day_start(clock.today()))
        if session.scalar(told.limit(1)) is None:
            notify_stewards(session, township_code=None, title=title, body=refusal.title)
        return refusal


def windows_due(session: Session) -> Sequence[str]:
    """The open window's name, if its time is over by policy."""
    window = open_window(session)
    due_at = window_due(window.opened_at, months_of_a_window(session))
    return [window.name] if due_at <= clock.now() else []


def _close(session: Session, actor: Actor, window: ClearingWindow) -> ClearingWindow:
    mark = lock_mark(session)
    to_seq = settled_seq(session)
    if to_seq is None:
        raise Conflict("postings_unfinished", "有记账尚未结束，请稍后再关账", window=window.name)
    tally_up_to(session, mark, to_seq)
    now = max(clock.now(), window.opened_at)
    ends_at = max(window.opened_at, min(now, window_due(window.opened_at, months_of_a_window(session))))
    prices = _prices(session, now=now, ends_at=ends_at)
    last_leg = session.scalar(_LAST_LEG, {"from_seq": window.from_seq, "to_seq": to_seq})
    window.status, window.ends_at, window.closed_at = WindowStatus.CLOSED, ends_at, now
    window.closed_by, window.closed_by_name = actor.login_id, actor.name
    window.to_seq, window.last_leg_seq, window.prices = to_seq, last_leg or to_seq, prices
    session.flush()
    # Not before: as long as it counts as open, movements beyond its end would be summed with it.
    sums = price(sums_of(session, window), prices)
    must_have_prices(sums, now)
    _draw_up_statements(session, window, sums)
    following = _open_next(session, window)
    note_down(
        session,
        actor=actor,
        action="window_closed",
        subject=("clearing_window", window.name),
        to_seq=to_seq,
        prices=prices,
        following=following.name,
    )
    return window


def _prices(session: Session, *, now: datetime, ends_at: datetime) -> dict[str, int]:
    """The prices of the window's last moment; what had none then is priced as of now: policies never reach back."""
    found: dict[str, int] = {}
    for moment in (now, ends_at - MOMENT):
        found.update(in_force(session, at=moment).value("reference_price_fen_per_hour"))
    return found


def _draw_up_statements(session: Session, window: ClearingWindow, sums: Sequence[PricedSum]) -> None:
    for code, net in sorted(nets(sums).items()):
        if code == HOUSE:
            continue
        assert net.fen is not None
        session.add(
            Statement(
                window_number=window.number, township_code=code, position_minutes=net.minutes, position_fen=net.fen
            )
        )
        owed = "应收" if net.minutes >= 0 else "应付"
        body = (
            f"清算周期 {window.name} 已关账，本镇街{owed}{hours_text(abs(net.minutes))}，请核对对账单，确认或提出异议。"
        )
        notify_stewards(session, township_code=code, title=f"{window.name} 对账单待确认", body=body)
    body = f"清算周期 {window.name} 已关账，{len(sums)} 项往来，各镇街对账单待确认。"
    notify_stewards(session, township_code=None, title=f"{window.name} 已关账", body=body)
    session.flush()


def _open_next(session: Session, window: ClearingWindow) -> ClearingWindow:
    assert window.closed_at is not None
    following = ClearingWindow(
        number=window.number + 1,
        name=window_name(window.closed_at, session.scalars(select(ClearingWindow.name))),
        status=WindowStatus.OPEN,
        from_seq=window.to_seq,
        opened_at=window.closed_at,
    )
    session.add(following)
    session.flush()
    return following
