"""Writing cells of a statement's workbook: what is text stays text, minutes are whole, yuan exact, times real dates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from timebank.clearing.queries import StatementView
from timebank.clearing.queries.statement_view import BothWays
from timebank.clearing.statement_words import NO_PRICE, TITLE, grouped_seal, seal_label
from timebank.core.amounts import hours_text
from timebank.core.clock import LOCAL

AMOUNT_HEADINGS = (
    *("应收笔数", "应收分钟", "应收时长", "应收金额（元）"),
    *("应付笔数", "应付分钟", "应付时长", "应付金额（元）"),
    *("净额分钟", "净额时长", "净额（元）"),
)
LONGEST_TEXT = 32_767
_A4 = 9
_LINE_POINTS = 16
_CELL = {"border": 1, "valign": "vcenter"}
_STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 18, "align": "center", "valign": "vcenter"},
    "heading": {**_CELL, "bold": True, "bg_color": "#DDEBF7", "align": "center", "text_wrap": True},
    "label": {**_CELL, "bold": True, "bg_color": "#F2F2F2"},
    "text": {**_CELL, "num_format": "@"},
    "prose": {**_CELL, "num_format": "@", "text_wrap": True},
    "text_total": {**_CELL, "num_format": "@", "bold": True},
    "whole": {**_CELL, "num_format": "#,##0"},
    "whole_total": {**_CELL, "num_format": "#,##0", "bold": True},
    "yuan": {**_CELL, "num_format": "#,##0.00"},
    "yuan_total": {**_CELL, "num_format": "#,##0.00", "bold": True},
    "hours": {**_CELL, "align": "right"},
    "hours_total": {**_CELL, "align": "right", "bold": True},
    "moment": {**_CELL, "num_format": "yyyy-mm-dd hh:mm", "align": "left"},
    "remark": {"text_wrap": True, "valign": "top", "font_size": 10},
}

Styles = dict[str, Any]


def styles_of(book: Any) -> Styles:
    """The styles of one workbook, by name."""
    return {name: book.add_format(style) for name, style in _STYLES.items()}


def set_columns(sheet: Any, columns: Iterable[tuple[str, int]]) -> list[str]:
    """Give a sheet's columns their widths; answers their titles."""
    titles = []
    for place, (title, width) in enumerate(columns):
        sheet.set_column(place, place, width)
        titles.append(title)
    return titles


class Pen:
    """Writes one sheet, row after row; rows that are done are out of memory."""

    def __init__(self, sheet: Any, styles: Styles) -> None:
        self.sheet, self.styles = sheet, styles
        self.row = 0

    def next_row(self, height: int | None = None) -> None:
        """Go on to the row below; ``height`` in points is for that row."""
        self.row += 1
        if height is not None:
            self.sheet.set_row(self.row, height)

    def text(self, column: int, value: str | None, style: str = "text") -> None:
        """Text as it stands; it never becomes a formula, a link or a number."""
        if value:
            self.sheet.write_string(self.row, column, value[:LONGEST_TEXT], self.styles[style])
        else:
            self.sheet.write_blank(self.row, column, None, self.styles[style])

    def wide(self, first: int, last: int, value: str | None, style: str = "text") -> None:
        """Text over several columns."""
        self.sheet.merge_range(self.row, first, self.row, last, "", self.styles[style])
        self.text(first, value, style)

    def next_prose(self, *columns: tuple[str | None, int]) -> None:
        """Go on to the row below, high enough for these texts in columns of these widths, in half-width characters."""
        lines = [-(-2 * len(text or "") // width) for text, width in columns]
        self.next_row(_LINE_POINTS * max(1, *lines))

    def headings(self, *titles: str) -> None:
        """A row of headings from the first column on."""
        for column, title in enumerate(titles):
            self.text(column, title, "heading")

    def whole(self, column: int, value: int, *, total: bool = False) -> None:
        """A whole number."""
        self.sheet.write_number(self.row, column, value, self.styles["whole_total" if total else "whole"])

    def hours(self, column: int, minutes: int, *, total: bool = False) -> None:
        """Minutes as hours and minutes, for people to read."""
        self.text(column, hours_text(minutes), "hours_total" if total else "hours")

    def yuan(self, column: int, fen: int | None, *, total: bool = False) -> None:
        """Fen as yuan with two decimals, exactly; a text where the price is missing."""
        if fen is None:
            self.text(column, NO_PRICE, "hours_total" if total else "hours")
            return
        yuan = Decimal(fen).scaleb(-2)
        self.sheet.write_number(self.row, column, yuan, self.styles["yuan_total" if total else "yuan"])

    def amounts(self, column: int, both: BothWays, *, total: bool = False) -> None:
        """What was given, what was received and the net, under ``AMOUNT_HEADINGS``."""
        for place, gross in ((column, both.given), (column + 4, both.received)):
            self.whole(place, gross.transfers, total=total)
            self.whole(place + 1, gross.minutes, total=total)
            self.hours(place + 2, gross.minutes, total=total)
            self.yuan(place + 3, gross.fen, total=total)
        self.whole(column + 8, both.net_minutes, total=total)
        self.hours(column + 9, both.net_minutes, total=total)
        self.yuan(column + 10, both.net_fen, total=total)

    def moment(self, column: int, value: datetime | None) -> None:
        """A time in Beijing, as a date that a spreadsheet can reckon with."""
        if value is None:
            self.text(column, None)
            return
        local = value.astimezone(LOCAL).replace(tzinfo=None, microsecond=0)
        self.sheet.write_datetime(self.row, column, local, self.styles["moment"])


def set_up_pages(sheet: Any, said: StatementView, *, landscape: bool = True) -> None:
    """A4, one page wide, with township, window, page numbers and seal on every page."""
    sheet.set_paper(_A4)
    if landscape:
        sheet.set_landscape()
    sheet.set_margins(left=0.5, right=0.5, top=0.8, bottom=0.8)
    sheet.fit_to_pages(1, 0)
    sheet.hide_gridlines(2)
    name = said.township_name.replace("&", "&&")
    sheet.set_header(f"&L{TITLE}&C{name}&R{said.window.window}（{said.window.status_name}）")
    sheet.set_footer(f"&L&8{seal_label(said)}：{grouped_seal(said)}&R第 &P 页，共 &N 页")
