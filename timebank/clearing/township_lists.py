"""What a township's own list 往来清单 says, what the books say, and how the two can disagree. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from timebank.people.rules import masked_name, tidy_name


class BreakType(StrEnum):
    """What is wrong between a list and the books."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT = "amount"
    DUPLICATE = "duplicate"
    WINDOW = "window"


BREAK_TYPE_NAMES = {
    BreakType.MISSING_HERE: "清单有，账上无",
    BreakType.MISSING_THERE: "账上有，清单无",
    BreakType.AMOUNT: "分钟数不符",
    BreakType.DUPLICATE: "清单重复",
    BreakType.WINDOW: "不在本周期",
}


@dataclass(frozen=True, slots=True)
class ListedLine:
    """A row of a township's list; ``minutes`` are positive where they are owed to it.

    ``transfer_id`` may name either leg. ``person`` is the key that whoever the row means is found by (see
    ``key_of_listed``), None where the row names nobody.
    """

    row: int
    day: date
    minutes: int
    transfer_id: UUID | None = None
    counterpart: str | None = None
    id_number: str | None = None
    name: str = ""
    person: str | None = None

    @property
    def content(self) -> tuple[str, ...]:
        """What the row says, whatever its place in the list."""
        said = (self.transfer_id, self.counterpart, self.id_number)
        return (self.day.isoformat(), str(self.minutes), *(str(part or "") for part in said), tidy_name(self.name))


@dataclass(frozen=True, slots=True)
class BookedLine:
    """A line of the township in the books, by its first leg; ``persons`` are the keys that its person is found by."""

    transfer_id: UUID
    window_number: int
    day: date
    minutes: int
    counterpart: str
    persons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A break: the row, the line, or both that do not agree; a duplicate's line has been matched by another row."""

    type: BreakType
    row: ListedLine | None
    line: BookedLine | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of matching; every row and every line is in one match or one break."""

    matches: Sequence[tuple[ListedLine, BookedLine]]
    breaks: Sequence[Found]


PERSON_RANKS = ("id:", "name:", "mask:")
"""How the keys of a person begin, from the surest to the loosest."""


def keys_of_booked(person_id: UUID | None, name: str | None) -> tuple[str, ...]:
    """The keys of a line's person, from the surest to the loosest: the person, the name, the name as it is masked."""
    if person_id is None or name is None:
        return ()
    tidy = tidy_name(name)
    return (f"id:{person_id}", f"name:{tidy}", f"mask:{masked_name(tidy)}")


def key_of_listed(person_id: UUID | None, id_number: str | None, name: str) -> str | None:
    """The key of whom a row means; an id number that nobody has finds nobody, a name with stars whom it may stand for.

    ``person_id`` is who has ``id_number``.
    """
    if id_number is not None:
        return f"id:{person_id}"
    tidy = tidy_name(name)
    return (f"mask:{tidy}" if "*" in tidy else f"name:{tidy}") if tidy else None
