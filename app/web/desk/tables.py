"""The desk's tables: columns are said once, and the page, its sorting and the workbook are all made of them.

An address says how a list is filtered and sorted and where it goes on; ``….xlsx`` of the same address is the same list
as a workbook, all pages of it. Names and numbers of people stand in neither: cursors are sealed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import uuid4

from flask import Blueprint, Response, request
from marshmallow import ValidationError

from app.api.operation import OFFERED, sent_response
from app.api.sorting import Sort
from app.api.workbooks import XLSX, workbook_sent
from app.web import lists
from app.web.asking import NOTHING, Asker, Refusal
from app.web.doors import View, page
from app.web.screens import day_text, moment_text, screen
from timebank.audit.rules import EXPORTED
from timebank.core.amounts import hours_text, yuan_text
from timebank.core.chinese_order import pinyin_key
from timebank.core.sorting import MOST_COUNTED
from timebank.importing.list_workbook import Kind, ListColumn, write_list

Item = dict[str, Any]
Value = Callable[[Item], Any]

PAGE_ROWS = 30
_NUMBERS = ("whole", "hours", "yuan")
_LARGEST_FIRST = (*_NUMBERS, "day", "moment")
"""What one looks for from the upper end: much, and lately."""

FilterKind = Literal["choice", "month", "day", "text", "kept"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``sort`` is what the operation calls it where a list may be sorted by it.

    ``link`` leads on from a cell, ``note`` stands small beneath it on the screen, where ``shows`` may say the value in
    words. ``on`` says where the column stands: what a screen says in one cell is taken apart for the workbook.
    """

    heading: str
    value: Value
    kind: Kind = "text"
    sort: str = ""
    link: Callable[[Item], str | None] | None = None
    note: Value | None = None
    shows: Callable[[Item], str] | None = None
    on: Literal["both", "screen", "sheet"] = "both"
    width: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """A field over the table; ``options`` are pairs of value and name. One that is ``kept`` is chosen elsewhere.

    ``usual`` is asked for where the address says nothing, of lists that always have one.
    """

    name: str
    label: str
    options: Sequence[tuple[Any, str]] = ()
    kind: FilterKind = "choice"
    unset: str = "全部"
    usual: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A list of the desk. ``name`` is one of those that may be exported; ``asks`` is the operation behind it.

    ``whole`` gives the items of a list that its operation answers in one piece; it is then sorted here. ``query`` is
    asked with whatever is filtered; ``path`` is the operation's own. ``empty`` is said of an empty list, with where to
    go on and its name. ``at`` is the address of its page where that is not the one that is open.
    """

    name: str
    asks: str
    columns: Sequence[Column]
    empty: tuple[str, str, str]
    filters: Sequence[Filter] = ()
    query: Mapping[str, Any] = field(default_factory=dict)
    path: Mapping[str, Any] = field(default_factory=dict)
    whole: Callable[[dict[str, str]], list[Item]] | None = None
    at: str = ""

    @property
    def title(self) -> str:
        """What the list is called."""
        return EXPORTED[self.name]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the page: the address that sorts by it, and how the table is sorted by it now."""

    text: str
    number: bool
    address: str = ""
    sorted: Literal["ascending", "descending", ""] = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the page."""

    label: str
    text: str
    number: bool
    link: str | None
    note: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One page of a table, ready to be drawn; ``narrowed`` where it would hold more under no filter."""

    title: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    filters: Sequence[Filter]
    asked: Mapping[str, str]
    narrowed: bool
    sort: str
    total: str
    first: str
    following: str
    workbook: str
    empty: tuple[str, str, str]


DAYS = (Filter("since", "从哪一天", kind="day"), Filter("until", "到哪一天", kind="day"))


def said(name: str) -> Value:
    """What an item says under this name."""
    return lambda item: item[name]


def township_filter(ask: Asker) -> tuple[Filter, ...]:
    """The choice of a township, for whoever sees more than one."""
    if ask.actor.township_code:
        return ()
    return (Filter("township_code", "镇街", list(lists.township_names(ask).items())),)


