"""What an office writes down on paper of the clearing between townships: lines, months, objections, cheques, sums."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from uuid import UUID
from zoneinfo import ZoneInfo

HOUSE = "house"
FENGHUA = ZoneInfo("Asia/Shanghai")

Place = tuple[str, str]
"""A book, and one of its accounts; what an account is for stands before a blank."""


@dataclass(eq=False)
class Line:
    """One movement between two books; ``sort`` says at which price it counts."""

    debtor: str
    creditor: str
    sort: str
    minutes: int
    carried: bool = False
    id: UUID | None = None


@dataclass(eq=False)
class Objection:
    """A township's objection to one line of a month."""

    month: Month
    line: Line
    by: str
    ruling: str = ""


@dataclass(eq=False)
class Cheque:
    """One try to bring a township the fen it is owed, or (negative) to get from it what it owes."""

    township: str
    fen: int
    tries: int = 1
    state: str = "instructed"


@dataclass(eq=False)
class Settling:
    """One settlement of a month: what every account was moved by, the cheques, and the month carried into."""

    month: Month
    method: str
    shifts: list[tuple[Place, Place, int, str]]
    into: Month | None = None
    cheques: list[Cheque] = field(default_factory=list)
    state: str = "instructed"

    def newest(self) -> dict[str, Cheque]:
        """The last try for every township."""
        return {cheque.township: cheque for cheque in self.cheques}


@dataclass(eq=False)
class Month:
    """One month's lines; ``agreed`` says which townships have agreed to what they owe, once it is closed."""

    name: str
    begun: datetime
    state: str = "open"
    lines: list[Line] = field(default_factory=list)
    prices: dict[str, int] = field(default_factory=dict)
    agreed: dict[str, bool] = field(default_factory=dict)
    objections: list[Objection] = field(default_factory=list)
    settlings: list[Settling] = field(default_factory=list)

    def ends_by(self) -> datetime:
        """The first moment of the calendar month after the one in which it began, in Fenghua."""
        begun = self.begun.astimezone(FENGHUA)
        later = begun.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)
        return later.replace(day=1)

    def refusal_of_review(self) -> str:
        """Why nobody may object, agree or settle now; '' where one may."""
        return {"open": "window_still_open", "settled": "window_already_settled"}.get(self.state, "")

    def can_be_settled(self) -> bool:
        """Whether everybody has agreed."""
        return not self.refusal_of_review() and all(self.agreed.values())


@dataclass
class Credit:
    """Minutes that somebody earned, and where they were put."""

    person: str
    source: Place
    target: Place
    minutes: int
    state: str = "stands"


@dataclass
class Coupon:
    """A meal that is paid for and not eaten yet."""

    person: str
    place: Place
    price: int
    state: str = "issued"


def owed_to(lines: Iterable[Line]) -> Counter[str]:
    """The minutes that everybody is owed, or (negative) owes."""
    owed: Counter[str] = Counter()
    for line in lines:
        owed[line.creditor] += line.minutes
        owed[line.debtor] -= line.minutes
    return owed


Cell = tuple[int, int, int | None]
"""Minutes, movements and fen; the fen are None where the price is missing."""


def table_of(lines: Iterable[Line], prices: dict[str, int]) -> dict[tuple[str, str], dict[str, Cell]]:
    """Who owes whom at which price, gross; every cell is rounded to whole fen once, a half upwards.

    Only what runs through the house is rounded as it adds up, township after township, so that the house keeps nothing.
    """
    cells: defaultdict[tuple[str, str], defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        cells[line.debtor, line.creditor][line.sort].append(line.minutes)
    added_up: Counter[tuple[str, str]] = Counter()
    table: dict[tuple[str, str], dict[str, Cell]] = {}
    for pair, sorts in sorted(cells.items()):
        table[pair] = {}
        for sort, found in sorts.items():
            side = ("in" if pair[1] == HOUSE else "out", sort) if HOUSE in pair else ("", "")
            so_far = added_up[side] if HOUSE in pair else 0
            added_up[side] += sum(found)
            fen = None
            if sort in prices:
                fen = _rounded(so_far + sum(found), prices[sort]) - _rounded(so_far, prices[sort])
            table[pair][sort] = sum(found), len(found), fen
    return table


def fen_owed_to(lines: Iterable[Line], prices: dict[str, int]) -> dict[str, int | None]:
    """The fen that everybody is owed, or (negative) owes; None where a price is missing."""
    owed: defaultdict[str, int | None] = defaultdict(int)
    for (debtor, creditor), sorts in table_of(lines, prices).items():
        for _, _, fen in sorts.values():
            for party, signed in ((debtor, None if fen is None else -fen), (creditor, fen)):
                before = owed[party]
                owed[party] = None if before is None or signed is None else before + signed
    return owed


def _rounded(minutes: int, fen_per_hour: int) -> int:
    return floor(Fraction(minutes * fen_per_hour, 60) + Fraction(1, 2))
