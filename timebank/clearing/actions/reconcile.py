"""Reconciling 往来核对: a township's own list of a window against the books, and the breaks that this leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.clearing.actions.keep_breaks import BreaksOfList
from timebank.clearing.matching import match
from timebank.clearing.models import ClearingWindow
from timebank.clearing.queries import find_window, whose_lines
from timebank.clearing.queries.booked import TownshipBooks, both_legs
from timebank.clearing.reconciliation_models import Break, Reconciliation
from timebank.clearing.rules import WindowStatus
from timebank.clearing.township_lists import BREAK_TYPE_NAMES, BreakType, ListedLine, key_of_listed
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.ids import new_id
from timebank.notifications.actions import notify_stewards
from timebank.people.queries import people_by_id_numbers
from timebank.townships.queries import township_names


@dataclass(frozen=True, slots=True)
class TownshipList:
    """A township's own list as it was read: file, SHA-256, rows, and row numbers that nobody can read with a code."""

    file_name: str
    sha256: bytes
    lines: Sequence[ListedLine]
    unreadable: Sequence[tuple[int, str]]


def whose_list(session: Session, actor: Actor, township_code: str | None) -> str:
    """The township for which the actor may hand in a list: a steward's own, any for the district.

    Raises NotAllowed ``steward_only``, ``other_township``; Refused ``township_unknown``, ``township_needed``.
    """
    actor.must_be_steward()
    return whose_lines(session, actor, township_code)


def reconcile(
    session: Session, *, actor: Actor, window_name: str, handed_in: TownshipList, township_code: str | None = None
) -> Reconciliation:
    """Match a township's list with its lines of a window and keep the breaks; preliminary while the window is open.

    The newest list again, while nothing has changed in the books, is that one list. A break that an earlier list showed
    stays the one it was; one that is gone without a movement having cured it is ended. Raises NotAllowed
    ``steward_only``, ``other_township``; NotFound ``window_unknown``; Refused ``township_unknown``,
    ``township_needed``.
    """
    window = find_window(session, window_name)
    code = whose_list(session, actor, township_code)
    lock_lists(session, code)
    # It may have been closed while this waited.
    session.refresh(window)
    books, rows = TownshipBooks(session, code), _identified(session, handed_in.lines)
    wanted = both_legs(row.transfer_id for row in rows if row.transfer_id is not None)
    lines = books.of_window(window, wanted)
    outcome = match(
        rows,
        lines,
        named=books.named(wanted - {line.transfer_id for line in lines}),
        neighbours=lambda unmatched: books.beside(window, unmatched),
    )
    breaks = BreaksOfList(session, window, code, outcome.breaks)
    newest = _newest(session, window, code)
    counts = len(outcome.matches), breaks.cured_earlier
    if newest is not None and _the_same(newest, window, handed_in, counts) and breaks.unchanged:
        return newest
    made = Reconciliation(
        id=new_id(),
        window_number=window.number,
        township_code=code,
        preliminary=window.status == WindowStatus.OPEN,
        file_name=handed_in.file_name,
        file_sha256=handed_in.sha256,
        rows=len(rows) + len(handed_in.unreadable),
        matched=len(outcome.matches),
        found=dict(Counter(str(one.type) for one in outcome.breaks)),
        cured_earlier=breaks.cured_earlier,
        unreadable=[{"row": row, "reason": reason} for row, reason in handed_in.unreadable],
        uploaded_at=clock.now(),
        uploaded_by=actor.login_id,
        uploaded_by_name=actor.name,
    )
    session.add(made)
    session.flush()
    opened = breaks.keep(made, rows, lines, books)
    _note_and_tell(session, actor, made, window.name, opened)
    return made


def _newest(session: Session, window: ClearingWindow, township_code: str) -> Reconciliation | None:
    query = select(Reconciliation).where(
        Reconciliation.window_number == window.number, Reconciliation.township_code == township_code
    )
    return session.scalar(query.order_by(Reconciliation.id.desc()).limit(1))


def _the_same(newest: Reconciliation, window: ClearingWindow, handed_in: TownshipList, counts: tuple[int, int]) -> bool:
    """Whether the newest list is this file, with as many rows matched and breaks cured (``counts``) as now."""
    asked = (handed_in.sha256, window.status == WindowStatus.OPEN, *counts)
    return (newest.file_sha256, newest.preliminary, newest.matched, newest.cured_earlier) == asked


def lock_lists(session: Session, township_code: str) -> None:
    """From here to the end of the unit of work nobody else hands in a list of this township or cures its breaks."""
    lock = func.pg_advisory_xact_lock(func.hashtextextended(f"reconciliation {township_code}", 0))
    session.execute(select(lock))


def _identified(session: Session, rows: Iterable[ListedLine]) -> list[ListedLine]:
    found = list(rows)
    people = people_by_id_numbers(session, {row.id_number for row in found if row.id_number is not None})
    ids = {number: person.id for number, person in people.items()}
    return [replace(row, person=key_of_listed(ids.get(row.id_number or ""), row.id_number, row.name)) for row in found]


def _note_and_tell(
    session: Session, actor: Actor, made: Reconciliation, window_name: str, opened: Sequence[Break]
) -> None:
    note_down(
        session,
        actor=actor,
        action="list_reconciled",
        subject=("clearing_reconciliation", made.id),
        window=window_name,
        township_code=made.township_code,
        sha256=made.file_sha256.hex(),
        rows=made.rows,
        matched=made.matched,
        found=made.found,
        unreadable=len(made.unreadable),
    )
    whose = township_names(session)[made.township_code]
    for owner in sorted({one.owner_township_code for one in opened}, key=lambda code: code or ""):
        kinds = Counter(one.type for one in opened if one.owner_township_code == owner)
        said = "、".join(f"{BREAK_TYPE_NAMES[kind]} {kinds[kind]} 项" for kind in BreakType if kinds[kind])
        body = f"{whose}清算周期 {window_name} 的往来清单与账不符，由你处核实：{said}。账上有误的，以划转更正。"
        notify_stewards(session, township_code=owner, title=f"{window_name} 往来核对有差异", body=body)
