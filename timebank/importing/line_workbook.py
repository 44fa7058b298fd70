"""A township's own list of lines 往来清单: which sheet it is, its rows, and those that nobody can read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from timebank.clearing.township_lists import ListedLine
from timebank.importing.cells import read_day, read_id_number, read_name
from timebank.importing.headings import LINES
from timebank.importing.line_cells import OWED_BY_US, read_direction, read_hours, read_minutes, read_transfer_id
from timebank.importing.package import WorkbookUnreadable, checked_package
from timebank.importing.rules import Townships
from timebank.importing.sheets import Table, read_table
from timebank.importing.workbook import moved_day, parsed_workbook
from timebank.people import id_numbers

UNREADABLE = {
    "day_unreadable": "日期无法识别",
    "minutes_unreadable": "分钟数或时长无法识别，须为整分钟且不为零",
    "direction_unreadable": "没有写明应收或应付，或与正负号相反",
    "counterpart_unknown": "对方镇街无法识别，请写奉化区内镇街的名称",
    "id_number_invalid": "身份证号有误：应为 18 位，出生日期真实，校验码相符",
}
"""Why a row cannot be matched, by code."""


@dataclass(frozen=True, slots=True)
class LineWorkbook:
    """What a township handed in: the file's SHA-256, its lines, and row number and reason of what is none."""

    sha256: bytes
    lines: Sequence[ListedLine]
    unreadable: Sequence[tuple[int, str]]


class _Unreadable(ValueError):
    """A row that cannot be matched, by the code of the reason."""


def read_line_workbook(content: bytes, *, townships: Townships, today: date) -> LineWorkbook:
    """Read the list in ``content``: the first sheet with a column for the day and one for minutes or hours.

    Minutes are positive where they are owed to the township, by their sign or by a column 应收/应付. ``today`` bounds
    birth dates. Raises WorkbookUnreadable: workbook_not_excel, workbook_encrypted, workbook_damaged,
    workbook_too_large, column_missing.
    """
    with parsed_workbook(checked_package(content)) as (parsed, lag_days):
        table = _table_of(parsed)
    lines: list[ListedLine] = []
    unreadable: list[tuple[int, str]] = []
    for number, cells in table.rows:
        try:
            lines.append(_line(_Cells(table, cells), number, lag_days, townships, today))
        except _Unreadable as reason:
            unreadable.append((number, str(reason)))
    return LineWorkbook(hashlib.sha256(content).digest(), lines, unreadable)


def _table_of(parsed: Any) -> Table:
    refusal: WorkbookUnreadable | None = None
    for sheet in _likely_first(parsed.worksheets):
        try:
            return read_table(LINES, sheet)
        except WorkbookUnreadable as unreadable:
            if unreadable.code != "column_missing":
                raise
            refusal = refusal or _column_missing(sheet.title, unreadable.facts["column"])
    raise refusal or _column_missing(LINES, "日期")


def _likely_first(sheets: Sequence[Any]) -> Iterator[Any]:
    # A hidden sheet is an older copy more often than not; a workbook with many calls this one 明细.
    yield from sorted(sheets, key=lambda sheet: (sheet.sheet_state != "visible", "明细" not in sheet.title))


def _column_missing(sheet: str, column: str) -> WorkbookUnreadable:
    return WorkbookUnreadable(
        "column_missing", f"工作表“{sheet}”缺少“{column}”列，请补上这一列的表头后再上传。", sheet=sheet, column=column
    )


class _Cells:
    """One row, read by field."""

    def __init__(self, table: Table, cells: tuple[object, ...]) -> None:
        self._places, self._cells, self.title_year = table.heading.places, cells, table.title_year

    def has(self, field: str) -> bool:
        return field in self._places

    def value(self, field: str) -> object:
        place = self._places.get(field)
        return self._cells[place] if place is not None and place < len(self._cells) else None


def _line(cells: _Cells, number: int, lag_days: int, townships: Townships, today: date) -> ListedLine:
    return ListedLine(
        row=number,
        day=_day(cells, lag_days),
        minutes=_minutes(cells),
        transfer_id=read_transfer_id(cells.value("transfer_id")),
        counterpart=_counterpart(cells, townships),
        id_number=_id_number(cells, today),
        name=read_name(cells.value("name")),
    )


def _day(cells: _Cells, lag_days: int) -> date:
    try:
        told = cells.value("day" if cells.has("day") else "moment")
        return read_day(moved_day(told, lag_days), default_year=cells.title_year)
    except ValueError:
        raise _Unreadable("day_unreadable") from None


def _minutes(cells: _Cells) -> int:
    try:
        minutes = read_minutes(cells.value("minutes")) if cells.has("minutes") else read_hours(cells.value("hours"))
    except ValueError:
        raise _Unreadable("minutes_unreadable") from None
    if not cells.has("direction"):
        return minutes
    try:
        direction = read_direction(cells.value("direction"))
    except ValueError:
        raise _Unreadable("direction_unreadable") from None
    if minutes < 0 and direction != OWED_BY_US:
        raise _Unreadable("direction_unreadable")
    return direction * abs(minutes)


def _counterpart(cells: _Cells, townships: Townships) -> str | None:
    words = str(cells.value("counterpart") or "")
    if not words.strip():
        return None
    code = townships.code_of(words)
    if code is None:
        raise _Unreadable("counterpart_unknown")
    return code


def _id_number(cells: _Cells, today: date) -> str | None:
    tidied = read_id_number(cells.value("id_number"))
    # Printed lists carry stars instead of digits: they say no more than the name does.
    if not tidied or "*" in tidied:
        return None
    try:
        return id_numbers.parse(tidied, today=today).value
    except ValueError:
        raise _Unreadable("id_number_invalid") from None
