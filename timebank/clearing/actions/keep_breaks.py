"""Keeping the breaks of a township's newest list: new ones are opened, known ones stay, those that are gone end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.clearing.models import ClearingWindow
from timebank.clearing.queries.booked import TownshipBooks
from timebank.clearing.reconciliation_models import Break, Reconciliation
from timebank.clearing.township_lists import BookedLine, BreakType, Found, ListedLine
from timebank.core import clock
from timebank.core.crypto import keyring
from timebank.core.ids import new_id
from timebank.ledger.rules import HOUSE
from timebank.people.rules import masked_name

Key = tuple[str, UUID | None, bytes | None, int]
"""What makes two breaks the same: type, line, what the row says, and which of several such rows it is."""


class BreaksOfList:
    """The breaks that one list shows, beside those that stand of the township's earlier lists of the window."""

    def __init__(self, session: Session, window: ClearingWindow, township_code: str, found: Sequence[Found]) -> None:
        self._session = session
        self._found = _keyed(found)
        query = select(Break).where(
            Break.window_number == window.number, Break.township_code == township_code, Break.ended_at.is_(None)
        )
        locked = query.order_by(Break.id).with_for_update().execution_options(populate_existing=True)
        self._standing = {_key_of(one): one for one in session.scalars(locked)}

    @property
    def cured_earlier(self) -> int:
        """How many of the breaks have been cured by a movement already."""
        return sum(one.cured_at is not None for key, one in self._standing.items() if key in self._found)

    @property
    def unchanged(self) -> bool:
        """Whether the list shows just the breaks that stand already."""
        return self._found.keys() == self._standing.keys()

    def keep(
        self,
        made: Reconciliation,
        rows: Sequence[ListedLine],
        lines: Sequence[BookedLine],
        books: TownshipBooks,
    ) -> list[Break]:
        """Open what is new, carry over what is known and end what is gone; answers what is new."""
        self._end_gone(rows, {line.transfer_id for line in lines})
        for key, found in self._found.items():
            known = self._standing.get(key)
            if known is not None and known.cured_at is None:
                known.reconciliation_id = made.id
                known.row_number = found.row.row if found.row is not None else None
        new = [(key, found) for key, found in self._found.items() if key not in self._standing]
        # Ids in the order of the list, so that it is also read in that order.
        ids = sorted(new_id() for _ in new)
        opened = [_opened(made, i, key, found, books.persons) for i, (key, found) in zip(ids, new, strict=True)]
        self._session.add_all(opened)
        self._session.flush()
        return opened

    def _end_gone(self, rows: Sequence[ListedLine], line_ids: Collection[UUID]) -> None:
        gone = [one for key, one in self._standing.items() if key not in self._found and one.cured_at is None]
        said = Counter(_digest(row) for row in rows) if gone else Counter()
        now = clock.now()
        for one in gone:
            one.ended_at = max(now, one.opened_at)
            one.ended_reason = "list_corrected" if _list_corrected(one, said, line_ids) else "books_changed"
        self._session.flush()


def _list_corrected(gone: Break, said: Mapping[bytes, int], line_ids: Collection[UUID]) -> bool:
    """Whether the list is another now; else it says what it said, and the books have caught up with it."""
    if gone.row_digest is None:
        return gone.transfer_id in line_ids
    rows_behind_it = gone.copy + 1 + (gone.type == BreakType.DUPLICATE)
    return said.get(gone.row_digest, 0) < rows_behind_it


def _keyed(found: Sequence[Found]) -> dict[Key, Found]:
    copies: Counter[tuple[str, UUID | None, bytes | None]] = Counter()
    keyed: dict[Key, Found] = {}
    for one in sorted(found, key=_place):
        digest = _digest(one.row) if one.row is not None else None
        same = (str(one.type), one.line.transfer_id if one.line is not None else None, digest)
        keyed[*same, copies[same]] = one
        copies[same] += 1
    return keyed


def _place(found: Found) -> tuple[bool, int, str]:
    return (found.row is None, found.row.row if found.row else 0, str(found.line.transfer_id) if found.line else "")


def _key_of(standing: Break) -> Key:
    return (standing.type, standing.transfer_id, standing.row_digest, standing.copy)


def _digest(row: ListedLine) -> bytes:
    # Keyed: a plain digest would let whoever holds a copy of the database guess at names and numbers.
    return keyring().blind_index("\x1f".join(row.content))


def _opened(
    made: Reconciliation, break_id: UUID, key: Key, found: Found, persons: Mapping[UUID, tuple[UUID, str]]
) -> Break:
    row, line = found.row, found.line
    in_books = line if found.type in (BreakType.MISSING_THERE, BreakType.AMOUNT, BreakType.WINDOW) else None
    person_id, name = persons.get(line.transfer_id, (None, None)) if line is not None else (None, None)
    if line is None and row is not None:
        # The list's own name only: whose an id number is, nobody is told for having written it down.
        name = row.name or None
    shown = in_books or row
    assert shown is not None
    counterpart = (line or row).counterpart  # type: ignore[union-attr]
    return Break(
        id=break_id,
        reconciliation_id=made.id,
        window_number=made.window_number,
        township_code=made.township_code,
        type=key[0],
        transfer_id=key[1],
        other_window=line.window_number if line is not None and found.type is BreakType.WINDOW else None,
        row_number=row.row if row is not None else None,
        row_digest=key[2],
        copy=key[3],
        day=shown.day,
        minutes_here=in_books.minutes if in_books is not None else None,
        minutes_there=row.minutes if row is not None else None,
        counterpart_code=counterpart,
        person_id=person_id,
        person_name=masked_name(name) if name else None,
        owner_township_code=_owner(made.township_code, found.type, counterpart),
        opened_at=made.uploaded_at,
    )


def _owner(township_code: str, kind: BreakType, counterpart: str | None) -> str | None:
    """Who is to look into it: whoever's books or list it is about; None for the district."""
    if kind in (BreakType.MISSING_HERE, BreakType.AMOUNT):
        return None if counterpart == HOUSE else counterpart
    return township_code
