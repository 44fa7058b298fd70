"""Matching a list with the books: whatever the order of rows, as many as can be, each row and each line once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.clearing.matching import match
from timebank.clearing.township_lists import (
    BookedLine,
    BreakType,
    Found,
    ListedLine,
    Outcome,
    key_of_listed,
    keys_of_booked,
)
from timebank.ledger.rules import second_leg_id

DAY, NEXT_DAY = date(2026, 3, 10), date(2026, 3, 11)
XIWU, DAYAN = "330213004", "330213107"
MEI, FANG = UUID(int=1001), UUID(int=1002)
NAMES = {MEI: "王梅", FANG: "王芳"}


def line(
    number: int,
    *,
    day: date = DAY,
    minutes: int = 60,
    counterpart: str = XIWU,
    person: UUID | None = MEI,
    window: int = 1,
) -> BookedLine:
    keys = keys_of_booked(person, NAMES.get(person) if person else None)
    return BookedLine(UUID(int=number * 2), window, day, minutes, counterpart, keys)


def row(
    number: int,
    *,
    day: date = DAY,
    minutes: int = 60,
    of: BookedLine | None = None,
    counterpart: str | None = None,
    name: str = "",
    person: UUID | None = None,
) -> ListedLine:
    """A row of the list; ``of`` is the line whose id it gives, ``person`` whose identity number."""
    id_number = f"number of {person}" if person else None
    key = key_of_listed(person, id_number, name)
    transfer_id = of.transfer_id if of else None
    return ListedLine(number, day, minutes, transfer_id, counterpart, id_number, name, key)


def told(outcome: Outcome) -> list[tuple[str, int | None, int | None]]:
    """What came of it: type, number of the row, number of the line."""
    matches = [Found("match", *pair) for pair in outcome.matches]  # type: ignore[arg-type]
    return sorted(
        (str(f.type), f.row.row if f.row else None, f.line.transfer_id.int // 2 if f.line else None)
        for f in (*matches, *outcome.breaks)
    )


def test_an_id_decides_whatever_else_the_row_says() -> None:
    ours = line(1)
    outcome = match([row(1, of=ours, day=NEXT_DAY, counterpart=DAYAN, person=FANG)], [ours])
    assert told(outcome) == [("match", 1, 1)]


def test_the_id_of_the_other_leg_names_the_same_movement() -> None:
    ours = line(1)
    named = replace(row(1), transfer_id=second_leg_id(ours.transfer_id))
    # Another line fits what the row says as well.
    assert told(match([named], [line(2), ours])) == [("match", 1, 1), ("missing_there", None, 2)]


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


_LINES = st.builds(
    line,
    st.integers(1, 40),
    day=st.sampled_from([DAY, NEXT_DAY]),
    minutes=st.sampled_from([60, -60]),
    counterpart=st.sampled_from([XIWU, DAYAN]),
    person=st.sampled_from([MEI, FANG, None]),
)
_SAID = st.fixed_dictionaries(
    {
        "day": st.sampled_from([DAY, NEXT_DAY]),
        "minutes": st.sampled_from([60, 60, -60, 90]),
        "counterpart": st.sampled_from([XIWU, DAYAN, None]),
        "person": st.sampled_from([MEI, FANG, None, None]),
        "name": st.sampled_from(["", "王梅", "王*", "王芳"]),
        "id": st.sampled_from([None, None, None, 1, 2, 3, 41]),
    }
)
_BOOKS = st.lists(_LINES, max_size=8, unique_by=lambda one: one.transfer_id)


def rows_of(said: list[dict[str, object]]) -> list[ListedLine]:
    rows = []
    for number, facts in enumerate(said, start=1):
        given_id = facts["id"]
        plain = row(number, **{name: fact for name, fact in facts.items() if name != "id"})  # type: ignore[arg-type]
        rows.append(replace(plain, transfer_id=UUID(int=given_id * 2) if given_id else None))  # type: ignore[operator]
    return rows


@given(said=st.lists(_SAID, max_size=8), books=_BOOKS, others=_BOOKS, data=st.data())
def test_the_order_of_rows_means_nothing_and_every_row_and_line_ends_once(
    said: list[dict[str, object]], books: list[BookedLine], others: list[BookedLine], data: st.DataObject
) -> None:
    taken = {one.transfer_id for one in books}
    elsewhere = [replace(one, window_number=2) for one in others if one.transfer_id not in taken]
    named = [one for one in elsewhere if one.transfer_id.int <= 6]
    rows = rows_of(said)
    shuffled = [replace(one, row=number) for number, one in enumerate(data.draw(st.permutations(rows)), start=1)]
    outcomes = [match(some, books, named=named, neighbours=lambda _: elsewhere) for some in (rows, shuffled)]
    first, second = (
        Counter(
            (kind, one.content if one else None, booked)
            for kind, one, booked in (
                *(("match", *pair) for pair in outcome.matches),
                *((str(found.type), found.row, found.line) for found in outcome.breaks),
            )
        )
        for outcome in outcomes
    )
    assert first == second
    used_rows = [one.row for one, _ in outcomes[0].matches] + [f.row.row for f in outcomes[0].breaks if f.row]
    assert sorted(used_rows) == [one.row for one in rows]
    used = [one for _, one in outcomes[0].matches]
    used += [f.line for f in outcomes[0].breaks if f.line and f.type in (BreakType.AMOUNT, BreakType.MISSING_THERE)]
    assert sorted(one.transfer_id for one in used) == sorted(taken)


@given(said=st.lists(_SAID, max_size=9), books=_BOOKS)
def test_as_many_rows_are_matched_as_can_be(said: list[dict[str, object]], books: list[BookedLine]) -> None:
    rows = [replace(one, transfer_id=None) for one in rows_of(said)]
    assert len(match(rows, books).matches) == most_pairs(rows, books)


@given(said=st.lists(_SAID, max_size=9), books=_BOOKS)
def test_a_rows_more_exact_fellows_are_matched_as_if_it_were_not_there(
    said: list[dict[str, object]], books: list[BookedLine]
) -> None:
    rows = [replace(one, transfer_id=None) for one in rows_of(said)]
    exact = [one for one in rows if one.counterpart and one.id_number]
    matched = [one for one, _ in match(rows, books).matches if one.counterpart and one.id_number]
    assert len(matched) == most_pairs(exact, books)


def most_pairs(rows: list[ListedLine], books: list[BookedLine]) -> int:
    """The greatest number of pairs, found by trying: each row looks for a line, and may send its holder on."""

    def fits(one: ListedLine, booked: BookedLine) -> bool:
        return (
            (one.day, one.minutes) == (booked.day, booked.minutes)
            and one.counterpart in (None, booked.counterpart)
            and (one.person is None or one.person in booked.persons)
        )

    holder: dict[UUID, ListedLine] = {}

    def seat(one: ListedLine, tried: set[UUID]) -> bool:
        for booked in books:
            if fits(one, booked) and booked.transfer_id not in tried:
                tried.add(booked.transfer_id)
                if booked.transfer_id not in holder or seat(holder[booked.transfer_id], tried):
                    holder[booked.transfer_id] = one
                    return True
        return False

    return sum(seat(one, set()) for one in rows)
