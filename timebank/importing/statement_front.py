"""The first sheet of a statement's workbook: whose it is, the totals, the position, the seal, room for signatures."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from timebank.clearing.queries import StatementView
from timebank.clearing.statement_words import (
    MEANING,
    SIGNATURES,
    TITLE,
    confirmed_text,
    grouped_seal,
    position_text,
    prices_text,
    seal_label,
    settled_text,
)
from timebank.importing.statement_pen import AMOUNT_HEADINGS, Pen, Styles

_LAST = len(AMOUNT_HEADINGS)
_MIDDLE = 6
"""Facts stand two in a row: a label and its value on the left, and again from this column on."""

Fact = tuple[str, str | datetime | None]


def write_front(sheet: Any, styles: Styles, said: StatementView) -> None:
    """Everything that is signed, on one page."""
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, _LAST, 13)
    pen = Pen(sheet, styles)
    sheet.set_row(0, 36)
    pen.wide(0, _LAST, TITLE, "title")
    for left, right in _facts(said):
        pen.next_row(20)
        _write_fact(pen, 0, _MIDDLE - 1, left)
        _write_fact(pen, _MIDDLE, _LAST, right)
    pen.next_row()
    _write_totals(pen, said)
    pen.next_row()
    pen.next_row(20)
    pen.wide(0, _LAST, f"{seal_label(said)}：{grouped_seal(said)}")
    _write_payments(pen, said)
    pen.next_row(20)
    pen.wide(0, _LAST, MEANING, "remark")
    _write_signatures(pen)


def _facts(said: StatementView) -> list[tuple[Fact, Fact]]:
    window, confirmed = said.window, said.confirmation
    return [
        (("镇街", f"{said.township_name}（{said.township_code}）"), ("清算周期", window.window)),
        (("周期状态", window.status_name), ("关账人", window.closed_by_name)),
        (("开始时间", window.opened_at), ("关账时间", window.closed_at)),
        (("结算时间", window.settled_at), ("结算方式", settled_text(said))),
        (("镇街确认", confirmed_text(said)), ("确认时间", confirmed.confirmed_at if confirmed else None)),
        (("结算参考价", prices_text(said)), ("头寸", position_text(said))),
    ]


def _write_fact(pen: Pen, first: int, last: int, fact: Fact) -> None:
    label, value = fact
    pen.text(first, label, "label")
    if isinstance(value, datetime):
        pen.wide(first + 1, last, "")
        pen.moment(first + 1, value)
    else:
        pen.wide(first + 1, last, value)


def _write_totals(pen: Pen, said: StatementView) -> None:
    pen.next_row(32)
    pen.headings("类别", *AMOUNT_HEADINGS)
    for total in said.kinds:
        pen.next_row(20)
        pen.text(0, total.price_kind_name)
        pen.amounts(1, total)
    pen.next_row(20)
    pen.text(0, "合计", "text_total")
    pen.amounts(1, said.total, total=True)


def _write_payments(pen: Pen, said: StatementView) -> None:
    """The township's payments, in the order in which they were tried."""
    for one in said.settlement.payments if said.settlement else ():
        pen.next_row(20)
        pen.text(0, f"第{one.attempt}次{one.direction_name}", "label")
        pen.yuan(1, one.amount_fen)
        pen.text(2, "元")
        pen.text(3, one.state_name)
        pen.wide(4, _MIDDLE - 1, one.outside_reference)
        pen.text(_MIDDLE, "下达时间", "label")
        pen.wide(_MIDDLE + 1, _MIDDLE + 2, "")
        pen.moment(_MIDDLE + 1, one.instructed_at)
        pen.wide(_MIDDLE + 3, _LAST, one.problem)


def _write_signatures(pen: Pen) -> None:
    """Four boxes, high enough for a hand and a stamp."""
    pen.next_row()
    width = (_LAST + 1) // len(SIGNATURES)
    for style, height, blank in (("heading", 22, False), ("text", 64, True)):
        pen.next_row(height)
        for place, label in enumerate(SIGNATURES):
            pen.wide(place * width, place * width + width - 1, "" if blank else label, style)
