"""Ratings: when one may rate, what may be said, how an average is rounded, whom a month's draw takes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.canteens.ratings.rules import (
    check_outcome,
    check_said,
    hundredths,
    is_closed_by,
    lots,
    must_be_in_time,
    must_be_served,
)
from timebank.core.errors import Conflict, Refused

SERVED = datetime(2026, 3, 10, 4, tzinfo=UTC)
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
PEOPLE = [UUID(int=number) for number in range(1, 1001)]


def in_time(first: datetime | None, now: datetime) -> None:
    must_be_in_time(SERVED, first, now, rating_days=7, change_hours=48)


def test_a_meal_is_rated_for_seven_days_and_the_rating_changed_for_two() -> None:
    in_time(None, SERVED + timedelta(days=7))
    with pytest.raises(Refused, match="rating_too_late:") as late:
        in_time(None, SERVED + timedelta(days=7, seconds=1))
    assert late.value.facts == {"until": SERVED + timedelta(days=7)}
    first = SERVED + timedelta(days=6)
    in_time(first, first + timedelta(hours=48))
    with pytest.raises(Refused, match="rating_final:") as final:
        in_time(first, first + timedelta(hours=48, seconds=1))
    assert final.value.facts == {"until": first + timedelta(hours=48)}


@pytest.mark.parametrize("state", ["placed", "cancelled", "missed", "undelivered", "corrected"])
def test_only_a_served_meal_is_rated(state: str) -> None:
    must_be_served(PEOPLE[0], "served")
    with pytest.raises(Conflict, match="order_not_served:"):
        must_be_served(PEOPLE[0], state)


@pytest.mark.parametrize(
    ("stars", "tags", "words", "code"),
    [
        (0, [], "", "stars_invalid"),
        (6, [], "", "stars_invalid"),
        (5, ["难吃"], "", "rating_tag_unknown"),
        (5, ["味道好", "味道好"], "", "rating_tag_unknown"),
        (5, [], "好" * 201, "words_too_long"),
    ],
)
def test_a_rating_that_says_what_it_may_not_is_refused(stars: int, tags: list[str], words: str, code: str) -> None:
    check_said(5, ["味道好"], "好" * 200, known_tags=["味道好", "热乎"])
    with pytest.raises(Refused, match=f"{code}:"):
        check_said(stars, tags, words, known_tags=["味道好", "热乎"])


def test_an_average_is_in_hundredths_rounded_half_up() -> None:
    assert [hundredths(*one) for one in ((0, 0), (5, 1), (13, 3), (14, 3), (37, 8))] == [None, 500, 433, 467, 463]


@given(st.integers(0, 100), st.permutations(PEOPLE[:60]))
def test_a_draw_takes_the_same_people_in_whatever_order_they_come(percent: int, people: list[UUID]) -> None:
    drawn = lots(MARCH, PEOPLE[:60], percent)
    assert lots(MARCH, people, percent) == drawn
    assert len(drawn) == len(set(drawn)) == -(-60 * percent // 100)


def test_another_month_draws_others_and_one_in_a_hundred_is_one_of_three() -> None:
    one, other = lots(MARCH, PEOPLE, 10), lots(APRIL, PEOPLE, 10)
    assert (len(one), len(other)) == (100, 100)
    # By chance ten of a hundred come again; half of them would be no draw.
    assert len(set(one) & set(other)) < 50
    assert [len(lots(MARCH, PEOPLE[:count], 1)) for count in (0, 1, 3, 100, 101)] == [0, 1, 1, 1, 2]
    assert lots(MARCH, PEOPLE, 0) == []


def test_who_was_reached_says_how_satisfied_and_nobody_else_does() -> None:
    check_outcome(True, 5)
    check_outcome(False, None)
    for reached, satisfied in ((True, None), (False, 3)):
        with pytest.raises(Refused, match="outcome_incomplete:"):
            check_outcome(reached, satisfied)
    with pytest.raises(Refused, match="stars_invalid:"):
        check_outcome(True, 6)


def test_a_follow_up_ends_with_an_answer_or_with_the_last_call() -> None:
    assert [is_closed_by(*one) for one in ((True, 1, 3), (False, 2, 3), (False, 3, 3))] == [True, False, True]
