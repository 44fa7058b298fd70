"""The year on paper is the published one, to the visit, the hour and the elder; the same for the same seed."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise

import pytest

from scripts.year.plan import Plan, Size, planned
from timebank.people.id_numbers import parse

SMALL = Size(townships=3, canteens=3, elders=40, volunteers=14, diners=15, visits=120, hours=233, months=2)


@pytest.fixture(scope="module")
def year() -> Plan:
    return planned(Size(), 20220630)


def test_the_published_figures_are_met_exactly(year: Plan) -> None:
    assert len(year.days) == 360
    assert year.meals == 5_000 * 360
    assert len(year.visits) == 164_700
    assert sum(visit.minutes for visit in year.visits) == 320_400 * 60
    assert len({visit.elder.id_number for visit in year.visits}) == len(year.elders) == 13_790
    assert len({visit.elder.township_code for visit in year.visits}) == 12
    assert {one.canteen for one in year.diners} == set(range(96))


def test_everybody_has_an_identity_number_of_their_own_that_holds(year: Plan) -> None:
    numbers = [one.id_number for one in (*year.elders, *year.volunteers)]
    assert len(set(numbers)) == len(numbers)
    born = [parse(number, today=date(2022, 1, 1)).born_on for number in numbers]
    assert all(one.year <= 1961 for one in born[: len(year.elders)])
    assert max(born).year <= 2003


def test_no_volunteer_is_in_two_places_at_once(year: Plan) -> None:
    spans: defaultdict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for visit in year.visits:
        spans[visit.volunteer.id_number].append((visit.started_at, visit.ended_at))
    assert all(before[1] <= after[0] for of_one in spans.values() for before, after in pairwise(sorted(of_one)))


def test_about_every_fifth_visit_crosses_townships(year: Plan) -> None:
    crossing = Counter(visit.volunteer.township_code != visit.elder.township_code for visit in year.visits)
    assert 0.19 < crossing[True] / len(year.visits) < 0.21


def test_who_turns_hours_into_meals_is_a_volunteer_old_enough(year: Plan) -> None:
    earning = [one.person for one in year.diners if one.earns]
    assert len(earning) == 1_000
    assert {one.id_number for one in earning} <= {one.id_number for one in year.volunteers}
    assert all(parse(one.id_number, today=date(2022, 1, 1)).born_on.year <= 1961 for one in earning)


def test_a_seed_makes_its_own_year() -> None:
    assert planned(SMALL, 1) == planned(SMALL, 1)
    assert planned(SMALL, 1).visits != planned(SMALL, 2).visits


def test_hours_that_do_not_fit_into_the_visits_are_no_year() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        planned(replace(SMALL, hours=120 * 5), 1)


def test_only_some_days_may_be_lived_through() -> None:
    some = planned(replace(SMALL, every=7), 1)
    assert len(some.days) == 8
    assert {visit.started_at.date() for visit in some.visits} == set(some.days)
    assert sum(visit.minutes for visit in some.visits) == 233 * 60
