"""The fifteen-minute map: who is near, in which order, page by page, and what each sees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Any

import pytest

from tests.factories.canteens import apply_for_canteen, canteen_clerk, open_canteen, whole_week
from tests.factories.people import DAYAN, XIWU, add_person, district, staff, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from timebank.canteens.network import actions
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.views import CanteenFilter, CanteenView, find_canteens, whole_canteen
from timebank.canteens.pricing.rules import Meal
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import NotFound, Refused
from timebank.core.sorting import Part

MIDDLE = (29.69, 121.47)
AUDITOR = staff(StaffRole.AUDITOR)


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def found(bank: Database, actor: Actor = AUDITOR, **wanted: Any) -> Sequence[CanteenView]:
    with bank.session() as session:
        return find_canteens(session, actor=actor, wanted=CanteenFilter(**wanted), part=Part(100)).items


def near(bank: Database, within_m: int | None = None, **wanted: Any) -> Sequence[CanteenView]:
    return found(bank, latitude=MIDDLE[0], longitude=MIDDLE[1], within_m=within_m, **wanted)


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Haversine by hand, on the mean radius of the earth."""
    (a, b), (c, d) = (map(radians, place) for place in (one, other))
    return 2 * 6_371_008.8 * asin(sqrt(sin((c - a) / 2) ** 2 + cos(a) * cos(c) * sin((d - b) / 2) ** 2))


@pytest.fixture
def around(bank: Database) -> list[Canteen]:
    """Five canteens, further and further north-east of the middle, entered from the furthest on."""
    with bank.unit_of_work() as session:
        places = [(MIDDLE[0] + n * 0.002, MIDDLE[1] + n * 0.003) for n in range(5)]
        return [open_canteen(session, place=place) for place in reversed(places)][::-1]


def test_those_within_the_walk_of_the_map_are_found_nearest_first(bank: Database, around: list[Canteen]) -> None:
    views = near(bank)
    distances = [metres(MIDDLE, (c.latitude or 0, c.longitude or 0)) for c in around]
    reached = [canteen.id for canteen, far in zip(around, distances, strict=True) if far <= 67 * 15]
    assert [view.canteen.id for view in views] == reached
    assert len(reached) == 3
    assert [view.distance_m for view in views] == [round(far) for far in distances[:3]]
    assert [view.walk_minutes for view in views] == [0, 6, 11]


def test_the_walk_of_the_map_is_policy_and_any_distance_can_be_asked_for(bank: Database, around: list[Canteen]) -> None:
    assert len(near(bank, 100_000)) == 5
    assert [view.canteen.id for view in near(bank, 1)] == [around[0].id]
    exact = near(bank, 100_000)[1].distance_m
    assert exact is not None
    assert len(near(bank, exact)) == 2
    assert len(near(bank, exact - 1)) == 1
    with bank.unit_of_work() as session:
        change_policy(session, "map_minutes", 5)
    assert len(near(bank)) == 1


def test_pages_by_distance_miss_and_repeat_nobody_also_where_distances_are_equal(
    bank: Database, around: list[Canteen]
) -> None:
    with bank.unit_of_work() as session:
        for _ in range(3):
            open_canteen(session, place=MIDDLE)
    whole = [view.canteen.id for view in near(bank, 100_000)]
    wanted = CanteenFilter(latitude=MIDDLE[0], longitude=MIDDLE[1], within_m=100_000)
    paged, after = [], None
    with bank.session() as session:
        for _ in range(4):
            page = find_canteens(session, actor=AUDITOR, wanted=wanted, part=Part(2, after=after))
            paged += [view.canteen.id for view in page.items]
            after = page.following
    assert after is None
    assert paged == whole
    assert len(set(whole)) == 8


def test_without_a_place_they_come_in_the_order_of_applying_and_say_no_distance(
    bank: Database, around: list[Canteen]
) -> None:
    views = found(bank)
    assert [view.canteen.id for view in views] == sorted(canteen.id for canteen in around)
    assert {(view.distance_m, view.walk_minutes) for view in views} == {(None, None)}
    with bank.session() as session:
        last = views[2].canteen.id
        rest = find_canteens(session, actor=AUDITOR, wanted=CanteenFilter(), part=Part(9, after=(last, last))).items
    assert [view.canteen.id for view in rest] == [view.canteen.id for view in views[3:]]


def test_a_canteen_without_a_place_is_on_no_map(bank: Database) -> None:
    with bank.unit_of_work() as session:
        apply_for_canteen(session, place=(None, None))
    assert near(bank, 1_000_000) == []
    assert len(found(bank)) == 1


def test_the_other_end_of_the_world_is_far_away_and_no_fault(bank: Database, around: list[Canteen]) -> None:
    assert found(bank, latitude=-MIDDLE[0], longitude=MIDDLE[1] - 180, within_m=1_000_000) == []


