"""An office's workbook 工作簿: the three sheets as rows, tidied cell by cell but not yet judged."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.datetime import MAC_EPOCH

from timebank.importing.cells import read_id_number, read_name, read_text
from timebank.importing.headings import ELDERS, RECORDS, VOLUNTEERS
from timebank.importing.package import WorkbookUnreadable, checked_package, damaged, read_package
from timebank.importing.rows import ElderRow, RecordRow, VolunteerRow
from timebank.importing.sheets import Table, read_table
from timebank.people.widths import half_width, without_blanks

__all__ = ["ElderRow", "OfficeWorkbook", "RecordRow", "VolunteerRow", "WorkbookUnreadable", "open_workbook"]

# Serial numbers of workbooks that count days from 1904 lag behind by this much.
_MAC_LAG_DAYS = 1462


@dataclass(frozen=True, slots=True)
class OfficeWorkbook:
    """What an office sent: the file's name and SHA-256 (hex), its rows, and each sheet's headings as they stood."""

    name: str
    sha256: str
    volunteers: tuple[VolunteerRow, ...]
    elders: tuple[ElderRow, ...]
    records: tuple[RecordRow, ...]
    headings: Mapping[str, tuple[str, ...]]

    @property
    def sheets(self) -> Mapping[str, tuple[VolunteerRow, ...] | tuple[ElderRow, ...] | tuple[RecordRow, ...]]:
        """The rows by the name of their sheet, in the order of judgement."""
        return {VOLUNTEERS: self.volunteers, ELDERS: self.elders, RECORDS: self.records}


def open_workbook(path: Path) -> OfficeWorkbook:
    """Read the file at ``path``.

    Raises WorkbookUnreadable with one of the codes workbook_missing, workbook_not_excel, workbook_encrypted,
    workbook_damaged, workbook_too_large, sheet_missing, column_missing.
    """
    return _read(read_package(path), path.name)


def read_workbook(content: bytes, *, name: str) -> OfficeWorkbook:
    """Read a file that was sent. Raises WorkbookUnreadable as ``open_workbook``, but for ``workbook_missing``."""
    return _read(checked_package(content), name)


def _read(content: bytes, name: str) -> OfficeWorkbook:
    with parsed_workbook(content) as (parsed, lag_days):
        sheets = {name: find_sheet(parsed, name) for name in (VOLUNTEERS, ELDERS, RECORDS)}
        tables = {name: read_table(name, sheet) for name, sheet in sheets.items()}
    return OfficeWorkbook(
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        volunteers=tuple(_volunteer(RowReader(tables[VOLUNTEERS], *row)) for row in tables[VOLUNTEERS].rows),
        elders=tuple(_elder(RowReader(tables[ELDERS], *row)) for row in tables[ELDERS].rows),
        records=tuple(_record(RowReader(tables[RECORDS], *row), lag_days) for row in tables[RECORDS].rows),
        headings={name: table.heading.titles for name, table in tables.items()},
    )


@contextmanager
def parsed_workbook(content: bytes) -> Iterator[tuple[Any, int]]:
    """openpyxl's workbook, for reading, and by how many days its bare serial numbers lag behind.

    ``content`` has been checked (see ``package``). Raises WorkbookUnreadable ``workbook_damaged``, also where the
    parser fails within the block.
    """
    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and extensions that it leaves out; they carry no values.
            warnings.simplefilter("ignore", UserWarning)
            parsed = openpyxl.load_workbook(BytesIO(content), read_only=True, data_only=True, keep_links=False)
            try:
                yield parsed, _MAC_LAG_DAYS if parsed.epoch == MAC_EPOCH else 0
            finally:
                parsed.close()
    except WorkbookUnreadable:
        raise
    except Exception as error:  # the parser's failures on an altered file have no common root
        raise damaged() from error


def find_sheet(parsed: Any, name: str) -> Any:
    """The sheet of this name. Raises WorkbookUnreadable ``sheet_missing``."""
    same = [sheet for sheet in parsed.worksheets if without_blanks(half_width(sheet.title)) == name]
    if not same:
        raise WorkbookUnreadable("sheet_missing", f"工作簿缺少工作表“{name}”，请补上后再导入。", sheet=name)
    # A hidden sheet of the same name is an older copy more often than not.
    return min(same, key=lambda sheet: (sheet.sheet_state != "visible", sheet.title != name))


class RowReader:
    """One row, read by field."""

    def __init__(self, table: Table, row: int, cells: tuple[object, ...]) -> None:
        self.table, self.row, self.cells = table, row, cells

    def value(self, field: str) -> object:
        """The cell as it stands; None where the sheet has no such column."""
        place = self.table.heading.places.get(field)
        return self.cells[place] if place is not None and place < len(self.cells) else None

    def text(self, field: str) -> str:
        """The cell as tidied text."""
        return read_text(self.value(field))


def _volunteer(row: RowReader) -> VolunteerRow:
    return VolunteerRow(
        row=row.row,
        cells=row.cells,
        name=read_name(row.value("name")),
        id_number=read_id_number(row.value("id_number")),
        phone=row.value("phone"),
        township=row.text("township"),
        skills=row.text("skills"),
    )


def _elder(row: RowReader) -> ElderRow:
    return ElderRow(
        row=row.row,
        cells=row.cells,
        name=read_name(row.value("name")),
        id_number=read_id_number(row.value("id_number")),
        phone=row.value("phone"),
        township=row.text("township"),
        village=row.text("village"),
        ability=row.text("ability"),
        circumstances=row.text("circumstances"),
    )


def _record(row: RowReader, lag_days: int) -> RecordRow:
    span = row.value("span")
    if "span" not in row.table.heading.places:
        span = (row.value("start"), row.value("end"))
    return RecordRow(
        row=row.row,
        cells=row.cells,
        day=moved_day(row.value("day"), lag_days),
        title_year=row.table.title_year,
        span=span,
        volunteer_name=read_name(row.value("volunteer_name")),
        volunteer_id_number=read_id_number(row.value("volunteer_id_number")),
        elder_name=read_name(row.value("elder_name")),
        elder_id_number=read_id_number(row.value("elder_id_number")),
        content=row.text("content"),
        recorder=row.text("recorder"),
    )


def moved_day(day: object, lag_days: int) -> object:
    """A day's cell with the lag of its workbook made up for."""
    # Cells formatted as dates are already right; bare serial numbers are not.
    if isinstance(day, bool) or not isinstance(day, int | float):
        return day
    return day + lag_days if 0 < day < 3_000_000 else day
