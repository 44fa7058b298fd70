"""Rows of a township's list and lines of the books for tests, as short as they can be said."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from timebank.clearing.township_lists import (
    BookedLine,
    Found,
    ListedLine,
    Outcome,
    key_of_listed,
    keys_of_booked,
)

DAY, NEXT_DAY = date(2026, 3, 10), date(2026, 3, 11)
XIWU, DAYAN = "330213004", "330213107"
MEI, FANG = UUID(int=1001), UUID(int=1002)
NAMES = {MEI: "王梅", FANG: "王芳"}


def line(
    number: int,
    *,
    day: date = DAY,
    minutes: int = 60,
    counterpart: str = XIWU,
    person: UUID | None = MEI,
    window: int = 1,
) -> BookedLine:
    """A line of the books; ``number`` makes its id."""
    keys = keys_of_booked(person, NAMES.get(person) if person else None)
    return BookedLine(UUID(int=number * 2), window, day, minutes, counterpart, keys)


def row(
    number: int,
    *,
    day: date = DAY,
    minutes: int = 60,
    of: BookedLine | None = None,
    counterpart: str | None = None,
    name: str = "",
    person: UUID | None = None,
) -> ListedLine:
    """A row of the list; ``of`` is the line whose id it gives, ``person`` whose identity number."""
    id_number = f"number of {person}" if person else None
    key = key_of_listed(person, id_number, name)
    transfer_id = of.transfer_id if of else None
    return ListedLine(number, day, minutes, transfer_id, counterpart, id_number, name, key)


def told(outcome: Outcome) -> list[tuple[str, int | None, int | None]]:
    """What came of it: type, number of the row, number of the line."""
    matches = [Found("match", *pair) for pair in outcome.matches]  # type: ignore[arg-type]
    return sorted(
        (str(f.type), f.row.row if f.row else None, f.line.transfer_id.int // 2 if f.line else None)
        for f in (*matches, *outcome.breaks)
    )
