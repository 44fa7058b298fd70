"""Seeing reconciliations 往来核对 and the breaks that they left, each with its owner and its age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from timebank.clearing.models import ClearingWindow
from timebank.clearing.queries.reviews import own_township
from timebank.clearing.reconciliation_models import Break, Reconciliation
from timebank.clearing.township_lists import BREAK_TYPE_NAMES, BreakType
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.chinese_order import by_pinyin
from timebank.core.errors import NotFound
from timebank.core.sorting import Orders, Part, Slice, by_course, slice_of

ENDED_REASON_NAMES = {"list_corrected": "清单已更正", "books_changed": "账上已有变化"}


@dataclass(frozen=True, slots=True)
class BreakView:
    """One break. Minutes are positive where they are owed to ``township_code``, whose list shows it at ``row``.

    ``owner_township_code`` is who looks into it (None: the district), ``age_days`` how long it has been or was open.
    """

    break_id: UUID
    window: str
    township_code: str
    type: str
    type_name: str
    owner_township_code: str | None
    age_days: int
    opened_at: datetime
    day: date
    minutes_here: int | None
    minutes_there: int | None
    counterpart_township_code: str | None
    row: int | None
    transfer_id: UUID | None
    other_window: str | None
    person_name: str | None
    cured_at: datetime | None
    cured_by_transfer_id: UUID | None
    ended_at: datetime | None
    ended_reason: str | None
    ended_reason_name: str | None


@dataclass(frozen=True, slots=True)
class ReconciliationView:
    """What came of one list; ``found`` counts breaks by type, also those of them that were ``cured_earlier``."""

    reconciliation_id: UUID
    window: str
    township_code: str
    preliminary: bool
    file_name: str
    file_sha256: str
    rows: int
    matched: int
    found: Mapping[str, int]
    cured_earlier: int
    unreadable: Sequence[Mapping[str, Any]]
    uploaded_at: datetime
    uploaded_by_name: str


_FOUND = [func.coalesce(Reconciliation.found[str(kind)].as_integer(), 0) for kind in BreakType]

RECONCILIATION_ORDERS = Orders(
    of="reconciliations",
    by={
        "uploaded_at": Reconciliation.id,
        "file_name": by_pinyin(Reconciliation.file_name),
        "township": Reconciliation.township_code,
        "window": Reconciliation.window_number,
        "rows": Reconciliation.rows,
        "matched": Reconciliation.matched,
        "found": sum(_FOUND[1:], _FOUND[0]),
        "unreadable": func.jsonb_array_length(Reconciliation.unreadable),
    },
    tie=Reconciliation.id,
    usual="-uploaded_at",
)

BREAK_ORDERS = Orders(
    of="breaks",
    by={
        "opened_at": Break.id,
        "type": by_course(Break.type, list(BreakType)),
        "window": Break.window_number,
        "day": Break.day,
        "township": Break.township_code,
        "counterpart": Break.counterpart_code,
        "there": Break.minutes_there,
        "here": Break.minutes_here,
        "owner": Break.owner_township_code,
    },
    tie=Break.id,
    usual="opened_at",
)


def breaks(
    session: Session,
    actor: Actor,
    *,
    window: ClearingWindow | None = None,
    township_code: str | None = None,
    type: str | None = None,
    open_only: bool = True,
    part: Part,
) -> Slice[BreakView]:
    """Breaks of ``township_code`` as the list's or as the owner.

    They stand in the order in which they were found where ``part`` asks for no other.

    A township's steward sees those only that concern it. Raises NotAllowed ``books_not_yours``.
    """
    query = select(Break)
    for code in {own_township(actor), township_code} - {None}:
        query = query.where(or_(Break.township_code == code, Break.owner_township_code == code))
    if window is not None:
        query = query.where(Break.window_number == window.number)
    if type is not None:
        query = query.where(Break.type == type)
    if open_only:
        query = query.where(Break.cured_at.is_(None), Break.ended_at.is_(None))
    return _seen(session, slice_of(session, query, BREAK_ORDERS, part))


def breaks_of(session: Session, reconciliation: Reconciliation, *, part: Part) -> Slice[BreakView]:
    """The breaks that are open after a list, in the order of its rows where ``part`` asks for no other."""
    query = select(Break).where(
        Break.window_number == reconciliation.window_number,
        Break.township_code == reconciliation.township_code,
        Break.cured_at.is_(None),
        Break.ended_at.is_(None),
    )
    return _seen(session, slice_of(session, query, BREAK_ORDERS, part))


def break_view(session: Session, found: Break) -> BreakView:
    """One break as people see it."""
    return _view(found, _window_names(session))


def must_concern(actor: Actor, found: Break) -> None:
    """Raises NotAllowed ``books_not_yours``; NotFound ``break_unknown`` where it is nobody's business of the actor."""
    own = own_township(actor)
    if own is not None and own not in (found.township_code, found.owner_township_code):
        raise NotFound("break_unknown", "没有这项差异", break_id=found.id)