def is_workbook() -> bool:
    """Whether the workbook of a table is asked for, not its page."""
    return request.path.endswith(".xlsx")


def table_page(ask: Asker, table: Table, template: str = "desk/table.html", **more: Any) -> Response:
    """The page of a table; where its address ends in ``.xlsx`` the workbook."""
    if is_workbook():
        return _workbook(ask, table)
    return screen(template, ask.actor, table=shown(ask, table), **more)


def list_page(doors: Blueprint, rule: str) -> Callable[[View], View]:
    """Register a view that returns a ``table_page`` as a page of the desk, and as its workbook."""

    def decorate(view: View) -> View:
        page(doors, rule, who="desk")(view)

        def as_workbook(ask: Asker, **path: Any) -> Any:
            return view(ask, **path)

        as_workbook.__name__ = f"{view.__name__}_workbook"
        page(doors, f"{rule}.xlsx", who="desk")(as_workbook)
        return view

    return decorate


def shown(ask: Asker, table: Table) -> Shown:
    """The page of a table that the address asks for. Raises ValidationError where it asks for nothing there is."""
    asked, sort, cursor = _asked(table), _sort(table), request.args.get("cursor")
    if table.whole is not None:
        items, following = _whole(table, asked, sort), None
        total: int | None = len(items)
    else:
        wanted = {**table.query, **asked, "sort": sort, "limit": PAGE_ROWS, "count": "true", "cursor": cursor}
        found = ask.read(table.asks, wanted, **table.path)
        items, following, total = found["items"], found["next_cursor"], found["total"]
    columns = [column for column in table.columns if column.on != "sheet"]
    kept = {**asked, **({"sort": sort} if sort else {})}
    return Shown(
        title=table.title,
        headings=[_heading(table, column, asked, sort or _usual(table)) for column in columns],
        rows=[[_cell(column, item) for column in columns] for item in items],
        filters=table.filters,
        asked=asked,
        narrowed=any(one.name in asked and not one.usual for one in table.filters),
        sort=sort,
        total=f"{total:,}" if total is not None else f"{MOST_COUNTED:,} 以上",
        first=f"{table.at}?{urlencode(kept)}" if cursor else "",
        following=f"{table.at}?{urlencode({**kept, 'cursor': following})}" if following else "",
        workbook=f"{table.at or request.path}.xlsx?{urlencode(kept)}",
        empty=table.empty,
    )


def _workbook(ask: Asker, table: Table) -> Response:
    """All rows of a table as a file, by the same filters and in the same order; that it was taken is written down."""
    asked, sort = _asked(table), _sort(table)
    wanted = {**table.query, **asked, "sort": sort}
    if table.whole is not None:
        whole = _whole(table, asked, sort)
        items: Iterable[Item] = whole
        total: int | None = len(whole)
    else:
        total = ask.read(table.asks, {**wanted, "limit": 1, "count": "true"}, **table.path)["total"]
        items = ask.every_item(table.asks, wanted, **table.path)
    filters = urlencode({**table.path, **table.query, **asked, "sort": sort or _usual(table)})
    body = {"name": table.name, "rows": NOTHING if total is None else total, "filters": filters}
    noted = ask.write("exports.note", body, key=str(uuid4()))
    if isinstance(noted, Refusal):
        return screen("refused.html", ask.actor, status=422, title=noted.title, detail=noted.title)
    columns = [column for column in table.columns if column.on != "screen"]
    headings = [ListColumn(column.heading, column.kind, column.width) for column in columns]
    rows = ([_raw(column, item) for column in columns] for item in items)
    facts = _facts(table, asked, sort or _usual(table), total, noted)
    day = noted["exported_at"][:10]
    sent = workbook_sent(
        partial(write_list, title=table.title, columns=headings, rows=rows, facts=facts),
        plain=f"{table.name.replace('_', '-')}-{day}",
        named=f"{table.title}{day}",
    )
    return sent_response(200, sent, XLSX)


