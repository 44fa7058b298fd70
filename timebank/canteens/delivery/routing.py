"""Rounds from doors 排线: which stops go together, and in which order. Pure; the search itself is PyVRP's.

A round leaves the canteen, stops at each door for a while and comes back. Ways are straight lines made longer by the
detour, ridden at one speed. First as few rounds as possible, then as little time on the way. The same doors always give
the same rounds: they are sorted, and the search has a fixed seed and a fixed number of steps instead of a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import asin, ceil, cos, radians, sin, sqrt
from uuid import UUID

EARTH_M = 6_371_000
SEED = 20_260_302
SEARCH_STEPS = 1_000
"""Steps of the search; 30 doors take a quarter of a second, and more steps found no better rounds (decision 0017)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the map, in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Door:
    """Where one meal goes; ``place`` is None where nobody has put the address on the map."""

    key: UUID
    place: Place | None
    address: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What policy says of rounds: metres, minutes, and how many stops."""

    detour_percent: int
    m_per_minute: int
    stop_minutes: int
    within_minutes: int
    most_stops: int


@dataclass(frozen=True, slots=True)
class RoutedStop:
    """One stop; ``minutes`` after leaving, begun ones counted, None where the way is not known."""

    key: UUID
    minutes: int | None


@dataclass(frozen=True, slots=True)
class Route:
    """Stops in their order and the whole round's minutes, the way back included.

    ``late`` is a stop that cannot be reached in time even straight away; ``unlocated`` are addresses not on the map.
    """

    stops: tuple[RoutedStop, ...]
    minutes: int
    late: bool = False
    unlocated: bool = False


def plan_routes(start: Place | None, doors: Iterable[Door], limits: Limits) -> list[Route]:
    """Every door in exactly one round: those within reach together, each too far away alone, unlocated ones last."""
    ordered = sorted(doors, key=lambda door: door.key)
    on_map = [door for door in ordered if start is not None and door.place is not None]
    lost = sorted((door for door in ordered if door not in on_map), key=lambda door: (door.address, door.key))
    if start is None:
        return _unlocated(lost, limits)
    near = [door for door in on_map if _ride_s(start, door.place, limits) <= 60 * limits.within_minutes]
    far = [door for door in on_map if door not in near]
    routes = [_route(start, one, limits) for one in _together(start, near, limits)]
    routes += [_route(start, [door], limits, late=True) for door in far]
    return routes + _unlocated(lost, limits)


def ride_m(one: Place, other: Place, detour_percent: int) -> float:
    """Metres between two places: the great circle, made longer by the detour."""
    up, along = radians(other.latitude - one.latitude), radians(other.longitude - one.longitude)
    half = sin(up / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(along / 2) ** 2
    return 2 * EARTH_M * asin(sqrt(half)) * detour_percent / 100


def _ride_s(one: Place, other: Place | None, limits: Limits) -> int:
    assert other is not None
    # Rounded first: the same way there and back must not differ by the last bit.
    return ceil(round(ride_m(one, other, limits.detour_percent) * 60 / limits.m_per_minute, 3))


def _together(start: Place, doors: Sequence[Door], limits: Limits) -> list[list[Door]]:
    """Which of the doors within reach go together, in the order of riding."""
    if not doors:
        return []
    places = [start, *(door.place for door in doors)]
    rides = [[_ride_s(one, other, limits) for other in places] for one in places if one is not None]
    trips = _search(rides, stop_s=60 * limits.stop_minutes, within_s=60 * limits.within_minutes, most=limits.most_stops)
    return sorted(([doors[n - 1] for n in trip] for trip in trips), key=lambda trip: trip[0].key)


def _search(rides: Sequence[Sequence[int]], *, stop_s: int, within_s: int, most: int) -> list[list[int]]:
    """Trips over the places 1…n of a matrix of seconds, each begun and ended at place 0."""
    # Imported when a round is planned: numpy and the solver cost every other process 0.2 s and 50 MB.
    from pyvrp import Model
    from pyvrp.stop import MaxIterations

    count, model = len(rides), Model()
    spots = [model.add_location(0, 0) for _ in rides]
    depot = model.add_depot(spots[0])
    # One round more costs more than any detour saves.
    dearest = 2 * sum(map(max, rides)) + 1
    model.add_vehicle_type(count - 1, capacity=most, start_depot=depot, end_depot=depot, fixed_cost=dearest)
    for spot in spots[1:]:
        model.add_client(spot, delivery=1, service_duration=stop_s, tw_early=0, tw_late=within_s)
    for one in range(count):
        for other in range(count):
            if one != other:
                model.add_edge(spots[one], spots[other], distance=rides[one][other], duration=rides[one][other])
    found = model.solve(MaxIterations(SEARCH_STEPS), seed=SEED, collect_stats=False, display=False)
    assert found.is_feasible(), "each door alone would do"
    trips = [[step.idx + 1 for step in route.schedule() if step.is_client()] for route in found.best.routes()]
    return [min((trip, trip[::-1]), key=lambda way: _arrivals(rides, way, stop_s)) for trip in trips]


def _arrivals(rides: Sequence[Sequence[int]], trip: Sequence[int], stop_s: int) -> tuple[int, int, list[int]]:
    """What to like in a direction: the last door reached soonest, then all of them, then the smaller numbers."""
    arrivals, clock = [], -stop_s
    for one, other in pairwise([0, *trip]):
        clock += stop_s + rides[one][other]
        arrivals.append(clock)
    return arrivals[-1], sum(arrivals), list(trip)


def _route(start: Place, doors: Sequence[Door], limits: Limits, *, late: bool = False) -> Route:
    stops, seconds, here = [], 0, start
    for door in doors:
        assert door.place is not None
        seconds += _ride_s(here, door.place, limits)
        stops.append(RoutedStop(door.key, ceil(seconds / 60)))
        seconds += 60 * limits.stop_minutes
        here = door.place
    return Route(tuple(stops), ceil((seconds + _ride_s(here, start, limits)) / 60), late=late)


def _unlocated(doors: Sequence[Door], limits: Limits) -> list[Route]:
    """Rounds by address; nobody knows the way, so there and back may each take as long as is allowed."""
    return [
        Route(
            tuple(RoutedStop(door.key, None) for door in some),
            2 * limits.within_minutes + limits.stop_minutes * len(some),
            unlocated=True,
        )
        for some in (doors[n : n + limits.most_stops] for n in range(0, len(doors), limits.most_stops))
    ]
