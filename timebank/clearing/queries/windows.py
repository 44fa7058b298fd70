"""Seeing clearing windows 清算周期."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from timebank.clearing.models import ClearingWindow
from timebank.clearing.rules import WINDOW_STATUS_NAMES, WindowStatus, window_due
from timebank.core import clock
from timebank.core.errors import NotFound
from timebank.core.sorting import Orders, Part, Slice, by_course, slice_of
from timebank.policies.queries import in_force


@dataclass(frozen=True, slots=True)
class WindowView:
    """One window as people see it; ``due_at`` is when it is closed by itself."""

    window: str
    number: int
    status: str
    status_name: str
    opened_at: datetime
    due_at: datetime
    ends_at: datetime | None
    closed_at: datetime | None
    closed_by_name: str | None
    settled_at: datetime | None
    prices_fen_per_hour: Any | None
    seal: str | None


def open_window(session: Session) -> ClearingWindow:
    """The window that new movements fall into."""
    return session.scalars(select(ClearingWindow).where(ClearingWindow.status == WindowStatus.OPEN)).one()


def find_window(session: Session, name: str | None, *, for_update: bool = False) -> ClearingWindow:
    """The window of this name; None means the open one. Raises NotFound ``window_unknown``."""
    query = select(ClearingWindow)
    query = query.where(ClearingWindow.status == WindowStatus.OPEN if name is None else ClearingWindow.name == name)
    if for_update:
        query = locked(query)
    found = session.scalar(query)
    if found is None:
        raise NotFound("window_unknown", "没有这个清算周期", window=name)
    return found


def window_of_number(session: Session, number: int) -> ClearingWindow:
    """The window of this number. Raises NotFound ``window_unknown``."""
    found = session.get(ClearingWindow, number)
    if found is None:
        raise NotFound("window_unknown", "没有这个清算周期", number=number)
    return found


def lock_open_window(session: Session) -> ClearingWindow:
    """The open window, which nobody closes before this unit of work ends."""
    query = select(ClearingWindow).where(ClearingWindow.status == WindowStatus.OPEN)
    found = session.scalar(locked(query))
    # Whoever waited for somebody to close it finds it closed, and looks again for the next one.
    return found if found is not None else session.scalars(locked(query)).one()


def locked(query: Select[ClearingWindow]) -> Select[ClearingWindow]:
    """The same windows, locked and read afresh; not so that a row that refers to one has to wait, as the tally's do."""
    return query.with_for_update(key_share=True).execution_options(populate_existing=True)


WINDOW_ORDERS = Orders(
    of="windows",
    by={
        "number": ClearingWindow.number,
        "status": by_course(ClearingWindow.status, list(WindowStatus)),
        "settled_at": ClearingWindow.settled_at,
    },
    tie=ClearingWindow.number,
    usual="-number",
)


def windows(session: Session, *, part: Part, status: str | None = None) -> Slice[WindowView]:
    """Windows, newest first where ``part`` asks for no other order."""
    query = select(ClearingWindow)
    if status is not None:
        query = query.where(ClearingWindow.status == status)
    months, found = months_of_a_window(session), slice_of(session, query, WINDOW_ORDERS, part)
    return found.holding([_view(window, months) for window in found.items])


def window_view(session: Session, window: ClearingWindow) -> WindowView:
    """One window as people see it."""
    return _view(window, months_of_a_window(session))


def months_of_a_window(session: Session) -> int:
    """How long a window is to be open, in months, by the policy in force now."""
    return in_force(session, at=clock.now()).whole("clearing_window_months")


def _view(window: ClearingWindow, months: int) -> WindowView:
    return WindowView(
        window=window.name,
        number=window.number,
        status=window.status,
        status_name=WINDOW_STATUS_NAMES[WindowStatus(window.status)],
        opened_at=window.opened_at,
        due_at=window_due(window.opened_at, months),
        ends_at=window.ends_at,
        closed_at=window.closed_at,
        closed_by_name=window.closed_by_name,
        settled_at=window.settled_at,
        prices_fen_per_hour=window.prices,
        seal=window.seal.hex() if window.seal else None,
    )
