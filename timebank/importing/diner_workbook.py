"""A workbook of diners 用餐对象表: its rows, tidied cell by cell, and the empty form that offices fill in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import xlsxwriter

from timebank.importing.cells import read_id_number, read_name
from timebank.importing.headings import COLUMNS, DINERS
from timebank.importing.package import checked_package, read_package
from timebank.importing.sheets import read_table
from timebank.importing.workbook import RowReader, find_sheet, moved_day, parsed_workbook

_WIDE = {"id_number": 22, "delivery_address": 32, "household_id_number": 22}


@dataclass(frozen=True, slots=True)
class DinerRow:
    """A row of 用餐对象, words still; ``cells`` are its values as they stood."""

    row: int
    cells: tuple[object, ...]
    name: str
    id_number: str
    phone: object
    township: str
    village: str
    diet_form: str
    allergies: str
    religious_diet: str
    categories: str
    valid_from: object
    valid_until: object
    evidence: str
    canteen: str
    delivery_address: str
    delivery_note: str
    household_id_number: str


@dataclass(frozen=True, slots=True)
class DinerWorkbook:
    """What an office sent: the file's name and SHA-256 (hex), its rows, and the headings as they stood."""

    name: str
    sha256: str
    diners: tuple[DinerRow, ...]
    headings: Mapping[str, tuple[str, ...]]

    @property
    def sheets(self) -> Mapping[str, tuple[DinerRow, ...]]:
        """The rows by the name of their sheet."""
        return {DINERS: self.diners}


def open_diner_workbook(path: Path) -> DinerWorkbook:
    """Read the file at ``path``. Raises WorkbookUnreadable as ``read_diner_workbook``, and ``workbook_missing``."""
    return _read(read_package(path), path.name)


def read_diner_workbook(content: bytes, *, name: str) -> DinerWorkbook:
    """Read a file that was sent.

    Raises WorkbookUnreadable: workbook_not_excel, workbook_encrypted, workbook_damaged, workbook_too_large,
    sheet_missing, column_missing.
    """
    return _read(checked_package(content), name)


def diner_form() -> bytes:
    """The empty form 模板: every column in its order, identity numbers and phones as text so that no digit is lost."""
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        page = book.add_worksheet(DINERS)
        heading = book.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1, "text_wrap": True})
        text = book.add_format({"num_format": "@"})
        for place, column in enumerate(one for one in COLUMNS[DINERS] if one.field != "number"):
            page.set_column(place, place, _WIDE.get(column.field, 12), text)
            page.write_string(0, place, column.label, heading)
        page.freeze_panes(1, 0)
    return file.getvalue()


def _read(content: bytes, name: str) -> DinerWorkbook:
    with parsed_workbook(content) as (parsed, lag_days):
        table = read_table(DINERS, find_sheet(parsed, DINERS))
    return DinerWorkbook(
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        diners=tuple(_diner(RowReader(table, *row), lag_days) for row in table.rows),
        headings={DINERS: table.heading.titles},
    )


def _diner(row: RowReader, lag_days: int) -> DinerRow:
    return DinerRow(
        row=row.row,
        cells=row.cells,
        name=read_name(row.value("name")),
        id_number=read_id_number(row.value("id_number")),
        phone=row.value("phone"),
        township=row.text("township"),
        village=row.text("village"),
        diet_form=row.text("diet_form"),
        allergies=row.text("allergies"),
        religious_diet=row.text("religious_diet"),
        categories=row.text("categories"),
        valid_from=moved_day(row.value("valid_from"), lag_days),
        valid_until=moved_day(row.value("valid_until"), lag_days),
        evidence=row.text("evidence"),
        canteen=row.text("canteen"),
        delivery_address=row.text("delivery_address"),
        delivery_note=row.text("delivery_note"),
        household_id_number=read_id_number(row.value("household_id_number")),
    )
