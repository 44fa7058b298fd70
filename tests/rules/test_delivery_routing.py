"""Rounds on little cities whose best rounds can be counted out, and what must hold for any city."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, permutations
from math import ceil
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timebank.canteens.delivery.routing import Door, Limits, Place, Route, plan_routes, ride_m

KITCHEN = Place(29.655, 121.41)
LIMITS = Limits(detour_percent=130, m_per_minute=200, stop_minutes=3, within_minutes=15, most_stops=12)
METRE = 1 / 111_195
"""Degrees of latitude."""


def door(number: int, north_m: float, east_m: float = 0) -> Door:
    place = Place(KITCHEN.latitude + north_m * METRE, KITCHEN.longitude + east_m * METRE / 0.869)
    return Door(UUID(int=number), place, f"{number}号")


def numbers(route: Route) -> list[int]:
    return [stop.key.int for stop in route.stops]


def seconds(one: Place, other: Place, limits: Limits) -> int:
    return ceil(round(ride_m(one, other, limits.detour_percent) * 60 / limits.m_per_minute, 3))


def trip_seconds(trip: Sequence[Door], limits: Limits) -> int | None:
    """Seconds on the way, there and back; None where a door is reached too late or there are too many."""
    at, here, ridden = 0, KITCHEN, 0
    for one in trip:
        assert one.place is not None
        ridden += seconds(here, one.place, limits)
        at = ridden + 60 * limits.stop_minutes * trip.index(one)
        here = one.place
        if at > 60 * limits.within_minutes:
            return None
    return None if len(trip) > limits.most_stops else ridden + seconds(here, KITCHEN, limits)


def partitions(doors: list[Door]) -> Iterator[list[list[Door]]]:
    if not doors:
        yield []
        return
    first, rest = doors[0], doors[1:]
    for others in partitions(rest):
        yield [[first], *others]
        for n, group in enumerate(others):
            yield [*others[:n], [first, *group], *others[n + 1 :]]


def counted_out(doors: list[Door], limits: Limits) -> tuple[int, int]:
    """The fewest rounds and, with so many, the fewest seconds on the way, by trying everything."""
    best: dict[frozenset[UUID], int | None] = {}

    def shortest(group: list[Door]) -> int | None:
        key = frozenset(one.key for one in group)
        if key not in best:
            ways = [trip_seconds(way, limits) for way in permutations(group)]
            best[key] = min((way for way in ways if way is not None), default=None)
        return best[key]

    found = []
    for groups in partitions(doors):
        trips = [shortest(group) for group in groups]
        if None not in trips:
            found.append((len(groups), sum(trip for trip in trips if trip is not None)))
    return min(found)


def as_planned(routes: list[Route], doors: list[Door], limits: Limits) -> tuple[int, int]:
    by_key = {one.key: one for one in doors}
    trips = [trip_seconds([by_key[stop.key] for stop in route.stops], limits) for route in routes]
    assert None not in trips
    return len(trips), sum(trip for trip in trips if trip is not None)


@pytest.mark.parametrize("most_stops", [12, 3])
@pytest.mark.parametrize("count", [1, 4, 6, 7])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_in_a_city_of_few_doors_there_are_no_fewer_rounds_and_no_shorter_ones(
    count: int, seed: int, most_stops: int
) -> None:
    random, limits = Random(seed), Limits(130, 200, 3, 15, most_stops)
    doors = [door(n, random.uniform(-900, 900), random.uniform(-900, 900)) for n in range(1, count + 1)]
    assert as_planned(plan_routes(KITCHEN, doors, limits), doors, limits) == counted_out(doors, limits)


def test_doors_along_one_street_are_visited_one_after_another_in_one_round() -> None:
    doors = [door(n, 200 * n) for n in (3, 1, 4, 2)]
    [route] = plan_routes(KITCHEN, doors, LIMITS)
    assert numbers(route) == [1, 2, 3, 4]
    # 200 m are 260 m by the detour, 1.3 minutes; each stop takes three.
    assert [stop.minutes for stop in route.stops] == [2, 6, 10, 15]
    assert (route.minutes, route.late, route.unlocated) == (ceil(8 * 1.3 + 4 * 3), False, False)


def test_two_sides_of_the_canteen_are_two_rounds_where_one_would_come_too_late() -> None:
    doors = [door(1, 1000), door(2, 1100), door(3, -1000), door(4, -1100)]
    assert sorted(map(numbers, plan_routes(KITCHEN, doors, LIMITS))) == [[1, 2], [3, 4]]


def test_no_round_has_more_stops_than_policy_allows() -> None:
    doors = [door(n, 1, n) for n in range(1, 8)]
    limits = Limits(130, 200, 0, 15, 3)
    assert sorted(len(route.stops) for route in plan_routes(KITCHEN, doors, limits)) == [1, 3, 3]


def test_a_door_too_far_away_has_a_round_of_its_own_that_says_so() -> None:
    # 15 minutes of 200 m are 3,000 m: 2,307 m as the crow flies.
    routes = plan_routes(KITCHEN, [door(1, 2300), door(2, 2310), door(3, 5000)], LIMITS)
    assert [(numbers(route), route.late) for route in routes] == [([1], False), ([2], True), ([3], True)]
    assert routes[2].stops[0].minutes == 33


def test_addresses_that_are_not_on_the_map_come_last_by_address_and_are_said_to_be_so() -> None:
    lost = [Door(UUID(int=n), None, address) for n, address in ((9, "河头路2号"), (8, "河头路1号"), (7, "河头路3号"))]
    routes = plan_routes(KITCHEN, [*lost, door(1, 100)], Limits(130, 200, 3, 15, 2))
    assert [(numbers(route), route.unlocated) for route in routes] == [([1], False), ([8, 9], True), ([7], True)]
    assert routes[1].stops[0].minutes is None
    assert routes[1].minutes == 2 * 15 + 2 * 3


def test_without_a_place_for_the_canteen_nothing_is_on_the_map() -> None:
    [route] = plan_routes(None, [door(2, 100), door(1, 100)], LIMITS)
    assert (numbers(route), route.unlocated) == ([1, 2], True)


def test_no_doors_are_no_rounds() -> None:
    assert plan_routes(KITCHEN, [], LIMITS) == []


def test_thirty_doors_give_the_same_rounds_in_whatever_order_they_come() -> None:
    random = Random(30)
    doors = [door(n, random.uniform(-1300, 1300), random.uniform(-1300, 1300)) for n in range(1, 31)]
    first = plan_routes(KITCHEN, doors, LIMITS)
    random.shuffle(doors)
    assert plan_routes(KITCHEN, doors, LIMITS) == first


somewhere = st.one_of(
    st.none(), st.tuples(st.floats(-4000, 4000, allow_nan=False), st.floats(-4000, 4000, allow_nan=False))
)


@settings(max_examples=40, deadline=None)
@given(places=st.lists(somewhere, max_size=14), most_stops=st.integers(1, 5), stop_minutes=st.integers(0, 5))
def test_every_door_is_in_exactly_one_round_and_no_round_goes_beyond_the_limits_unsaid(
    places: list[tuple[float, float] | None], most_stops: int, stop_minutes: int
) -> None:
    limits = Limits(130, 200, stop_minutes, 15, most_stops)
    doors = [
        Door(UUID(int=n), None, f"{n}号") if place is None else door(n, *place)
        for n, place in enumerate(places, start=1)
    ]
    routes = plan_routes(KITCHEN, doors, limits)
    assert sorted(n for route in routes for n in numbers(route)) == [one.key.int for one in doors]
    by_key = {one.key: one for one in doors}
    for route in routes:
        trip = [by_key[stop.key] for stop in route.stops]
        assert 1 <= len(trip) <= most_stops
        assert route.unlocated == any(one.place is None for one in trip)
        if not route.unlocated:
            assert (trip_seconds(trip, limits) is None) == route.late
            assert all(a.minutes <= b.minutes for a, b in pairwise(route.stops) if a.minutes and b.minutes)
        if route.late:
            assert len(trip) == 1
