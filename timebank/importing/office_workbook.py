"""Workbooks that an office prints, signs and keeps: one set of options, one kind of page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import xlsxwriter

from timebank.core import clock
from timebank.importing.statement_pen import Styles, styles_of

PAGE_NUMBERS = "&R第 &P 页，共 &N 页"
_A4 = 9


@contextmanager
def office_workbook(file: BinaryIO, title: str, **options: Any) -> Iterator[tuple[Any, Styles]]:
    """A workbook written to ``file`` when the block ends, with its styles; ``options`` are xlsxwriter's own, besides.

    What is text stays text: nothing becomes a formula, a link or a number by itself.
    """
    with TemporaryDirectory(prefix="timebank-workbook-") as folder:
        own = {
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_format_properties": {"font_name": "宋体", "font_size": 11},
            "tmpdir": folder,
        }
        with xlsxwriter.Workbook(file, {**own, **options}) as book:
            book.set_properties({"title": title, "author": "奉化区时间银行", "created": clock.now()})
            yield book, styles_of(book)


def office_sheet(book: Any, name: str, *, landscape: bool = True) -> Any:
    """A new sheet on A4, one page wide, without gridlines, with page numbers."""
    sheet = book.add_worksheet(name)
    sheet.set_paper(_A4)
    if landscape:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.hide_gridlines(2)
    sheet.set_footer(PAGE_NUMBERS)
    return sheet


def headed_sheet(book: Any, name: str, title: str) -> Any:
    """A sheet as ``office_sheet`` makes it, with the workbook's title at the head of every page."""
    sheet = office_sheet(book, name)
    sheet.set_header(f"&C{title.replace('&', '&&')}")
    return sheet
