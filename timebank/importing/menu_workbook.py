"""A week's menu as a workbook 菜单工作簿: reading one that an office filled in, and the empty one to be filled in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import xlsxwriter

from timebank.canteens.pricing.rules import DIET_FORM_NAMES, MEAL_NAMES
from timebank.importing.headings import COLUMNS, MENU
from timebank.importing.menu_rows import MenuRow, Words
from timebank.importing.package import checked_package
from timebank.importing.sheets import read_table
from timebank.importing.workbook import RowReader, find_sheet, moved_day, parsed_workbook

_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
_EXPLAINED = "填写说明"
_LAST_ROW = 600


@dataclass(frozen=True, slots=True)
class MenuWorkbook:
    """What an office sent: the file's name and SHA-256 (hex), its rows, and the headings as they stood."""

    name: str
    sha256: str
    rows: tuple[MenuRow, ...]
    titles: tuple[str, ...]

    @property
    def sheets(self) -> Mapping[str, Sequence[MenuRow]]:
        """The rows by the name of their sheet."""
        return {MENU: self.rows}

    @property
    def headings(self) -> Mapping[str, tuple[str, ...]]:
        """The headings by the name of their sheet."""
        return {MENU: self.titles}


def read_menu_workbook(content: bytes, *, name: str) -> MenuWorkbook:
    """Read the sheet 菜单 of the file called ``name``.

    Raises WorkbookUnreadable: workbook_not_excel, workbook_encrypted, workbook_damaged, workbook_too_large,
    sheet_missing, column_missing.
    """
    with parsed_workbook(checked_package(content)) as (parsed, lag_days):
        table = read_table(MENU, find_sheet(parsed, MENU))
    rows = tuple(_row(RowReader(table, *row), lag_days) for row in table.rows)
    return MenuWorkbook(name, hashlib.sha256(content).hexdigest(), rows, table.heading.titles)


def write_menu_template(file: BinaryIO, *, words: Words) -> None:
    """Write an empty workbook with the headings, lists to choose from, and how each column is filled in."""
    book = xlsxwriter.Workbook(file, _OPTIONS)
    page = book.add_worksheet(MENU)
    bold = book.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1})
    columns = [column for column in COLUMNS[MENU] if column.field != "number"]
    for place, column in enumerate(columns):
        page.write_string(0, place, column.label, bold)
    page.freeze_panes(1, 0)
    page.set_column(0, len(columns) - 1, 16)
    page.set_column(0, 0, 14, book.add_format({"num_format": "yyyy-mm-dd"}))
    choices = {"meal": list(MEAL_NAMES.values()), "love_meal": ["是", "否"]}
    for place, column in enumerate(columns):
        if column.field in choices:
            page.data_validation(1, place, _LAST_ROW, place, {"validate": "list", "source": choices[column.field]})
    _explain(book, words)
    book.close()


def _explain(book: Any, words: Words) -> None:
    page = book.add_worksheet(_EXPLAINED)
    said = (
        ("日期", "这一周内的一天，如 2026-11-23"),
        ("餐次", "、".join(MEAL_NAMES.values())),
        ("单价（元）", "如 8 或 8.50；爱心餐不得超过限价"),
        ("爱心餐", "是或否；留空为否"),
        ("形态", "可做成的形态，多种以顿号分开：" + "、".join(DIET_FORM_NAMES.values()) + "；留空为普通"),
        ("标签", "多种以顿号分开：" + "、".join(words.diet_tags)),
        ("过敏原", "含有的都要写，多种以顿号分开：" + "、".join(words.allergens)),
        ("限量", "这一餐最多供应的份数；留空为不限"),
    )
    for line, (heading, text) in enumerate(said):
        page.write_string(line, 0, heading)
        page.write_string(line, 1, text)
    page.set_column(0, 0, 14)
    page.set_column(1, 1, 80)


def _row(row: RowReader, lag_days: int) -> MenuRow:
    texts = ("meal", "name", "portion", "diet_forms", "diet_tags", "allergens", "sources")
    return MenuRow(
        row=row.row,
        cells=row.cells,
        day=moved_day(row.value("day"), lag_days),
        title_year=row.table.title_year,
        price=row.value("price"),
        love_meal=row.value("love_meal"),
        limit=row.value("limit"),
        **{field: row.text(field) for field in texts},
    )
