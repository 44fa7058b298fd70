"""Checks of a claim 核查: each looks at the meals of one claim by means of its own, and says what it finds. Pure.

A finding names one order and puts of its government share as much at stake as should not have been given. Whoever
reads it decides: the checks accuse nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from timebank.canteens.pricing.rules import MEAL_NAMES, Meal
from timebank.canteens.subsidies.rules import FindingKind
from timebank.core import clock
from timebank.core.amounts import yuan_text

BY_PEOPLE = frozenset({"phone", "proxy"})
"""Sources of orders behind which one person sits with a phone."""


@dataclass(frozen=True, slots=True)
class Given:
    """A line of the government's in one order."""

    rule_key: str
    label: str
    fen: int


@dataclass(frozen=True, slots=True)
class ServedMeal:
    """One served order, with what the checks ask of it; household and level as they were when it was priced."""

    order_id: UUID
    person_id: UUID | None
    canteen_id: UUID
    canteen_name: str
    served_on: date
    meal: str
    way: str
    served_at: datetime
    portions: int
    pickup_number: int
    source: str
    placed_by: UUID | None
    placed_by_name: str
    policy_version: int
    food_fen: int
    love_fen: int
    delivery_fen: int
    government_fen: int
    given: tuple[Given, ...]
    household_id: UUID | None = None
    assessment_level: int | None = None

    @property
    def service(self) -> tuple[UUID, date, str]:
        """The canteen, day and meal."""
        return self.canteen_id, self.served_on, self.meal

    @property
    def in_order(self) -> tuple[datetime, UUID]:
        """Which of two was served first."""
        return self.served_at, self.order_id


@dataclass(frozen=True, slots=True)
class Found:
    """One finding; ``fen`` of the government's share are at stake."""

    kind: FindingKind
    order_id: UUID | None
    person_id: UUID | None
    fen: int
    reason: str


@dataclass(frozen=True, slots=True)
class Move:
    """Somebody's home moved from one township to another."""

    moved_on: date
    from_township_code: str
    to_township_code: str


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What is known of a diner by now; ``moves`` in order."""

    died_on: date | None = None
    left_on: date | None = None
    moves: tuple[Move, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Scan:
    """A voucher of somebody's, accepted at a counter."""

    person_id: UUID
    canteen_id: UUID
    canteen_name: str
    scanned_at: datetime
    for_order_id: UUID | None


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when a meal could be had, and for how many; or why not at all."""

    opens_at: datetime | None
    closes_at: datetime | None
    capacity_meals: int | None
    not_served_reason: str = ""


def _found(kind: FindingKind, served: ServedMeal, reason: str, fen: int | None = None) -> Found:
    at_stake = served.government_fen if fen is None else min(fen, served.government_fen)
    return Found(kind, served.order_id, served.person_id, at_stake, reason)


def gone(
    served: Iterable[ServedMeal], people: Mapping[UUID, Whereabouts], *, township_code: str, moved_allowed: bool
) -> Iterator[Found]:
    """Meals of people who had died, left or, where policy says so, moved out of the canteen's township before."""
    for one in served:
        known = people.get(one.person_id) if one.person_id is not None else None
        reason = _gone(one, known, township_code, moved_allowed) if known is not None else ""
        if reason:
            yield _found(FindingKind.DINER_GONE, one, f"{called(one)}：{reason}")


def _gone(served: ServedMeal, known: Whereabouts, township_code: str, moved_allowed: bool) -> str:
    if known.died_on is not None and known.died_on < served.served_on:
        return f"{known.died_on}已去世，当天仍有用餐"
    if known.left_on is not None and known.left_on < served.served_on:
        return f"{known.left_on}已退出，当天仍有用餐"
    before = [move for move in known.moves if move.moved_on < served.served_on]
    was_here = any(move.from_township_code == township_code for move in before)
    if not moved_allowed and was_here and before[-1].to_township_code != township_code:
        return f"{before[-1].moved_on}已迁出本镇街，当天仍在此用餐"
    return ""


