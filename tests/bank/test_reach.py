"""Who is within a short walk of an open canteen: numbers by township and village, nobody's home."""

from __future__ import annotations

import pytest

from tests.factories.canteens import open_canteen
from tests.factories.diners import approved_diner
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from timebank.canteens.network.actions import suspend
from timebank.core import clock
from timebank.core.db import Database
from timebank.people.models import ElderFile
from timebank.supervision.figures import queries
from timebank.supervision.figures.queries.reach import NO_VILLAGE, AreaReach

HERE = (29.69, 121.47)
NORTH_1000_M, NORTH_1010_M = 29.69 + 1000 / 111_195, 29.69 + 1010 / 111_195


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def reach(bank: Database, township_code: str | None = None) -> queries.Reach:
    with bank.session() as session:
        return queries.reach(session, township_code=township_code)


def lives_at(
    bank: Database, latitude: float, longitude: float, *, township_code: str = XIWU, village: str = ""
) -> None:
    with bank.unit_of_work() as session:
        diner = approved_diner(session, township_code, latitude=latitude, longitude=longitude)
        if village:
            session.add(ElderFile(person_id=diner.person(), village=village))


def numbers(area: AreaReach) -> tuple[int, int, int, int]:
    return area.people, area.within, area.beyond, area.without_place


def test_reach_ends_where_fifteen_minutes_end(bank: Database) -> None:
    with bank.unit_of_work() as session:
        open_canteen(session, XIWU, place=HERE)
    lives_at(bank, NORTH_1000_M, HERE[1])
    lives_at(bank, NORTH_1010_M, HERE[1])
    found = reach(bank)
    assert (found.map_minutes, found.walking_m_per_minute, found.canteens[0].radius_m) == (15, 67, 1005)
    assert found.canteens[0].people_within == 1
    [area] = found.areas
    assert (area.area, numbers(area)) == ("西坞街道", (2, 1, 1, 0))


@pytest.mark.parametrize("bearing", [(0, 1), (0, -1), (1, 0), (-1, 0), (0.6, 0.8), (-0.6, -0.8), (-0.8, 0.6)])
def test_reach_is_the_same_to_every_side(bank: Database, bearing: tuple[float, float]) -> None:
    with bank.unit_of_work() as session:
        open_canteen(session, XIWU, place=HERE)
    north, east = bearing
    for metres in (990, 1020):
        lives_at(bank, HERE[0] + north * metres / 111_195, HERE[1] + east * metres / 96_600)
    assert numbers(reach(bank).areas[0]) == (2, 1, 1, 0)


def test_whoever_has_no_place_is_told_apart_and_counts_nowhere(bank: Database) -> None:
    with bank.unit_of_work() as session:
        open_canteen(session, XIWU, place=HERE)
        add_elder(session, XIWU)
    assert numbers(reach(bank).areas[0]) == (1, 0, 0, 1)


def test_a_canteen_that_is_not_open_reaches_nobody(bank: Database) -> None:
    with bank.unit_of_work() as session:
        canteen = open_canteen(session, XIWU, place=HERE)
    lives_at(bank, *HERE)
    assert numbers(reach(bank).areas[0]) == (1, 1, 0, 0)
    with bank.unit_of_work() as session:
        suspend(session, actor=steward(XIWU), canteen_id=canteen.id, reason="停电")
    found = reach(bank)
    assert (found.canteens[0].radius_m, found.canteens[0].people_within) == (0, 0)
    assert numbers(found.areas[0]) == (1, 0, 1, 0)


def test_a_township_is_told_by_village_and_the_neighbours_canteens_count(bank: Database) -> None:
    with bank.unit_of_work() as session:
        open_canteen(session, DAYAN, place=HERE)
    lives_at(bank, *HERE, village="蒋家池头村")
    lives_at(bank, HERE[0] + 0.1, HERE[1], village="山下地村")
    lives_at(bank, *HERE)
    lives_at(bank, *HERE, township_code=SHANGTIAN)
    found = reach(bank, XIWU)
    assert found.canteens == []
    assert [(one.area, numbers(one)) for one in found.areas] == [
        ("山下地村", (1, 0, 1, 0)),
        *((name, (1, 1, 0, 0)) for name in sorted((NO_VILLAGE, "蒋家池头村"))),
    ]
    assert [area.area for area in reach(bank).areas] == ["西坞街道", "尚田街道"]


def test_how_far_one_walks_is_policy_also_of_a_township(bank: Database) -> None:
    with bank.unit_of_work() as session:
        open_canteen(session, XIWU, place=HERE)
        change_policy(session, "walking_m_per_minute", 50, township_code=XIWU)
    lives_at(bank, NORTH_1000_M, HERE[1])
    assert reach(bank).canteens[0].radius_m == 750
    assert numbers(reach(bank).areas[0]) == (1, 0, 1, 0)
