"""What puts a break between a list and the books right: a movement in the books, and nothing else. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from timebank.clearing.township_lists import BreakType
from timebank.ledger.rules import SETTLING_KINDS


@dataclass(frozen=True, slots=True)
class Complaint:
    """A break as its cure is measured by; minutes are positive where they are owed to ``township_code``.

    ``counterpart`` is None where the list does not say it, ``line_id`` the first leg of the line concerned.
    """

    type: BreakType
    township_code: str
    counterpart: str | None
    minutes_here: int | None
    minutes_there: int | None
    line_id: UUID | None
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Remedy:
    """A movement between two books; ``reverses_id`` is the first leg of the movement that it reverses, if any."""

    debtor: str
    creditor: str
    minutes: int
    kind: str
    reverses_id: UUID | None
    recorded_at: datetime


def cures(complaint: Complaint, remedy: Remedy) -> bool:
    """Whether a movement, posted after the break opened and between the two it concerns, makes exactly the difference.

    What the books have and the list has not is undone by the reversal of that very line; a wrong amount by either. What
    the list has twice, the books rightly lack one of; and no movement brings a line into another window.
    """
    parties = {remedy.debtor, remedy.creditor}
    wanted = {complaint.township_code, complaint.counterpart} - {None}
    if not wanted <= parties or remedy.recorded_at <= complaint.opened_at or remedy.kind in SETTLING_KINDS:
        return False
    undone = remedy.reverses_id is not None and remedy.reverses_id == complaint.line_id
    signed = remedy.minutes if remedy.creditor == complaint.township_code else -remedy.minutes
    made_up = signed == (complaint.minutes_there or 0) - (complaint.minutes_here or 0)
    return {
        BreakType.MISSING_HERE: made_up,
        BreakType.MISSING_THERE: undone,
        BreakType.AMOUNT: made_up or undone,
        BreakType.DUPLICATE: made_up,
        BreakType.WINDOW: False,
    }[complaint.type]
