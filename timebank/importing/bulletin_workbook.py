"""A monthly bulletin 月报 as a workbook: 月报 with the month beside the one before, 各镇街 side by side, 怎样算的."""

from __future__ import annotations

from typing import Any, BinaryIO

from timebank.core.clock import LOCAL
from timebank.importing.office_workbook import headed_sheet, office_workbook
from timebank.importing.statement_pen import Pen, Styles, set_columns
from timebank.supervision.figures.queries import Bulletin, BulletinLine

_LINES = (("类别", 24), ("项目", 30), ("单位", 10), ("本月", 16), ("上月", 16), ("增减", 16))
_PARTS = (("项目", 30), ("单位", 10))
_HOW = (("项目", 30), ("怎样算的", 60))
_HOUR = 60


def write_bulletin(file: BinaryIO, said: Bulletin) -> None:
    """Write the workbook to ``file``; minutes as hours with two decimals, fen as yuan."""
    title = f"{said.township_name or '奉化区'} {said.month} 时间银行月报"
    with office_workbook(file, title) as (book, styles):
        styles["hours_number"] = book.add_format({"border": 1, "valign": "vcenter", "num_format": "#,##0.00"})
        _write_lines(headed_sheet(book, "月报", title), styles, said, title)
        if said.township_code is None:
            _write_parts(headed_sheet(book, "各镇街", title), styles, said)
        _write_how(headed_sheet(book, "怎样算的", title), styles, said)


def _write_lines(sheet: Any, styles: Styles, said: Bulletin, title: str) -> None:
    headings, last = set_columns(sheet, _LINES), len(_LINES) - 1
    pen = Pen(sheet, styles)
    pen.wide(0, last, title, "title")
    pen.next_row(20)
    pen.wide(0, last, standing_text(said))
    pen.next_row(24)
    pen.headings(*headings)
    for line in said.lines:
        pen.next_row()
        pen.text(0, line.section_name)
        pen.text(1, line.label)
        pen.text(2, _unit(line))
        _write_amount(pen, 3, line, line.amount)
        _write_amount(pen, 4, line, line.before_amount)
        _write_amount(pen, 5, line, None if line.before_amount is None else line.amount - line.before_amount)


def _write_parts(sheet: Any, styles: Styles, said: Bulletin) -> None:
    names = list(dict.fromkeys(part.township_name for line in said.lines for part in line.parts))
    headings = set_columns(sheet, [*_PARTS, *((name, 12) for name in names), ("合计", 14)])
    pen = Pen(sheet, styles)
    pen.headings(*headings)
    sheet.freeze_panes(1, len(_PARTS))
    for line in said.lines:
        pen.next_row()
        pen.text(0, line.label)
        pen.text(1, _unit(line))
        amounts = {part.township_name: part.amount for part in line.parts}
        for column, name in enumerate(names, start=len(_PARTS)):
            _write_amount(pen, column, line, amounts.get(name))
        _write_amount(pen, len(_PARTS) + len(names), line, line.amount)


def _write_how(sheet: Any, styles: Styles, said: Bulletin) -> None:
    headings = set_columns(sheet, _HOW)
    pen = Pen(sheet, styles)
    pen.headings(*headings)
    for line in said.lines:
        pen.next_row()
        pen.text(0, line.label)
        pen.text(1, line.how, "prose")
    pen.next_prose((RECORDED, 90))
    pen.wide(0, 1, RECORDED, "remark")


RECORDED = "时长和金额按记账时间计入当月；以后补记、冲正的，计入补记、冲正的那个月，已结束月份的月报不再变动。"
"""To which month a transfer belongs, for whoever reads a bulletin."""


def standing_text(said: Bulletin) -> str:
    """Whether a bulletin is final, and as of when."""
    at = f"{said.as_of.astimezone(LOCAL):%Y-%m-%d %H:%M}"
    return {
        "running": f"本月还没有结束，数字截至 {at}",
        "ended": f"本月已结束，还没有定稿，数字截至 {at}",
        "final": f"已于 {at} 定稿",
    }[said.status]


def _unit(line: BulletinLine) -> str:
    return {"minute": "小时", "fen": "元"}.get(line.unit, line.counted)


def _write_amount(pen: Pen, column: int, line: BulletinLine, amount: int | None) -> None:
    if amount is None:
        pen.text(column, "—")
    elif line.unit == "fen":
        pen.yuan(column, amount)
    elif line.unit == "minute":
        pen.sheet.write_number(pen.row, column, round(amount / _HOUR, 2), pen.styles["hours_number"])
    else:
        pen.whole(column, amount)
