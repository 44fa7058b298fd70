"""Matching any list with any books: the order of rows means nothing, nothing is used twice, as many as can be match."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tests.factories.matched import DAY, DAYAN, FANG, MEI, NEXT_DAY, XIWU, line, row
from timebank.clearing.matching import match
from timebank.clearing.township_lists import BookedLine, BreakType, ListedLine

_LINES = st.builds(
    line,
    st.integers(1, 40),
    day=st.sampled_from([DAY, NEXT_DAY]),
    minutes=st.sampled_from([60, -60]),
    counterpart=st.sampled_from([XIWU, DAYAN]),
    person=st.sampled_from([MEI, FANG, None]),
)
_SAID_PARTS: dict[str, st.SearchStrategy[object]] = {
    "day": st.sampled_from([DAY, NEXT_DAY]),
    "minutes": st.sampled_from([60, 60, -60, 90]),
    "counterpart": st.sampled_from([XIWU, DAYAN, None]),
    "person": st.sampled_from([MEI, FANG, None, None]),
    "name": st.sampled_from(["", "王梅", "王*", "王芳"]),
    "id": st.sampled_from([None, None, None, 1, 2, 3, 41]),
}
_SAID = st.fixed_dictionaries(_SAID_PARTS)
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


_OF_ONE_DAY = {"day": st.just(DAY), "minutes": st.just(60)}
_ALIKE = st.fixed_dictionaries({**_SAID_PARTS, **_OF_ONE_DAY, "id": st.none()})
_LINES_ALIKE = st.lists(
    st.builds(
        line, st.integers(1, 40), counterpart=st.sampled_from([XIWU, DAYAN]), person=st.sampled_from([MEI, FANG])
    ),
    max_size=8,
    unique_by=lambda one: one.transfer_id,
)


@given(said=st.lists(_ALIKE, max_size=9), books=_LINES_ALIKE)
def test_as_many_rows_are_matched_as_can_be(said: list[dict[str, object]], books: list[BookedLine]) -> None:
    rows = rows_of(said)
    assert len(match(rows, books).matches) == most_pairs(rows, books)


@given(said=st.lists(_ALIKE, max_size=9), books=_LINES_ALIKE)
def test_a_rows_more_exact_fellows_are_matched_as_if_it_were_not_there(
    said: list[dict[str, object]], books: list[BookedLine]
) -> None:
    rows = rows_of(said)
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