def had_elsewhere(
    served: Iterable[ServedMeal],
    everything: Iterable[ServedMeal],
    scans: Iterable[Scan],
    periods: Mapping[str, tuple[str, str]],
) -> Iterator[Found]:
    """Meals of people who had the same meal at another canteen before, or a voucher accepted there meanwhile.

    ``periods`` are the hours of each meal, as ``("10:00", "13:30")``.
    """
    orders: dict[tuple[UUID | None, date, str], list[ServedMeal]] = defaultdict(list)
    for one in everything:
        orders[one.person_id, one.served_on, one.meal].append(one)
    scanned: dict[tuple[UUID, date], list[Scan]] = defaultdict(list)
    for scan in scans:
        scanned[scan.person_id, clock.local_date(scan.scanned_at)].append(scan)
    for one in served:
        if one.person_id is None:
            continue
        twins = orders[one.person_id, one.served_on, one.meal]
        place = next(
            (t.canteen_name for t in twins if t.canteen_id != one.canteen_id and t.in_order < one.in_order), ""
        )
        if not place:
            place = next(
                (s.canteen_name for s in scanned[one.person_id, one.served_on] if _same_meal(one, s, periods)), ""
            )
        if place:
            yield _found(FindingKind.DUPLICATE_ELSEWHERE, one, f"{called(one)}：同一餐又在{place}用餐或用券")


def _same_meal(served: ServedMeal, scan: Scan, periods: Mapping[str, tuple[str, str]]) -> bool:
    begins, ends = periods[served.meal]
    at = f"{scan.scanned_at.astimezone(clock.LOCAL):%H:%M}"
    return scan.canteen_id != served.canteen_id and scan.for_order_id != served.order_id and begins <= at <= ends


def beyond_capacity(
    claimed: Collection[UUID], everything: Iterable[ServedMeal], windows: Mapping[tuple[UUID, date, str], Window]
) -> Iterator[Found]:
    """Meals of a service, by the number called out, after as many as the canteen could serve; of ``claimed`` orders."""
    by_service: dict[tuple[UUID, date, str], list[ServedMeal]] = defaultdict(list)
    for one in everything:
        by_service[one.service].append(one)
    for service, meals in by_service.items():
        window = windows.get(service)
        if window is None or window.capacity_meals is None:
            continue
        portions = 0
        for one in sorted(meals, key=lambda meal: (meal.pickup_number, meal.order_id)):
            portions += one.portions
            if portions > window.capacity_meals and one.order_id in claimed:
                reason = f"{called(one)}：供餐能力{window.capacity_meals}份，本单为第{portions}份"
                yield _found(FindingKind.BEYOND_CAPACITY, one, reason)


def outside_hours(
    served: Iterable[ServedMeal], windows: Mapping[tuple[UUID, date, str], Window], *, tolerance: timedelta
) -> Iterator[Found]:
    """Meals handed over when the canteen did not serve them, beyond a tolerance before and after its hours."""
    for one in served:
        window = windows.get(one.service)
        if window is None:
            continue
        if window.opens_at is None or window.closes_at is None:
            yield _found(FindingKind.SERVED_OUTSIDE_HOURS, one, f"{called(one)}：{window.not_served_reason}")
        elif not window.opens_at - tolerance <= one.served_at <= window.closes_at + tolerance:
            at, hours = _clock(one.served_at), f"{_clock(window.opens_at)}至{_clock(window.closes_at)}"
            yield _found(FindingKind.SERVED_OUTSIDE_HOURS, one, f"{called(one)}：于{at}取餐，供餐时间为{hours}")


def many_by_one(served: Sequence[ServedMeal], *, most: int) -> Iterator[Found]:
    """Meals of one day that one person with a phone has ordered, where they are more than ``most``."""
    by_login: dict[tuple[UUID, date], list[ServedMeal]] = defaultdict(list)
    for one in served:
        if one.placed_by is not None and one.source in BY_PEOPLE:
            by_login[one.placed_by, one.served_on].append(one)
    for meals in by_login.values():
        if len(meals) > most:
            for one in meals:
                reason = f"{called(one)}：同一人当天代订{len(meals)}份，超过{most}份"
                yield _found(FindingKind.MANY_BY_ONE, one, reason)


def called(served: ServedMeal) -> str:
    """``老街食堂2026-03-10午餐7号``: where an order is found among the others, with nobody's name."""
    return called_by(served.canteen_name, served.served_on, served.meal, served.pickup_number)


def called_by(canteen_name: str, served_on: date, meal: str, pickup_number: int) -> str:
    """The same, of an order of which only this is known."""
    return f"{canteen_name}{served_on}{MEAL_NAMES[Meal(meal)]}{pickup_number}号"


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(clock.LOCAL):%m-%d %H:%M}"


def over(allowed_fen: int, given: Given, what: str) -> str:
    """How a line says that it is more than was allowed."""
    return f"“{given.label}”{what}最多{yuan_text(allowed_fen)}，实补{yuan_text(given.fen)}"
