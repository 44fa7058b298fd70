"""Lists in an order that is asked for, part by part: ORDER BY and the place to go on from follow the same columns.

What is empty stands last, whichever way a list is sorted; equals are told apart by something unique, so that no row
comes twice or never where one part ends and the next begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Row, Select, and_, case, func, literal, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.base import ExecutableOption

from timebank.core.clock import day_start

T = TypeVar("T")
U = TypeVar("U")

Sortable = ColumnElement[Any] | InstrumentedAttribute[Any]

MOST_COUNTED = 50_000
"""As far as the rows of a list are counted; beyond, one only says that there are more."""


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders that one list may be had in.

    ``of`` names the list. ``by`` are its columns by the names that they are asked for with; ``-name`` is the same from
    the other end. ``tie`` is unique, goes the same way, and may be one of the columns itself. ``usual`` is the order
    where none is asked for.
    """

    of: str
    by: Mapping[str, Sortable]
    tie: Sortable
    usual: str

    @property
    def names(self) -> list[str]:
        """All that may be asked for."""
        return [sign + name for name in self.by for sign in ("", "-")]


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a list: in which order, at most how many rows, after which place; and whether all are counted."""

    limit: int
    sort: str | None = None
    after: tuple[Any, Any] | None = None
    count: bool = False


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """One part of a list. ``following`` is the place after which the next part begins, None where there is none.

    ``total`` is how many rows there are in all, None where nobody asked or there are more than are counted.
    """

    items: Sequence[T]
    sort: str
    following: tuple[Any, Any] | None = None
    total: int | None = None

    def holding(self, items: Sequence[U]) -> Slice[U]:
        """The same part, with its rows made into something else."""
        return replace(self, items=items)  # type: ignore[arg-type, return-value]


def slice_of(
    session: Session, query: Select[*tuple[Any, ...]], orders: Orders, part: Part, *options: ExecutableOption
) -> Slice[Any]:
    """The rows of ``query``, which has no order or limit of its own, that ``part`` asks for; ``options`` load more.

    A query of one column gives its values, any other its rows.
    """
    sort = part.sort or orders.usual
    down = sort.startswith("-")
    column = orders.by[sort.removeprefix("-")]
    lasting = query
    if part.after is not None:
        lasting = query.where(_beyond(column, orders.tie, down=down, after=part.after))
    placed = lasting.add_columns(column.label("sorted_by"), orders.tie.label("told_apart_by")).options(*options)
    order = [one.desc() if down else one.asc() for one in (column, orders.tie)]
    if not _never_empty(column, orders.tie):
        order[0] = order[0].nulls_last()
    found = session.execute(placed.order_by(*order).limit(part.limit + 1)).all()
    shown = found[: part.limit]
    return Slice(
        [_without_place(row) for row in shown],
        sort,
        (shown[-1][-2], shown[-1][-1]) if len(found) > part.limit else None,
        _counted(session, query, orders) if part.count else None,
    )


def _without_place(row: Row[*tuple[Any, ...]]) -> Any:
    """What was asked for, without the two columns that say where it stands in the list."""
    asked = row[:-2]
    return asked[0] if len(asked) == 1 else asked


def _beyond(column: Sortable, tie: Sortable, *, down: bool, after: tuple[Any, Any]) -> ColumnElement[bool]:
    """What comes after a place; nothing empty is larger or smaller than anything, it only stands last."""
    value, last = after
    later = tie < last if down else tie > last
    if _never_empty(column, tie):
        # As a pair, an index finds the place.
        here, there = tuple_(column, tie), tuple_(literal(value, column.type), literal(last, tie.type))
        return here < there if down else here > there
    if value is None:
        return and_(column.is_(None), later)
    further = column < value if down else column > value
    return or_(further, and_(column == value, later), column.is_(None))


def _never_empty(column: Sortable, tie: Sortable) -> bool:
    """Whether a column of the list's own table holds something in every row; of a joined table the row may be missing.

    Only then can an index be read backwards, where what is empty would come first.
    """
    plain, own = getattr(column, "expression", column), getattr(tie, "expression", tie)
    return isinstance(plain, Column) and not plain.nullable and plain.table is own.table


def _counted(session: Session, query: Select[*tuple[Any, ...]], orders: Orders) -> int | None:
    rows = query.with_only_columns(orders.tie, maintain_column_froms=True).limit(MOST_COUNTED + 1).subquery()
    total = session.scalars(select(func.count()).select_from(rows)).one()
    return total if total <= MOST_COUNTED else None


def by_course(column: Sortable, course: Sequence[str]) -> ColumnElement[int]:
    """States in the order in which they come, where the alphabet's would say nothing."""
    return case({str(state): place for place, state in enumerate(course)}, value=column, else_=len(course))


def within_days(moment: Sortable, since: date | None, until: date | None) -> list[ColumnElement[bool]]:
    """Conditions that a moment lies on these days in Fenghua, the last one included; None is no bound."""
    conditions: list[ColumnElement[bool]] = []
    if since is not None:
        conditions.append(moment >= day_start(since))
    if until is not None:
        conditions.append(moment < day_start(until + timedelta(days=1)))
    return conditions
