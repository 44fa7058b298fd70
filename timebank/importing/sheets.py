"""One sheet as a table 工作表: its heading, and the rows under it that say something."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from defusedxml.ElementTree import iterparse
from openpyxl.utils import range_boundaries

from timebank.importing.cells import read_text
from timebank.importing.headings import Heading, NumberedRow, find_heading
from timebank.importing.package import too_large
from timebank.people.widths import half_width, without_blanks

MAX_ROWS = 20_000
MAX_COLUMNS = 64
_LAST_ROW = 1_048_576

_TITLE_YEAR = re.compile(r"(20[0-9]{2})年")
_TOTALS = re.compile(r"(?:本页|本月|全月|本表)?(?:合计|总计|小计|共计|累计|总数)")
_FOOTER = re.compile(
    r"(?:(?:制表|填表|填报|审核|复核|经办|负责|记录|联系)(?:人|单位|日期|时间)?(?:签字|签名|\(.*\))*|备注|说明|注):"
)
_ID_LIKE = re.compile(r"[0-9X]{12,}", re.IGNORECASE)

Merge = tuple[int, int, int, int]  # first column, first row, last column, last row, counted from 1


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one sheet under its heading, and the year that the titles above it name, if they name one."""

    name: str
    heading: Heading
    rows: tuple[NumberedRow, ...]
    title_year: int | None


def read_table(name: str, sheet: Any) -> Table:
    """Read a sheet (openpyxl's, read-only) that is called ``name``.

    Raises WorkbookUnreadable: workbook_too_large, column_missing.
    """
    rows = _said_rows(name, sheet)
    merges = _merges(sheet)
    heading = find_heading(name, rows)
    above = [cells for row, cells in rows if row < heading.row]
    body = [(row, cells) for row, cells in rows if row > heading.row and _is_entry(cells, heading)]
    return Table(name, heading, tuple(_fill_down(body, rows, merges, heading.row)), _title_year(above))


def _said_rows(name: str, sheet: Any) -> list[NumberedRow]:
    # Bounds of our own, because the dimension that a file declares may be wrong.
    rows: list[NumberedRow] = []
    found = sheet.iter_rows(max_row=_LAST_ROW, max_col=MAX_COLUMNS, values_only=True)
    for row, cells in enumerate(found, start=1):
        if all(cell is None or read_text(cell) == "" for cell in cells):
            continue
        if len(rows) == MAX_ROWS:
            raise too_large(f"工作表“{name}”超过 {MAX_ROWS} 行")
        width = max(index for index, cell in enumerate(cells) if cell is not None) + 1
        rows.append((row, tuple(cells[:width])))
    return rows


def _merges(sheet: Any) -> list[Merge]:
    # Read-only sheets do not tell their merged cells; they stand behind the rows in the same part.
    merges: list[Merge] = []
    with sheet._get_source() as source:
        for _, element in iterparse(source):
            if element.tag.endswith("}mergeCell"):
                merges.append(range_boundaries(element.get("ref", "")))  # type: ignore[arg-type]
            element.clear()
    return merges


def _is_entry(cells: Sequence[object], heading: Heading) -> bool:
    """Whether a row is somebody's: not blank but for its number, not totals, not a signature, not the heading again."""
    number = heading.places.get("number")
    texts = [read_text(cell) for cell in cells]
    told = [text for index, text in enumerate(texts) if text and index != number]
    if not told or tuple(texts) == heading.titles[: len(texts)]:
        return False
    ids = [place for field, place in heading.places.items() if field.endswith("id_number") and place < len(texts)]
    if any(_ID_LIKE.search(without_blanks(half_width(texts[place]))) for place in ids):
        return True
    first = [without_blanks(half_width(text)) for text in texts if text][:3]
    return not any(_TOTALS.match(text) or _FOOTER.match(text) for text in first)


def _fill_down(
    body: Sequence[NumberedRow], rows: Sequence[NumberedRow], merges: Sequence[Merge], heading_row: int
) -> Iterator[NumberedRow]:
    """A cell merged over several rows stands for each of them; the file keeps it in the first only."""
    tall = sorted((row, last, column - 1) for column, row, _, last in merges if last > row > heading_row)
    if not tall:
        yield from body
        return
    anchors = dict(rows)
    waiting = iter([*tall, (_LAST_ROW + 1, _LAST_ROW + 1, 0)])
    coming = next(waiting)
    open_merges: dict[int, tuple[int, object]] = {}
    for row, cells in body:
        while coming[0] <= row:
            first, last, column = coming
            anchor = anchors.get(first, ())
            open_merges[column] = (last, anchor[column] if column < len(anchor) else None)
            coming = next(waiting)
        filled = list(cells)
        for column, (last, value) in open_merges.items():
            if row <= last and column < MAX_COLUMNS:
                filled.extend([None] * (column + 1 - len(filled)))
                filled[column] = value if filled[column] is None else filled[column]
        yield row, tuple(filled)


def _title_year(above: Sequence[Sequence[object]]) -> int | None:
    texts = (half_width(read_text(cell)) for cells in above for cell in cells)
    years = {int(year) for text in texts for year in _TITLE_YEAR.findall(text)}
    return years.pop() if len(years) == 1 else None
