"""A made-up district of the published size: its canteens and diners, the same ones for the same seed. Pure.

Figures: DOMAIN.md. 96 canteens and 5,000 diners at the end of 2022; of the 65 canteens of mid 2022 one was the central
kitchen, 12 in home-care centres, 48 in villages, 4 neighbour points, from which the shares of the types are taken.
How many diners have which category, diet or delivery is an assumption.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from timebank.people.id_numbers import check_character

DIVISIONS = Path(__file__).parents[2] / "timebank" / "migrations" / "data" / "fenghua_divisions.csv"
CENTRE = (29.655, 121.406)
"""The district's seat, roughly; canteens lie around it."""

TYPES = (("central", 1), ("home_care_centre", 12), ("village", 48), ("neighbour", 4))
"""Canteens by type in mid 2022, of 65."""

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "秀英桂兰玉梅国强建华明志文海珍凤德福根土水金宝"


@dataclass(frozen=True, slots=True)
class PlannedCanteen:
    """One canteen of the plan; ``capacity_meals`` a meal."""

    number: int
    name: str
    canteen_type: str
    township_code: str
    latitude: float
    longitude: float
    carrier: str
    capacity_meals: int


@dataclass(frozen=True, slots=True)
class PlannedDiner:
    """One diner of the plan; ``canteen`` is the number of the usual one, ``household_of`` an earlier diner's number."""

    number: int
    name: str
    id_number: str
    township_code: str
    canteen: int
    category: str | None
    diet_form: str
    delivered: bool
    household_of: int | None

    @property
    def address(self) -> str:
        """Where meals are brought."""
        return f"幸福路{self.number + 1}号"


@dataclass(frozen=True, slots=True)
class District:
    """All canteens and diners."""

    canteens: Sequence[PlannedCanteen]
    diners: Sequence[PlannedDiner]


def planned(*, canteens: int, diners: int, seed: int) -> District:
    """A district of so many canteens and diners."""
    dice = Random(seed)
    townships = _townships()
    places = [_canteen(number, canteens, townships, dice, diners // canteens) for number in range(canteens)]
    people: list[PlannedDiner] = []
    for number in range(diners):
        people.append(_diner(number, places[number % canteens], people, dice))
    return District(places, people)


def _townships() -> list[tuple[str, str]]:
    with DIVISIONS.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return sorted({(row["township_code"], row["township"]) for row in rows})


def _type_of(number: int, canteens: int) -> str:
    """Types in the shares of mid 2022; the first canteen is the central kitchen."""
    place = number * sum(count for _, count in TYPES) // canteens
    for name, count in TYPES:
        if place < count:
            return name
        place -= count
    raise AssertionError("a canteen beyond the last")


def _canteen(
    number: int, canteens: int, townships: Sequence[tuple[str, str]], dice: Random, usual: int
) -> PlannedCanteen:
    code, name = townships[number % len(townships)]
    carrier = "courier" if number % 12 else "volunteers"
    at = (round(CENTRE[0] + dice.uniform(-0.15, 0.15), 6), round(CENTRE[1] + dice.uniform(-0.2, 0.2), 6))
    kind = _type_of(number, canteens)
    return PlannedCanteen(number, f"{name}第{number + 1}助餐点", kind, code, *at, carrier, max(10, usual * 3))


def _diner(number: int, canteen: PlannedCanteen, earlier: Sequence[PlannedDiner], dice: Random) -> PlannedDiner:
    spouse = _spouse(canteen, earlier, dice)
    age, category = _age_and_category(dice)
    delivered = category == "disabled" or dice.random() < 0.02
    return PlannedDiner(
        number=number,
        name=dice.choice(SURNAMES) + "".join(dice.sample(GIVEN, 2)),
        id_number=_id_number(number, age, dice),
        township_code=canteen.township_code,
        canteen=canteen.number,
        category=category,
        diet_form=dice.choices(("normal", "soft", "minced", "liquid"), (88, 7, 4, 1))[0],
        delivered=delivered,
        household_of=spouse,
    )


def _spouse(canteen: PlannedCanteen, earlier: Sequence[PlannedDiner], dice: Random) -> int | None:
    """Every fourth diner or so lives with one who eats at the same canteen."""
    same = [one for one in earlier[-500:] if one.canteen == canteen.number and one.household_of is None]
    return same[-1].number if same and dice.random() < 0.25 else None


def _age_and_category(dice: Random) -> tuple[int, str | None]:
    kind = dice.choices(
        ("none", "low_income", "disabled", "soldier_retired", "served_in_war", "veteran_pre_1949", "child", "soldier"),
        (820, 50, 60, 35, 15, 2, 10, 8),
    )[0]
    if kind == "child":
        return dice.randint(6, 13), None
    if kind == "soldier":
        return dice.randint(20, 40), "soldier_serving"
    if kind == "veteran_pre_1949":
        return dice.randint(94, 99), kind
    return dice.randint(60, 95), None if kind == "none" else kind


def _id_number(number: int, age: int, dice: Random) -> str:
    """A number of the right form that nobody else of the plan has: 1,000 serials a day of birth are never used up."""
    born_on = date(2026 - age, 1, 1) + timedelta(days=number % 300)
    body = f"330224{born_on:%Y%m%d}{dice.randrange(10)}{number // 300 % 100:02d}"
    return body + check_character(body)


def days_of(first: date, length: int) -> Iterator[date]:
    """So many days from the first on."""
    return (first + timedelta(days=number) for number in range(length))
