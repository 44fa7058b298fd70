"""A list as a workbook that an office goes on reckoning with: amounts are numbers, days and moments are dates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, BinaryIO, Literal

from timebank.importing.office_workbook import headed_sheet, office_workbook
from timebank.importing.statement_pen import Pen, set_columns

Kind = Literal["text", "whole", "hours", "yuan", "day", "moment"]
"""What a column holds: minutes are written as ``hours``, fen as ``yuan``."""

UNIT_OF_HEADING = {"hours": "（小时）", "yuan": "（元）"}
_WIDTHS: dict[Kind, int] = {"text": 20, "whole": 10, "hours": 14, "yuan": 14, "day": 13, "moment": 18}
_MINUTES_PER_HOUR = 60


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column: its heading, what it holds, and how many half-width characters wide it is."""

    heading: str
    kind: Kind
    width: int | None = None


def write_list(
    file: BinaryIO,
    title: str,
    columns: Sequence[ListColumn],
    rows: Iterable[Sequence[Any]],
    facts: Iterable[tuple[str, str]],
) -> None:
    """Write a workbook to ``file``: the list under a heading that stays in sight, and 说明 about it.

    Values are text, whole numbers (minutes for ``hours``, fen for ``yuan``), dates, datetimes, or None for nothing.
    Rows are taken one by one and never held together.
    """
    with office_workbook(file, title, constant_memory=True) as (book, styles):
        more = {"border": 1, "valign": "vcenter"}
        styles["day"] = book.add_format({**more, "num_format": "yyyy-mm-dd", "align": "left"})
        styles["decimal"] = book.add_format({**more, "num_format": "#,##0.00"})
        sheet = headed_sheet(book, title, title)
        pen = Pen(sheet, styles)
        headings = [
            (one.heading + UNIT_OF_HEADING.get(one.kind, ""), one.width or _WIDTHS[one.kind]) for one in columns
        ]
        pen.headings(*set_columns(sheet, headings))
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        for row in rows:
            pen.next_row()
            for place, (column, value) in enumerate(zip(columns, row, strict=True)):
                _write(pen, place, column.kind, value)
        sheet.autofilter(0, 0, max(pen.row, 1), len(columns) - 1)
        _write_facts(headed_sheet(book, "说明", title), styles, facts)


def _write(pen: Pen, place: int, kind: Kind, value: Any) -> None:
    if value is None or value == "":
        pen.text(place, None)
    elif kind == "whole":
        pen.whole(place, value)
    elif kind == "yuan":
        pen.yuan(place, value)
    elif kind == "hours":
        pen.sheet.write_number(pen.row, place, value / _MINUTES_PER_HOUR, pen.styles["decimal"])
    elif isinstance(value, datetime):
        pen.moment(place, value)
    elif isinstance(value, date):
        pen.sheet.write_datetime(pen.row, place, value, pen.styles["day"])
    else:
        pen.text(place, str(value))


def _write_facts(sheet: Any, styles: dict[str, Any], facts: Iterable[tuple[str, str]]) -> None:
    pen = Pen(sheet, styles)
    set_columns(sheet, (("", 14), ("", 60)))
    for label, said in facts:
        pen.text(0, label, "label")
        pen.text(1, said)
        pen.next_row()
