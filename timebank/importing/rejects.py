"""The refused rows as a workbook of their own 退回表: as they stood, with the reason beside them.

Corrected and saved, the file can be imported in turn: its sheets and headings are the office's own.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import xlsxwriter

from timebank.importing.cells import read_id_number, read_text
from timebank.importing.rules import REASONS, Rejected

ADDED_HEADINGS = ("原表行号", "退回原因", "原因代码")
_LONGEST_TEXT = 32_767
_SHOWN_DIGITS = 10**11  # longer numbers would be shown as 8.6E+12
_LOST_DIGITS = 10**15
# In memory, because the rows hold identity numbers that must not lie about in a temporary folder.
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}


class ReadRow(Protocol):
    """A row of a sheet as it stood."""

    @property
    def row(self) -> int:
        """Its number in the sheet."""

    @property
    def cells(self) -> tuple[object, ...]:
        """Its values."""


class ReadWorkbook(Protocol):
    """A workbook that was read: its rows and headings by the name of their sheet."""

    @property
    def sheets(self) -> Mapping[str, Sequence[ReadRow]]:
        """The rows."""

    @property
    def headings(self) -> Mapping[str, tuple[str, ...]]:
        """The headings as they stood."""


def write_rejects(
    path: Path,
    workbook: ReadWorkbook,
    rejected: Mapping[str, Sequence[Rejected]],
    reasons: Mapping[str, str] = REASONS,
) -> None:
    """Write the refused rows, by the name of their sheet, to ``path``, all or nothing.

    Each sheet has its headings, the original values (no text ever becomes a formula), the row's number in the
    office's sheet, the reason in Chinese and its code. Raises OSError where ``path`` cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("xb") as file:
            write_rejects_to(file, workbook, rejected, reasons)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_rejects_to(
    file: BinaryIO,
    workbook: ReadWorkbook,
    rejected: Mapping[str, Sequence[Rejected]],
    reasons: Mapping[str, str] = REASONS,
) -> None:
    """Write what ``write_rejects`` writes to an open ``file``."""
    book = xlsxwriter.Workbook(file, _OPTIONS)
    for sheet, rows in workbook.sheets.items():
        originals = {row.row: row.cells for row in rows}
        _write_sheet(book, sheet, workbook.headings[sheet], originals, rejected.get(sheet, ()), reasons)
    book.close()


def _write_sheet(
    book: Any,
    sheet: str,
    titles: Sequence[str],
    originals: Mapping[int, Sequence[object]],
    rejected: Sequence[Rejected],
    reasons: Mapping[str, str],
) -> None:
    page = book.add_worksheet(sheet)
    formats = {name: book.add_format({"num_format": form}) for name, form in _FORMS.items()}
    bold = book.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1, "text_wrap": True})
    width = max([len(titles), *(len(originals[refusal.row]) for refusal in rejected)])
    for column in range(width):
        page.write_string(0, column, titles[column] if column < len(titles) else "", bold)
    for offset, title in enumerate(ADDED_HEADINGS):
        page.write_string(0, width + offset, title, bold)
    for line, refusal in enumerate(rejected, start=1):
        for column, value in enumerate(originals[refusal.row]):
            _write_value(page, line, column, value, formats)
        page.write_number(line, width, refusal.row)
        page.write_string(line, width + 1, reasons[refusal.reason], formats["text"])
        page.write_string(line, width + 2, refusal.reason, formats["text"])
    page.freeze_panes(1, 0)
    page.set_column(0, width - 1, 20)
    page.set_column(width, width, 10)
    page.set_column(width + 1, width + 1, 52)
    page.set_column(width + 2, width + 2, 20)


_FORMS = {"text": "@", "day": "yyyy-mm-dd", "moment": "yyyy-mm-dd hh:mm", "clock": "hh:mm"}


def _write_value(page: Any, line: int, column: int, value: object, formats: Mapping[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        page.write_boolean(line, column, value)
    elif isinstance(value, int | float) and math.isfinite(value) and abs(value) < _SHOWN_DIGITS:
        page.write_number(line, column, value)
    elif isinstance(value, datetime) and value.year >= 1900:
        form = formats["day"] if value.time() == time() else formats["moment"]
        page.write_datetime(line, column, value, form)
    elif isinstance(value, date) and value.year >= 1900:
        page.write_datetime(line, column, value, formats["day"])
    elif isinstance(value, time):
        page.write_datetime(line, column, value, formats["clock"])
    else:
        page.write_string(line, column, _as_text(value), formats["text"])


def _as_text(value: object) -> str:
    if isinstance(value, int | float):
        # Digits that a spreadsheet has lost must not look like an identity number that holds.
        return read_id_number(value) if abs(value) >= _LOST_DIGITS else read_text(value)
    return str(value)[:_LONGEST_TEXT]
