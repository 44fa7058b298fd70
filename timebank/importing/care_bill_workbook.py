"""A provider's monthly bill 居家养老月度账单 as the workbook that an office prints, signs and keeps: 合计 and 明细."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

from timebank.importing.office_workbook import headed_sheet, office_workbook
from timebank.importing.statement_pen import Pen, Styles, set_columns
from timebank.redemption.care.queries.bills import BillLine, BillView

_TOTALS = (("服务项目", 16), ("次数", 10), ("分钟", 12), ("时长", 16), ("金额（元）", 16))
_LINES = (
    *(("序号", 7), ("服务时间", 17), ("服务项目", 12), ("老人", 10), ("事由", 10), ("实际分钟", 10)),
    *(
        ("扣划分钟", 10),
        ("时长", 14),
        ("等级", 7),
        ("每小时（元）", 12),
        ("金额（元）", 12),
        ("记账时间", 17),
        ("预约编号", 38),
    ),
)
_SIGNED_BY = ("服务机构（盖章）", "镇街（盖章）")


def write_care_bill(file: BinaryIO, said: BillView, lines: Iterable[BillLine]) -> None:
    """Write the workbook to ``file``; lines are taken one by one and never held together."""
    title = f"{said.provider_name} {said.month} 居家养老月度账单"
    with office_workbook(file, title, constant_memory=True) as (book, styles):
        _write_totals(headed_sheet(book, "合计", title), styles, said, title)
        _write_lines(headed_sheet(book, "明细", title), styles, lines)


def _write_totals(sheet: Any, styles: Styles, said: BillView, title: str) -> None:
    headings, last = set_columns(sheet, _TOTALS), len(_TOTALS) - 1
    pen = Pen(sheet, styles)
    pen.wide(0, last, title, "title")
    pen.next_row(20)
    pen.text(0, "状态", "label")
    pen.wide(1, last, f"已出账（{said.issued_by_name}）" if said.issued else "尚未出账，仅供核对")
    pen.next_row(20)
    pen.text(0, "出账时间", "label")
    pen.wide(1, last, "")
    pen.moment(1, said.issued_at)
    pen.next_row(24)
    pen.headings(*headings)
    for one in said.services:
        pen.next_row()
        _write_amounts(pen, one.service_name, one.lines, one.minutes, one.fen)
    pen.next_row()
    _write_amounts(pen, "合计", said.lines, said.minutes, said.fen, total=True)
    pen.next_row()
    for label in _SIGNED_BY:
        pen.next_row(48)
        pen.text(0, label, "label")
        pen.wide(1, last, "")


def _write_amounts(pen: Pen, name: str, lines: int, minutes: int, fen: int, *, total: bool = False) -> None:
    pen.text(0, name, "text_total" if total else "text")
    pen.whole(1, lines, total=total)
    pen.whole(2, minutes, total=total)
    pen.hours(3, minutes, total=total)
    pen.yuan(4, fen, total=total)


def _write_lines(sheet: Any, styles: Styles, lines: Iterable[BillLine]) -> None:
    pen = Pen(sheet, styles)
    pen.headings(*set_columns(sheet, _LINES))
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    for number, line in enumerate(lines, start=1):
        pen.next_row()
        _write_line(pen, number, line)
    sheet.autofilter(0, 0, pen.row, len(_LINES) - 1)


def _write_line(pen: Pen, number: int, line: BillLine) -> None:
    pen.whole(0, number)
    pen.moment(1, line.starts_at)
    pen.text(2, line.service_name)
    pen.text(3, line.elder_name)
    pen.text(4, line.kind_name)
    if line.served_minutes is None:
        pen.text(5, "")
    else:
        pen.whole(5, line.served_minutes)
    pen.whole(6, line.minutes)
    pen.hours(7, line.minutes)
    pen.text(8, "未评级" if line.grade is None else f"{line.grade}A")
    pen.yuan(9, line.fen_per_hour)
    pen.yuan(10, line.fen)
    pen.moment(11, line.charged_at)
    pen.text(12, str(line.booking_id))
