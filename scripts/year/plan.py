"""The year on paper: who lives where, which days are served, and who visits whom for how long. Pure and seeded.

Figures: DOMAIN.md, the district's review of 2022. Assumptions, which no report tells: the townships are equally large;
every fifth visit is made by a volunteer of another township; every tenth diner eats in the next township; every fifth
diner is a volunteer of 60 or more, who turns saved hours into meal vouchers; visits last one to three hours.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from scripts.month.district import DIVISIONS, GIVEN, SURNAMES
from timebank.core.clock import LOCAL
from timebank.people.id_numbers import check_character

FIRST = date(2022, 1, 1)
CLOSED_FROM, CLOSED_TO = date(2022, 1, 31), date(2022, 2, 4)
"""The Spring Festival: every canteen is closed for five days, which leaves 360."""

AWAY_PERCENT, EATS_AWAY_EVERY, EARNS_HIS_MEALS_EVERY = 20, 10, 5
_VISIT_MINUTES = (60, 90, 120, 150, 165)
_BEGINS_AT = (8, 12, 16)
"""A volunteer makes three visits a day at most, none longer than what lies between two beginnings."""

_LONGEST_MINUTES = 4 * 60
_ELDERS_BORN, _SENIORS_BORN, _OTHERS_BORN = (1932, 30), (1947, 14), (1965, 35)
"""First year of birth, and how many years."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large the year is; the published figures by default, 75 volunteers for each of the 96 canteens."""

    townships: int = 12
    canteens: int = 96
    elders: int = 13_790
    volunteers: int = 7_200
    diners: int = 5_000
    visits: int = 164_700
    hours: int = 320_400
    months: int = 12
    every: int = 1
    """Live through every so-manieth day only; all visits fall on those."""


@dataclass(frozen=True, slots=True)
class Planned:
    """Somebody of the year."""

    name: str
    id_number: str
    township_code: str


@dataclass(frozen=True, slots=True)
class PlannedDiner:
    """Who eats at which canteen, by its number; ``earns`` where a volunteer's hours pay for meals."""

    person: Planned
    canteen: int
    earns: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit by a volunteer to an elder; moments in Asia/Shanghai."""

    volunteer: Planned
    elder: Planned
    started_at: datetime
    minutes: int

    @property
    def ended_at(self) -> datetime:
        """When the volunteer left."""
        return self.started_at + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole year."""

    size: Size
    townships: Sequence[tuple[str, str]]
    elders: Sequence[Planned]
    volunteers: Sequence[Planned]
    diners: Sequence[PlannedDiner]
    days: Sequence[date]
    visits: Sequence[Visit]

    @property
    def meals(self) -> int:
        """One a day for every diner."""
        return len(self.days) * len(self.diners)


def planned(size: Size, seed: int) -> Plan:
    """The year of this size, the same one for the same seed. Raises ValueError where it is no possible year."""
    dice = Random(seed)
    townships = _townships(size.townships)
    elders = [_person(dice, n, townships, _ELDERS_BORN, 0) for n in range(size.elders)]
    volunteers = [_person(dice, n, townships, _born(n), 500) for n in range(size.volunteers)]
    days = service_days(size.months)[:: size.every]
    visits = _visits(size, dice, elders, volunteers, days)
    return Plan(size, townships, elders, volunteers, _diners(size, elders, volunteers), days, visits)