def _asked(table: Table) -> dict[str, str]:
    usual = {one.name: one.usual for one in table.filters if one.usual}
    return {**usual, **lists.asked(*(one.name for one in table.filters))}


def _sort(table: Table) -> str:
    """How the address wants it sorted; a list that is had whole is checked here, any other by its operation."""
    sort = request.args.get("sort", "").strip()
    if table.whole is not None and sort and sort.removeprefix("-") not in {one.sort for one in table.columns}:
        raise ValidationError({"sort": ["只能按表头排列"]})
    return sort


def _usual(table: Table) -> str:
    schema = OFFERED[table.asks].query
    field_ = schema().fields.get("sort") if schema is not None else None
    return field_.usual if isinstance(field_, Sort) else ""


def _whole(table: Table, asked: dict[str, str], sort: str) -> list[Item]:
    assert table.whole is not None
    items = table.whole(asked)
    column = next((one for one in table.columns if one.sort and one.sort == sort.removeprefix("-")), None)
    if column is None:
        return items
    filled = [one for one in items if column.value(one) is not None]
    filled.sort(key=lambda one: _key(column.value(one)), reverse=sort.startswith("-"))
    return [*filled, *(one for one in items if column.value(one) is None)]


def _key(value: Any) -> Any:
    return pinyin_key(value) if isinstance(value, str) else value


def _heading(table: Table, column: Column, asked: Mapping[str, str], sort: str) -> Heading:
    number = column.kind in _NUMBERS
    if not column.sort:
        return Heading(column.heading, number)
    first = f"-{column.sort}" if column.kind in _LARGEST_FIRST else column.sort
    if sort.removeprefix("-") != column.sort:
        return Heading(column.heading, number, f"{table.at}?{urlencode({**asked, 'sort': first})}")
    turned = column.sort if sort.startswith("-") else f"-{column.sort}"
    how: Literal["ascending", "descending"] = "descending" if sort.startswith("-") else "ascending"
    return Heading(column.heading, number, f"{table.at}?{urlencode({**asked, 'sort': turned})}", how)


def _cell(column: Column, item: Item) -> Cell:
    return Cell(
        column.heading,
        column.shows(item) if column.shows else _text(column.kind, column.value(item)),
        column.kind in _NUMBERS,
        column.link(item) if column.link else None,
        column.note(item) if column.note else "",
    )


def _text(kind: Kind, value: Any) -> str:
    if value is None or value == "":
        return "—"
    writes: dict[Kind, Callable[[Any], str]] = {
        "hours": hours_text,
        "yuan": yuan_text,
        "moment": moment_text,
        "day": day_text,
        "whole": "{:,}".format,
    }
    return writes.get(kind, str)(value)


def _raw(column: Column, item: Item) -> Any:
    """A value as the workbook holds it: what JSON writes as text becomes a day or a moment again."""
    value = column.value(item)
    if not isinstance(value, str) or not value:
        return value
    if column.kind == "day":
        return date.fromisoformat(value)
    return datetime.fromisoformat(value) if column.kind == "moment" else value


def _facts(
    table: Table, asked: Mapping[str, str], sort: str, total: int | None, noted: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """What stands beside the list: who took it, when, and what it holds."""
    sorted_by = next((one.heading for one in table.columns if one.sort and one.sort == sort.removeprefix("-")), "先后")
    return [
        ("名单", table.title),
        ("行数", str(total)),
        ("导出人", noted["exported_by_name"]),
        ("导出时间", moment_text(noted["exported_at"])),
        ("留痕编号", str(noted["export_number"])),
        *((one.label, _named(one, asked[one.name])) for one in table.filters if one.name in asked),
        ("排列", f"{sorted_by}，{'从后往前、从大到小' if sort.startswith('-') else '从前往后、从小到大'}；空的在最后"),
    ]


def _named(one: Filter, value: str) -> str:
    return next((name for code, name in one.options if str(code) == value), value)
