"""Sorted lists: every row once over the borders of pages, ties and empty values included; names stand by pinyin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Integer, String, column, select, values
from sqlalchemy.orm import Session

from timebank.audit.rules import MOST_EXPORTED
from timebank.core import clock, sorting
from timebank.core.chinese_order import by_pinyin, pinyin_key
from timebank.core.clock import LOCAL
from timebank.core.db import Database, Instant
from timebank.core.sorting import MOST_COUNTED, Orders, Part, by_course, slice_of, within_days

NAMES = ["竺可桢", "周桂芬", "朱阿毛", "安心", "邬爱娟", "吴小妹", "裘江", "钱多", "乌有", "12号", "王梅", "欧阳"]
BY_PINYIN = ["12号", "安心", "欧阳", "钱多", "裘江", "王梅", "邬爱娟", "乌有", "吴小妹", "周桂芬", "朱阿毛", "竺可桢"]

# Eight rows, three kinds, two amounts that are equal and three that are empty.
ROWS = [(1, "b", 5), (2, "a", None), (3, "c", 5), (4, "b", 1), (5, "a", None), (6, "c", 9), (7, "a", 5), (8, "b", None)]
_TABLE = values(column("id", Integer), column("kind", String), column("amount", Integer), name="rows").data(ROWS)
ORDERS = Orders(
    of="rows",
    by={"id": _TABLE.c.id, "amount": _TABLE.c.amount, "course": by_course(_TABLE.c.kind, ["c", "a", "b"])},
    tie=_TABLE.c.id,
    usual="-id",
)
QUERY = select(_TABLE.c.id, _TABLE.c.kind)


@pytest.fixture
def session(bank: Database) -> Iterator[Session]:
    with bank.session() as session:
        yield session


def walked(session: Session, sort: str | None, limit: int) -> list[int]:
    """The ids of all rows, part by part."""
    found: list[int] = []
    after: tuple[Any, Any] | None = None
    for _ in range(len(ROWS) + 1):
        part = slice_of(session, QUERY, ORDERS, Part(limit, sort, after))
        assert len(part.items) <= limit
        found += [row[0] for row in part.items]
        after = part.following
        if after is None:
            return found
    raise AssertionError("the list has no end")


@pytest.mark.parametrize("limit", [1, 2, 3, 8, 9])
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (None, [8, 7, 6, 5, 4, 3, 2, 1]),
        ("id", [1, 2, 3, 4, 5, 6, 7, 8]),
        # What is empty stands last either way, and equals go the way that the list goes.
        ("amount", [4, 1, 3, 7, 6, 2, 5, 8]),
        ("-amount", [6, 7, 3, 1, 4, 8, 5, 2]),
        ("course", [3, 6, 2, 5, 7, 1, 4, 8]),
        ("-course", [8, 4, 1, 7, 5, 2, 6, 3]),
    ],
)
def test_every_row_comes_once_in_its_order_however_the_pages_are_cut(
    session: Session, sort: str | None, expected: list[int], limit: int
) -> None:
    assert walked(session, sort, limit) == expected


def test_all_are_counted_where_somebody_asks_and_there_are_not_too_many(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert slice_of(session, QUERY, ORDERS, Part(2)).total is None
    assert slice_of(session, QUERY, ORDERS, Part(2, count=True)).total == len(ROWS)
    after = slice_of(session, QUERY, ORDERS, Part(2)).following
    assert slice_of(session, QUERY, ORDERS, Part(2, after=after, count=True)).total == len(ROWS)
    monkeypatch.setattr(sorting, "MOST_COUNTED", len(ROWS) - 1)
    assert slice_of(session, QUERY, ORDERS, Part(2, count=True)).total is None


def test_what_may_be_exported_is_counted_to_the_last_row() -> None:
    assert MOST_EXPORTED <= MOST_COUNTED


def test_names_stand_by_pinyin_in_the_database_and_outside_it(session: Session) -> None:
    table = values(column("name", String), name="names").data([(name,) for name in NAMES])
    assert list(session.scalars(select(table.c.name).order_by(by_pinyin(table.c.name)))) == BY_PINYIN
    assert sorted(NAMES, key=pinyin_key) == BY_PINYIN


def test_days_are_those_of_fenghua_and_the_last_one_is_included(session: Session) -> None:
    day = date(2026, 11, 22)
    first = clock.day_start(day)
    moments = [
        first - timedelta(microseconds=1),
        first,
        first + timedelta(days=1, microseconds=-1),
        first + timedelta(days=1),
    ]
    table = values(column("at", Instant), name="moments").data([(moment,) for moment in moments])
    found = session.scalars(select(table.c.at).where(*within_days(table.c.at, day, day)).order_by(table.c.at))
    assert [moment.astimezone(LOCAL) for moment in found] == moments[1:3]