def test_half_a_place_is_refused(bank: Database) -> None:
    for half in ({"latitude": 29.6}, {"longitude": 121.4}, {"within_m": 5}):
        with pytest.raises(Refused, match="place_incomplete"):
            found(bank, **half)


def test_filters_leave_what_fits_them(bank: Database) -> None:
    with bank.unit_of_work() as session:
        central = open_canteen(session, DAYAN, canteen_type="central")
        village, paused = open_canteen(session), open_canteen(session)
        actions.suspend(session, actor=district(), canteen_id=paused.id, reason="停水")

    def ids(**wanted: Any) -> set[Any]:
        return {view.canteen.id for view in found(bank, **wanted)}

    assert ids(township_code=DAYAN) == ids(canteen_type="central") == {central.id}
    assert ids(state="suspended") == {paused.id}
    assert ids(township_code=XIWU, state="open") == {village.id}


def test_a_meal_served_today_is_just_what_the_services_of_the_day_say(bank: Database) -> None:
    with bank.unit_of_work() as session:
        every, lunches, kitchen, paused = (open_canteen(session) for _ in range(4))
        point = open_canteen(session, kitchen_id=kitchen.id)
        week = whole_week(10, [Meal.LUNCH])
        actions.set_hours(session, actor=district(), canteen_id=lunches.id, week=week)
        day, which = clock.today() + timedelta(days=1), {"actor": district(), "reason": "停电"}
        for canteen, meal in ((every, "supper"), (lunches, None)):
            more = {"first_on": day, "last_on": day, "meal": meal}
            actions.add_closed_days(session, canteen_id=canteen.id, **which, **more)  # type: ignore[arg-type]
        for canteen in (kitchen, paused):
            actions.suspend(session, canteen_id=canteen.id, **which)  # type: ignore[arg-type]
    names = {every.id: "every", lunches.id: "lunches", kitchen.id: "kitchen", paused.id: "paused", point.id: "point"}

    def serving(meal: str) -> set[str]:
        views = found(bank, meal=meal)
        assert all(meal in view.today for view in views)
        others = [view for view in found(bank) if view.canteen.id not in {v.canteen.id for v in views}]
        assert not any(meal in view.today for view in others)
        return {names[view.canteen.id] for view in views}

    assert (serving("lunch"), serving("supper")) == ({"every", "lunches"}, {"every"})
    clock.freeze(NINE + timedelta(days=1))
    assert (serving("lunch"), serving("supper")) == ({"every"}, set())


def test_people_see_what_is_open_or_pauses_stewards_everything_and_a_clerk_the_own_one(bank: Database) -> None:
    with bank.unit_of_work() as session:
        opened, paused, closed = (open_canteen(session) for _ in range(3))
        waiting = apply_for_canteen(session)
        actions.suspend(session, actor=district(), canteen_id=paused.id, reason="停水")
        actions.close(session, actor=district(), canteen_id=closed.id, reason="搬迁")
        person = add_person(session, DAYAN)
    everything, shown = {opened.id, paused.id, closed.id, waiting.id}, {opened.id, paused.id}
    for actor, seen in (
        *((overseer, everything) for overseer in (AUDITOR, district(), steward(DAYAN))),
        (person, shown),
        (canteen_clerk(opened), shown),
        (canteen_clerk(closed), shown | {closed.id}),
    ):
        assert {view.canteen.id for view in found(bank, actor)} == seen
        for canteen in (opened, closed):
            with bank.session() as session:
                if canteen.id in seen:
                    whole = whole_canteen(session, actor=actor, canteen_id=canteen.id)
                    assert len(whole.inspections) == (1 if seen is everything else 0)
                else:
                    with pytest.raises(NotFound, match="canteen_unknown"):
                        whole_canteen(session, actor=actor, canteen_id=canteen.id)


def test_one_canteen_is_shown_with_its_week_its_kitchen_and_the_closed_days_from_today_on(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = open_canteen(session, name="中心食堂")
        here = open_canteen(session, kitchen_id=kitchen.id)
        days = {"first_on": clock.today() + timedelta(days=1), "last_on": clock.today() + timedelta(days=3)}
        actions.add_closed_days(session, actor=district(), canteen_id=here.id, reason="停电", **days)
    clock.freeze(NINE + timedelta(days=2))
    with bank.session() as session:
        whole = whole_canteen(session, actor=AUDITOR, canteen_id=here.id)
    assert (whole.view.kitchen_name, len(whole.hours)) == ("中心食堂", 21)
    assert [day.closed_on.day for day in whole.closed_days] == [12, 13]
    assert whole.view.today == {}