def reconciliations(
    session: Session,
    actor: Actor,
    *,
    window: ClearingWindow | None = None,
    township_code: str | None = None,
    part: Part,
) -> Slice[ReconciliationView]:
    """Lists that were handed in, newest first where ``part`` asks for no other order.

    A township's steward sees its own.

    Raises NotAllowed ``books_not_yours``.
    """
    query = select(Reconciliation)
    for code in {own_township(actor), township_code} - {None}:
        query = query.where(Reconciliation.township_code == code)
    if window is not None:
        query = query.where(Reconciliation.window_number == window.number)
    found, names = slice_of(session, query, RECONCILIATION_ORDERS, part), _window_names(session)
    return found.holding([_reconciliation_view(one, names) for one in found.items])


def reconciliation_for(session: Session, actor: Actor, reconciliation_id: UUID) -> Reconciliation:
    """One list that was handed in, for its township, the district and auditors.

    Raises NotAllowed ``books_not_yours``; NotFound ``reconciliation_unknown``.
    """
    own, found = own_township(actor), session.get(Reconciliation, reconciliation_id)
    if found is None or own not in (None, found.township_code):
        raise NotFound("reconciliation_unknown", "没有这份往来清单", reconciliation_id=reconciliation_id)
    return found


def reconciliation_view(session: Session, found: Reconciliation) -> ReconciliationView:
    """One reconciliation as people see it."""
    return _reconciliation_view(found, _window_names(session))


def _seen(session: Session, found: Slice[Break]) -> Slice[BreakView]:
    names = _window_names(session)
    return found.holding([_view(one, names) for one in found.items])


def _window_names(session: Session) -> dict[int, str]:
    return {row.number: row.name for row in session.execute(select(ClearingWindow.number, ClearingWindow.name))}


def _reconciliation_view(found: Reconciliation, names: Mapping[int, str]) -> ReconciliationView:
    return ReconciliationView(
        reconciliation_id=found.id,
        window=names[found.window_number],
        township_code=found.township_code,
        preliminary=found.preliminary,
        file_name=found.file_name,
        file_sha256=found.file_sha256.hex(),
        rows=found.rows,
        matched=found.matched,
        found={str(kind): found.found.get(kind, 0) for kind in BreakType},
        cured_earlier=found.cured_earlier,
        unreadable=found.unreadable,
        uploaded_at=found.uploaded_at,
        uploaded_by_name=found.uploaded_by_name,
    )


def _view(found: Break, names: Mapping[int, str]) -> BreakView:
    until = found.cured_at or found.ended_at or clock.now()
    return BreakView(
        break_id=found.id,
        window=names[found.window_number],
        township_code=found.township_code,
        type=found.type,
        type_name=BREAK_TYPE_NAMES[BreakType(found.type)],
        owner_township_code=found.owner_township_code,
        age_days=(clock.local_date(until) - clock.local_date(found.opened_at)).days,
        opened_at=found.opened_at,
        day=found.day,
        minutes_here=found.minutes_here,
        minutes_there=found.minutes_there,
        counterpart_township_code=found.counterpart_code,
        row=found.row_number,
        transfer_id=found.transfer_id,
        other_window=names[found.other_window] if found.other_window is not None else None,
        person_name=found.person_name,
        cured_at=found.cured_at,
        cured_by_transfer_id=found.cured_by_transfer_id,
        ended_at=found.ended_at,
        ended_reason=found.ended_reason,
        ended_reason_name=ENDED_REASON_NAMES[found.ended_reason] if found.ended_reason else None,
    )