def month_starts(months: int) -> list[date]:
    """The first of each month, and the day after the last one's end."""
    return [date(FIRST.year + n // 12, n % 12 + 1, 1) for n in range(months + 1)]


def service_days(months: int) -> list[date]:
    """Every day on which canteens serve."""
    count = (month_starts(months)[-1] - FIRST).days
    days = (FIRST + timedelta(days=n) for n in range(count))
    return [day for day in days if is_served(day)]


def is_served(day: date) -> bool:
    """Whether canteens serve on that day."""
    return not CLOSED_FROM <= day <= CLOSED_TO


def _townships(count: int) -> list[tuple[str, str]]:
    with DIVISIONS.open(encoding="utf-8-sig", newline="") as file:
        rows = {(row["township_code"], row["township"]) for row in csv.DictReader(file)}
    return sorted(rows)[:count]


def _born(number: int) -> tuple[int, int]:
    return _SENIORS_BORN if is_senior(number) else _OTHERS_BORN


def is_senior(number: int) -> bool:
    """Whether the volunteer of this number is 60 or older."""
    return number % 7 < 2


def _person(
    dice: Random, number: int, townships: Sequence[tuple[str, str]], born: tuple[int, int], series: int
) -> Planned:
    since, years = born
    born_on = date(since + number % years, 1, 1) + timedelta(days=number // years % 360)
    body = f"330224{born_on:%Y%m%d}{series + number // (years * 360):03d}"
    name = dice.choice(SURNAMES) + "".join(dice.choices(GIVEN, k=2))
    return Planned(name, body + check_character(body), townships[number % len(townships)][0])


def _diners(size: Size, elders: Sequence[Planned], volunteers: Sequence[Planned]) -> list[PlannedDiner]:
    seniors = [one for number, one in enumerate(volunteers) if is_senior(number)]
    earning = seniors[: size.diners // EARNS_HIS_MEALS_EVERY]
    people = [*((one, True) for one in earning), *((one, False) for one in elders[: size.diners - len(earning)])]
    codes = sorted({one.township_code for one in elders})
    near = {code: [n for n in range(size.canteens) if n % len(codes) == place] for place, code in enumerate(codes)}
    eaters = []
    for number, (one, earns) in enumerate(people):
        away = number % EATS_AWAY_EVERY == EATS_AWAY_EVERY - 1
        code = codes[(codes.index(one.township_code) + away) % len(codes)]
        eaters.append(PlannedDiner(one, near[code][number // len(codes) % len(near[code])], earns))
    return eaters


def _visits(
    size: Size, dice: Random, elders: Sequence[Planned], volunteers: Sequence[Planned], days: Sequence[date]
) -> list[Visit]:
    """Every elder in turn, in an order drawn anew each round, by the volunteer whose turn it is in a township."""
    of: dict[str, list[Planned]] = {one.township_code: [] for one in elders}
    for one in volunteers:
        of[one.township_code].append(one)
    codes, turns = sorted(of), dict.fromkeys(of, 0)
    round_of: list[Planned] = []
    visits, made_on, today = [], dict.fromkeys(of, 0), days[0]
    for number, minutes in enumerate(_lengths(size, dice)):
        day = days[number * len(days) // size.visits]
        if day != today:
            today, made_on = day, dict.fromkeys(of, 0)
        round_of = round_of or dice.sample(elders, len(elders))
        elder = round_of.pop()
        code = elder.township_code
        if dice.randrange(100) < AWAY_PERCENT:
            code = dice.choice([other for other in codes if other != code] or codes)
        volunteer = of[code][turns[code] % len(of[code])]
        begin = datetime.combine(day, time(_BEGINS_AT[made_on[code] // len(of[code])]), LOCAL)
        visits.append(Visit(volunteer, elder, begin, minutes))
        turns[code] += 1
        made_on[code] += 1
    return visits


def _lengths(size: Size, dice: Random) -> list[int]:
    """So many visits' minutes that make up exactly the hours. Raises ValueError where they cannot."""
    lengths = dice.choices(_VISIT_MINUTES, k=size.visits)
    each, rest = divmod(size.hours * 60 - sum(lengths), size.visits)
    lengths = [minutes + each + (number < rest) for number, minutes in enumerate(lengths)]
    if not all(0 < minutes <= _LONGEST_MINUTES for minutes in lengths):
        raise ValueError("so many hours do not fit into so many visits")
    return lengths
