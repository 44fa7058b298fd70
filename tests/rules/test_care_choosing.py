"""Who is sent to a visit: the chosen one, else the nearest with capacity, always the same."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.redemption.care.choosing import Candidate, Visit, choose, distance_m

HOME, AWAY = "330213004", "330213107"
DOOR = (29.65, 121.41)
VISIT = Visit(minutes=60, township_code=HOME, place=DOOR, chosen_id=None)


def someone(number: int, **more: object) -> Candidate:
    plain = Candidate(UUID(int=number), f"机构{number}", HOME, None, None, used_minutes=0, left_minutes=480)
    return replace(plain, **more)  # type: ignore[arg-type]


def sent(visit: Visit, *candidates: Candidate) -> int | None:
    choice = choose(visit, candidates)
    return choice.provider_id.int if choice else None


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (someone(1, township_code=AWAY, grade=5, place=DOOR), someone(2)),
        (someone(1, grade=5), someone(2, place=(29.9, 121.9))),
        (someone(1, grade=5, place=(29.66, 121.41)), someone(2, place=(29.655, 121.41))),
        (someone(1, grade=3), someone(2, grade=5)),
        (someone(1), someone(2, grade=1)),
        (someone(1, used_minutes=60, left_minutes=420), someone(2, used_minutes=30, left_minutes=90)),
        (someone(1, name="乙"), someone(2, name="丙")),
        (someone(1, left_minutes=59), someone(2, township_code=AWAY, used_minutes=400, left_minutes=60)),
    ],
    ids=["home", "place known", "nearer", "grade", "graded", "less loaded", "name", "room"],
)
def test_the_better_one_goes(worse: Candidate, better: Candidate) -> None:
    assert sent(VISIT, worse, better) == sent(VISIT, better, worse) == 2


def test_the_chosen_one_goes_whatever_the_others_are() -> None:
    chosen = someone(1, township_code=AWAY, used_minutes=400, left_minutes=80)
    visit = replace(VISIT, chosen_id=chosen.provider_id)
    assert sent(visit, someone(2, grade=5, place=DOOR), chosen) == 1
    assert choose(visit, [chosen]).because == "您选择的机构"  # type: ignore[union-attr]


def test_when_the_chosen_one_is_full_the_elder_is_told_who_comes_instead_and_why() -> None:
    chosen = someone(1, name="松岙护理院", left_minutes=30)
    other = someone(2, grade=3, place=(29.659, 121.41), left_minutes=240)
    choice = choose(replace(VISIT, chosen_id=chosen.provider_id), [chosen, other])
    assert choice is not None
    assert choice.because == "您选择的松岙护理院当天不能前来；本镇街机构，距上门地点约1.0公里，3A级，当天还可服务4小时"


def test_nobody_with_room_is_nobody() -> None:
    assert sent(VISIT) is None
    assert sent(VISIT, someone(1, left_minutes=59)) is None


@given(st.permutations(range(8)))
def test_the_order_in_which_they_are_found_does_not_matter(order: list[int]) -> None:
    crowd = [someone(n, grade=n % 3 or None, used_minutes=30 * (n % 2), place=DOOR if n % 4 else None) for n in order]
    assert sent(VISIT, *crowd) == 2


def test_distances_are_those_of_the_earth() -> None:
    assert distance_m(DOOR, DOOR) == 0
    assert distance_m((0.0, 0.0), (0.0, 1.0)) == pytest.approx(111_195, abs=5)
    assert distance_m((0.0, 179.5), (0.0, -179.5)) == pytest.approx(111_195, abs=5)
    assert distance_m(DOOR, None) is distance_m(None, DOOR) is None
