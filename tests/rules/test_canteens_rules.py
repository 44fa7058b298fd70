"""Canteens: steps of their life, numbers, inspections, weeks, days and distances."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from timebank.canteens.network.rules import (
    CARRIER_NAMES,
    STATE_NAMES,
    TYPE_NAMES,
    CanteenState,
    CanteenType,
    Carrier,
    Grade,
    MealHours,
    after,
    after_acceptance,
    days_to_close,
    map_radius_m,
    must_answer_every_point,
    must_be_a_place,
    must_be_a_week,
    must_be_a_year_to_grade,
    must_be_near,
    must_be_ready,
    must_cook_itself,
    must_not_be_a_kitchen,
    next_number,
    tidy_phone,
    walk_minutes,
)
from timebank.canteens.pricing.rules import Meal
from timebank.core.errors import BankError, Conflict, Refused
from timebank.policies.definition import MEALS
from timebank.policies.meal_definitions import CANTEEN_GRADES
from timebank.policies.rules import PolicyBook

TODAY = date(2026, 3, 10)
LUNCH = MealHours(1, Meal.LUNCH, time(10), time(13), 50)

ALLOWED = {
    "accept": {CanteenState.APPLIED, CanteenState.REFUSED},
    "refuse": {CanteenState.APPLIED, CanteenState.REFUSED},
    "open": {CanteenState.ACCEPTED, CanteenState.SUSPENDED},
    "suspend": {CanteenState.OPEN},
    "close": set(CanteenState) - {CanteenState.CLOSED},
}


@pytest.mark.parametrize("step", ALLOWED)
@pytest.mark.parametrize("state", list(CanteenState))
def test_each_step_begins_where_it_may_and_nowhere_else(step: str, state: CanteenState) -> None:
    if state in ALLOWED[step]:
        assert after(step, state) in CanteenState
        return
    with pytest.raises(Conflict) as raised:
        after(step, state)
    assert (raised.value.code, raised.value.facts["status"]) == ("wrong_state", state)
    assert STATE_NAMES[state] in raised.value.title


def test_nothing_comes_after_closing() -> None:
    assert {after("close", state) for state in ALLOWED["close"]} == {CanteenState.CLOSED}
    assert not any(CanteenState.CLOSED in states for states in ALLOWED.values())


def test_everything_has_its_words_and_policies_name_the_same_grades_and_meals() -> None:
    assert (set(STATE_NAMES), set(TYPE_NAMES)) == (set(CanteenState), set(CanteenType))
    assert set(CARRIER_NAMES) == set(Carrier)
    assert tuple(Grade) == CANTEEN_GRADES
    assert tuple(Meal) == MEALS


@pytest.mark.parametrize(("highest", "number"), [(0, "001"), (9, "010"), (998, "999"), (999, "1000")])
def test_numbers_have_three_digits_as_long_as_they_suffice(highest: int, number: str) -> None:
    assert next_number("330213004", highest) == f"330213004-{number}"


def test_an_inspection_is_passed_with_every_point_in_order() -> None:
    assert must_answer_every_point({"消防": True, "证照": True}, ["证照", "消防"])
    assert not must_answer_every_point({"消防": True, "证照": False}, ["证照", "消防"])


def test_an_inspection_leaves_no_point_out_and_makes_none_up() -> None:
    with pytest.raises(Refused, match="acceptance_points_unfit") as raised:
        must_answer_every_point({"消防": True, "风水": True}, ["证照", "消防"])
    assert (raised.value.facts["missing"], raised.value.facts["unknown"]) == (["证照"], ["风水"])


@pytest.mark.parametrize(
    ("said", "tidy"),
    [("0574-88511234", "0574-88511234"), (" 138 1234 5678 ", "13812345678"), ("０５７４－88511234", "0574-88511234")],
)
def test_telephones_are_read_however_they_are_written(said: str, tidy: str) -> None:
    assert tidy_phone(said) == tidy


@pytest.mark.parametrize("said", ["", "电话", "12345", "0574--88511234", "1381234567813812345678"])
def test_what_is_no_telephone_is_refused(said: str) -> None:
    with pytest.raises(Refused, match="phone_invalid"):
        tidy_phone(said)


@pytest.mark.parametrize(
    ("latitude", "longitude", "code"),
    [(29.6, None, "place_incomplete"), (None, 121.4, "place_incomplete"), (121.4, 29.6, "place_far_away")],
)
def test_half_a_place_or_one_turned_round_is_refused(
    latitude: float | None, longitude: float | None, code: str
) -> None:
    with pytest.raises(Refused, match=code):
        must_be_a_place(latitude, longitude)


def test_a_place_in_the_province_or_none_will_do() -> None:
    must_be_a_place(29.6, 121.4)
    must_be_a_place(None, None)


def test_a_whole_week_of_meals_one_after_another_will_do() -> None:
    supper = MealHours(1, Meal.SUPPER, time(13), time(18), 20)
    must_be_a_week([supper, LUNCH, MealHours(2, Meal.LUNCH, time(10), time(13), 50)])
    must_be_a_week([])


@pytest.mark.parametrize(
    ("other", "code"),
    [
        (MealHours(1, Meal.LUNCH, time(14), time(15), 50), "hours_twice"),
        (MealHours(1, Meal.SUPPER, time(12, 59), time(18), 50), "hours_overlap"),
        (MealHours(1, Meal.SUPPER, time(8), time(9), 50), "hours_overlap"),
        (MealHours(2, Meal.SUPPER, time(18), time(18), 50), "hours_backwards"),
        (MealHours(2, Meal.SUPPER, time(17), time(18), 0), "amount_invalid"),
    ],
    ids=["twice", "overlapping", "supper before lunch", "no time at all", "no meals"],
)
def test_a_week_that_makes_no_sense_is_refused_and_the_meal_named(other: MealHours, code: str) -> None:
    with pytest.raises(Refused) as raised:
        must_be_a_week([other, LUNCH])
    assert (raised.value.code, raised.value.facts["weekday"], raised.value.facts["meal"]) == (
        code,
        other.weekday,
        other.meal,
    )


def test_closed_days_are_every_day_of_the_range() -> None:
    tomorrow = TODAY + timedelta(days=1)
    assert days_to_close(tomorrow, tomorrow, TODAY) == [tomorrow]
    assert days_to_close(tomorrow, TODAY + timedelta(days=3), TODAY) == [TODAY + timedelta(days=n) for n in (1, 2, 3)]
    assert len(days_to_close(tomorrow, TODAY + timedelta(days=366), TODAY)) == 366


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [(1, 0, "days_backwards"), (0, 3, "day_begun"), (-5, 3, "day_begun"), (1, 367, "days_too_many")],
)
def test_days_that_have_begun_or_make_no_range_are_refused(first: int, last: int, code: str) -> None:
    with pytest.raises(Refused, match=code):
        days_to_close(TODAY + timedelta(days=first), TODAY + timedelta(days=last), TODAY)


@pytest.mark.parametrize(("year", "good"), [(2023, False), (2024, True), (2026, True), (2027, False)])
def test_graded_are_years_since_the_acceptance(year: int, good: bool) -> None:
    if good:
        must_be_a_year_to_grade(year, accepted_in=2024, this_year=2026)
    else:
        with pytest.raises(Refused, match="grade_year_invalid"):
            must_be_a_year_to_grade(year, accepted_in=2024, this_year=2026)


def test_nobody_is_graded_before_acceptance() -> None:
    moment = datetime(2026, 1, 5, tzinfo=UTC)
    assert after_acceptance(moment) == moment
    with pytest.raises(Conflict, match="canteen_not_accepted"):
        after_acceptance(None)


@pytest.mark.parametrize(
    ("has_place", "has_hours", "kitchen", "code"),
    [
        (False, True, None, "place_needed"),
        (True, False, None, "hours_needed"),
        (True, True, CanteenState.SUSPENDED, "kitchen_unfit"),
    ],
)
def test_what_a_canteen_lacks_before_it_opens_is_named(
    has_place: bool, has_hours: bool, kitchen: str | None, code: str
) -> None:
    with pytest.raises(Refused, match=code):
        must_be_ready(has_place=has_place, has_hours=has_hours, kitchen_state=kitchen)
    must_be_ready(has_place=True, has_hours=True, kitchen_state=CanteenState.OPEN)


def test_who_cooks_for_others_is_served_by_none_and_does_not_close_before_them() -> None:
    must_cook_itself(kitchen_has_kitchen=False, cooks_for_others=False)
    for kitchen, cooks in ((True, False), (False, True)):
        with pytest.raises(Refused, match="kitchen_unfit"):
            must_cook_itself(kitchen_has_kitchen=kitchen, cooks_for_others=cooks)
    must_not_be_a_kitchen([])
    with pytest.raises(Conflict, match="kitchen_in_use") as raised:
        must_not_be_a_kitchen(["甲", "乙", "丙", "丁"])
    assert "甲、乙、丙等" in raised.value.title


def test_the_map_reaches_as_far_as_one_walks_in_its_minutes() -> None:
    book = PolicyBook(1, {("walking_m_per_minute", None): 67, ("map_minutes", None): 15})
    assert map_radius_m(book) == 1005
    assert [walk_minutes(metres, 67) for metres in (0, 1, 67, 68, 1005)] == [0, 1, 1, 2, 15]


@pytest.mark.parametrize(("latitude", "longitude", "within"), [(29.6, None, None), (None, 121.4, 5), (None, None, 5)])
def test_a_search_by_distance_has_a_middle(latitude: float | None, longitude: float | None, within: int | None) -> None:
    must_be_near(29.6, 121.4, within)
    with pytest.raises(BankError, match="place_incomplete"):
        must_be_near(latitude, longitude, within)
