"""Matching a list with the books: whatever the order of rows, as many as can be, each row and each line once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest

from tests.factories.matched import DAY, DAYAN, FANG, MEI, NEXT_DAY, XIWU, line, row, told
from timebank.clearing.matching import match
from timebank.clearing.township_lists import (
    BookedLine,
    ListedLine,
    key_of_listed,
)
from timebank.ledger.rules import second_leg_id


def test_an_id_decides_whatever_else_the_row_says() -> None:
    ours = line(1)
    outcome = match([row(1, of=ours, day=NEXT_DAY, counterpart=DAYAN, person=FANG)], [ours])
    assert told(outcome) == [("match", 1, 1)]


def test_the_id_of_the_other_leg_names_the_same_movement() -> None:
    ours = line(2)
    named = replace(row(1), transfer_id=second_leg_id(ours.transfer_id))
    # Another line fits what the row says as well.
    assert told(match([named], [line(1), ours])) == [("match", 1, 2), ("missing_there", None, 1)]


def test_the_same_id_with_other_minutes_is_one_wrong_amount() -> None:
    ours = line(1)
    assert told(match([row(1, of=ours, minutes=90)], [ours])) == [("amount", 1, 1)]
    assert told(match([row(1, of=ours, minutes=-60)], [ours])) == [("amount", 1, 1)]


def test_of_two_rows_with_one_id_the_right_one_is_matched_and_the_other_is_there_twice() -> None:
    ours, other = line(1), line(2)
    rows = [row(1, of=ours, minutes=90), row(2, of=ours)]
    assert told(match(rows, [ours, other])) == [("duplicate", 1, 1), ("match", 2, 1), ("missing_there", None, 2)]


def test_an_id_that_the_books_do_not_know_is_the_offices_own_numbering() -> None:
    own = replace(row(1, counterpart=XIWU, person=MEI), transfer_id=UUID(int=999))
    assert told(match([own], [line(1)])) == [("match", 1, 1)]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"counterpart": XIWU},
        {"person": MEI},
        {"name": "王 梅"},
        {"name": "王*"},
        {"counterpart": XIWU, "person": MEI, "name": "写错的名字"},
    ],
)
def test_a_row_is_matched_by_day_minutes_and_whatever_else_it_says(said: dict[str, str]) -> None:
    assert told(match([row(1, **said)], [line(1)])) == [("match", 1, 1)]


@pytest.mark.parametrize(
    "said",
    [
        {"day": NEXT_DAY},
        {"minutes": -60},
        {"counterpart": DAYAN},
        {"person": FANG},
        {"name": "王芳"},
        {"name": "李*"},
        {"name": "王**"},
    ],
)
def test_what_a_row_says_must_be_so(said: dict[str, str]) -> None:
    assert told(match([row(1, **said)], [line(1)])) == [("missing_here", 1, None), ("missing_there", None, 1)]


def test_an_identity_number_that_nobody_has_is_nobodys_line() -> None:
    stranger = ListedLine(1, DAY, 60, id_number="330224195901010011", name="王梅", person=None)
    unknown = replace(stranger, person=key_of_listed(None, stranger.id_number, stranger.name))
    assert told(match([unknown], [line(1)])) == [("missing_here", 1, None), ("missing_there", None, 1)]


def test_exact_rows_come_before_loose_ones() -> None:
    loose, exact = row(1), row(2, counterpart=XIWU, person=MEI)
    assert told(match([loose, exact], [line(1)])) == [("duplicate", 1, 1), ("match", 2, 1)]


def test_a_loose_row_gives_way_where_another_line_would_do_for_it() -> None:
    # Row 1 may have any line of 西坞, row 2 only the first: as many as possible means that row 1 takes the second.
    rows = [row(1, counterpart=XIWU), row(2, person=MEI)]
    for lines in ([line(1), line(2, person=FANG)], [line(2), line(1, person=FANG)]):
        assert Counter(kind for kind, *_ in told(match(rows, lines))) == {"match": 2}


def test_a_row_that_has_a_line_takes_another_one_so_that_a_second_row_gets_it() -> None:
    # Both lines are 王梅's: row 2 would have the one of 西坞 if row 1 had not nothing else to choose from.
    rows = [row(1, counterpart=XIWU), row(2, person=MEI)]
    for lines in ([line(1), line(2, counterpart=DAYAN)], [line(2), line(1, counterpart=DAYAN)]):
        assert Counter(kind for kind, *_ in told(match(rows, lines))) == {"match": 2}


def test_of_rows_that_mean_the_same_the_same_one_is_matched_in_any_order() -> None:
    rows = [row(1, person=MEI, name="王梅"), row(2, person=MEI, name="王海")]
    for listed in (rows, [replace(rows[1], row=1), replace(rows[0], row=2)]):
        assert [one.name for one, _ in match(listed, [line(1)]).matches] == ["王梅"]


def test_rows_alike_are_matched_one_by_one_and_those_too_many_are_there_twice() -> None:
    rows = [row(number, counterpart=XIWU, person=MEI) for number in (1, 2, 3)]
    assert told(match(rows, [line(1), line(2)])) == [("duplicate", 3, 1), ("match", 1, 1), ("match", 2, 2)]


def test_rows_alike_that_the_books_do_not_have_are_all_missing() -> None:
    assert told(match([row(1), row(2)], [])) == [("missing_here", 1, None), ("missing_here", 2, None)]


def test_the_same_day_person_and_counterpart_with_other_minutes_is_one_wrong_amount() -> None:
    rows = [row(1, minutes=90, counterpart=XIWU, name="王梅")]
    assert told(match(rows, [line(1)])) == [("amount", 1, 1)]
    # The same row twice is one wrong amount, and one row too many.
    assert told(match([*rows, replace(rows[0], row=2)], [line(1)])) == [("amount", 1, 1), ("duplicate", 2, 1)]


def test_a_row_that_is_there_twice_is_no_wrong_amount_of_another_line() -> None:
    rows = [row(number, counterpart=XIWU, person=MEI) for number in (1, 2)]
    found = told(match(rows, [line(1), line(2, minutes=45)]))
    assert found == [("duplicate", 2, 1), ("match", 1, 1), ("missing_there", None, 2)]


@pytest.mark.parametrize(
    "said", [{"counterpart": XIWU}, {"person": MEI}, {"counterpart": XIWU, "person": MEI, "minutes": -90}]
)
def test_other_minutes_alone_do_not_make_two_things_one(said: dict[str, str]) -> None:
    found = told(match([row(1, **{"minutes": 90, **said})], [line(1)]))
    assert found == [("missing_here", 1, None), ("missing_there", None, 1)]


def test_a_line_of_another_window_is_named() -> None:
    here, there = line(1, minutes=30), line(2, window=2)
    by_id = match([row(1, of=there, minutes=45)], [], named=[there])
    assert told(by_id) == [("window", 1, 2)]
    alike = match([row(1, person=MEI, counterpart=XIWU)], [here], neighbours=lambda _rows: [there])
    assert told(alike) == [("missing_there", None, 1), ("window", 1, 2)]


def test_what_is_found_in_this_window_is_not_looked_for_in_others() -> None:
    asked: list[int] = []

    def neighbours(rows: object) -> list[BookedLine]:
        asked.extend(one.row for one in rows)  # type: ignore[attr-defined]
        return []

    match([row(1), row(2, minutes=45)], [line(1)], neighbours=neighbours)
    assert asked == [2]
