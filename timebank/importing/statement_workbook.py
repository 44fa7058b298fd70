"""A statement 对账单 as the workbook that an office prints, signs and keeps.

Sheets 合计, 双边往来, 明细 (more than a million lines go on in 明细2), and 异议 where there is any.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

from timebank.clearing.queries import Line, StatementView
from timebank.clearing.rules import PRICE_KIND_NAMES
from timebank.clearing.statement_words import LINE_DISPUTE_NAMES
from timebank.importing.office_workbook import office_workbook
from timebank.importing.statement_front import write_front
from timebank.importing.statement_pen import AMOUNT_HEADINGS, Pen, Styles, set_columns, set_up_pages

LINES_A_SHEET = 1_000_000
"""A little less than the rows that a sheet can have."""

_LINES = (
    *(("序号", 7), ("记账时间", 17), ("服务时间", 17), ("对方镇街", 11), ("业务", 15), ("类别", 6), ("方向", 6)),
    *(("分钟", 8), ("时长", 14), ("姓名", 8), ("备注", 24), ("上期移入", 9), ("异议", 14), ("划转编号", 38)),
)
_REASON_WIDTH = 38
_DISPUTES = (
    *(("记账时间", 17), ("对方镇街", 11), ("分钟", 8), ("时长", 14)),
    *(("提出镇街", 11), ("提出人", 12), ("提出时间", 17), ("异议理由", _REASON_WIDTH)),
    *(("裁定", 14), ("裁定理由", _REASON_WIDTH), ("裁定人", 12), ("裁定时间", 17), ("划转编号", 38)),
)
_MOVED = ("移动时间", "对方镇街", "分钟", "时长", "来自周期", "移入周期", "业务", "划转编号")


def write_statement(
    file: BinaryIO, said: StatementView, lines: Iterable[Line], *, lines_a_sheet: int = LINES_A_SHEET
) -> None:
    """Write the workbook to ``file``; lines are taken one by one and never held together.

    Whatever is raised while taking them goes on to the caller, to whom ``file`` is then of no use.
    """
    title = f"{said.township_name} {said.window.window} 清算对账单"
    with office_workbook(file, title, constant_memory=True, use_zip64=True) as (book, styles):
        write_front(_sheet(book, said, "合计"), styles, said)
        _write_counterparts(_sheet(book, said, "双边往来"), styles, said)
        _write_lines(book, styles, said, lines, lines_a_sheet)
        if said.disputes or said.moved_in or said.moved_out:
            _write_disputes(_sheet(book, said, "异议"), styles, said)


def _sheet(book: Any, said: StatementView, name: str) -> Any:
    sheet = book.add_worksheet(name)
    set_up_pages(sheet, said)
    return sheet


def _write_counterparts(sheet: Any, styles: Styles, said: StatementView) -> None:
    """Everybody with whom there is anything, at each price and together."""
    pen = Pen(sheet, styles)
    pen.headings(*set_columns(sheet, [("对方镇街", 14), ("类别", 8), *((title, 13) for title in AMOUNT_HEADINGS)]))
    sheet.freeze_panes(1, 2)
    sheet.repeat_rows(0)
    for one in said.counterparts:
        for part in one.parts:
            pen.next_row()
            pen.text(0, one.counterpart_name)
            pen.text(1, part.price_kind_name)
            pen.amounts(2, part)
        pen.next_row()
        pen.text(0, one.counterpart_name, "text_total")
        pen.text(1, "小计", "text_total")
        pen.amounts(2, one, total=True)
    pen.next_row()
    pen.text(0, "合计", "text_total")
    pen.text(1, "", "text_total")
    pen.amounts(2, said.total, total=True)


def _write_lines(book: Any, styles: Styles, said: StatementView, lines: Iterable[Line], lines_a_sheet: int) -> None:
    pen = _lines_sheet(book, styles, said, 1)
    for number, line in enumerate(lines, start=1):
        if pen.row == lines_a_sheet:
            _end_lines(pen)
            pen = _lines_sheet(book, styles, said, (number - 1) // lines_a_sheet + 1)
        pen.next_row()
        _write_line(pen, number, line, said)
    _end_lines(pen)


def _lines_sheet(book: Any, styles: Styles, said: StatementView, number: int) -> Pen:
    sheet = _sheet(book, said, "明细" if number == 1 else f"明细{number}")
    pen = Pen(sheet, styles)
    pen.headings(*set_columns(sheet, _LINES))
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    return pen


def _end_lines(pen: Pen) -> None:
    pen.sheet.autofilter(0, 0, pen.row, len(_LINES) - 1)


def _write_line(pen: Pen, number: int, line: Line, said: StatementView) -> None:
    pen.whole(0, number)
    pen.moment(1, line.recorded_at)
    pen.moment(2, line.effective_at)
    pen.text(3, said.party_names[line.counterpart_township_code])
    pen.text(4, line.kind_name)
    pen.text(5, PRICE_KIND_NAMES[line.price_kind])
    pen.text(6, "应收" if line.minutes > 0 else "应付")
    pen.whole(7, line.minutes)
    pen.hours(8, line.minutes)
    pen.text(9, line.person_name)
    pen.text(10, line.note)
    pen.text(11, "是" if line.moved_in else "")
    pen.text(12, LINE_DISPUTE_NAMES[line.dispute])
    pen.text(13, str(line.transfer_id))


def _write_disputes(sheet: Any, styles: Styles, said: StatementView) -> None:
    """Objections with their rulings, and below them the lines that moved between windows."""
    pen = Pen(sheet, styles)
    pen.headings(*set_columns(sheet, _DISPUTES))
    for one in said.disputes:
        pen.next_prose((one.reason, _REASON_WIDTH), (one.ruling_reason, _REASON_WIDTH))
        pen.moment(0, one.recorded_at)
        pen.text(1, one.counterpart_name)
        pen.whole(2, one.minutes)
        pen.hours(3, one.minutes)
        pen.text(4, one.raised_by_township_name)
        pen.text(5, one.raised_by_name)
        pen.moment(6, one.raised_at)
        pen.text(7, one.reason, "prose")
        pen.text(8, one.ruling_name or "待裁定")
        pen.text(9, one.ruling_reason, "prose")
        pen.text(10, one.ruled_by_name)
        pen.moment(11, one.ruled_at)
        pen.text(12, str(one.transfer_id))
    pen.next_row()
    pen.next_row()
    pen.headings(*_MOVED)
    for moved in (*said.moved_in, *said.moved_out):
        pen.next_row()
        pen.moment(0, moved.moved_at)
        pen.text(1, moved.counterpart_name)
        pen.whole(2, moved.minutes)
        pen.hours(3, moved.minutes)
        pen.text(4, moved.from_window)
        pen.text(5, moved.to_window)
        pen.text(6, moved.kind_name)
        pen.text(7, str(moved.transfer_id))
