"""The workbook of a statement, read back as an office's spreadsheet would read it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from tests.factories.statements import NAMES, NASTY, SEAL, lines_seen, statement_seen, window_seen
from timebank.clearing.queries import Line, StatementView
from timebank.clearing.queries.statement_view import BothWays, Gross
from timebank.core.amounts import hours_text
from timebank.core.clock import LOCAL
from timebank.importing.line_workbook import read_line_workbook
from timebank.importing.rules import Townships
from timebank.importing.statement_workbook import write_statement


def read_back(said: StatementView, lines: list[Line], **how: int) -> Workbook:
    file = BytesIO()
    write_statement(file, said, iter(lines), **how)
    file.seek(0)
    return openpyxl.load_workbook(file)


def rows_of(sheet: Any) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def figures(both: BothWays) -> list[Any]:
    """Eleven cells: minutes whole, hours to read, yuan as exact decimals."""
    found: list[Any] = []
    for gross in (both.given, both.received):
        found += [gross.transfers, gross.minutes, hours_text(gross.minutes), yuan(gross.fen)]
    return [*found, both.net_minutes, hours_text(both.net_minutes), yuan(both.net_fen)]


def yuan(fen: int | None) -> Any:
    return "缺参考价" if fen is None else float(Decimal(fen) / 100)


def test_totals_and_matrix_hold_every_figure_of_the_statement() -> None:
    said = statement_seen()
    book = read_back(said, lines_seen())
    assert book.sheetnames == ["合计", "双边往来", "明细", "异议"]
    front = rows_of(book["合计"])
    top = next(place for place, row in enumerate(front) if row[0] == "类别")
    totals = [[total.price_kind_name, *figures(total)] for total in said.kinds]
    assert front[top + 1 : top + 5] == [*totals, ["合计", *figures(said.total)]]
    expected = []
    for one in said.counterparts:
        expected += [[one.counterpart_name, part.price_kind_name, *figures(part)] for part in one.parts]
        expected += [[one.counterpart_name, "小计", *figures(one)]]
    assert rows_of(book["双边往来"])[1:] == [*expected, ["合计", None, *figures(said.total)]]


def test_the_front_sheet_says_whose_it_is_the_position_the_seal_and_who_signs() -> None:
    sheet = read_back(statement_seen(), lines_seen())["合计"]
    front = rows_of(sheet)
    said = {row[place]: row[place + 1] for row in front[1:7] for place in (0, 6)}
    assert said["镇街"] == "西坞街道（330213004）"
    assert (said["清算周期"], said["周期状态"], said["关账人"]) == ("2026-11", "已结算", "陈主任")
    assert said["结算参考价"] == "助餐 17.55元/小时，照护 30.00元/小时，辅具 9.00元/小时"
    assert said["头寸"] == "应收 1小时14分钟（74 分钟），应收 39.68元"
    assert (said["开始时间"], said["关账时间"]) == (datetime(2026, 11, 1), datetime(2026, 12, 1))
    assert (said["镇街确认"], said["确认时间"]) == ("=李管理员", datetime(2026, 12, 2))
    texts = [value for row in front for value in row if isinstance(value, str)]
    assert f"封存值（已结算，不再更改）：{' '.join([SEAL[:8], SEAL[8:16]] * 4)}" in texts
    assert [text for text in texts if text in ("经办人", "复核人", "负责人（签字盖章）", "日期")] == [
        "经办人",
        "复核人",
        "负责人（签字盖章）",
        "日期",
    ]
    paid = next(row for row in front if row[0] == "第1次收款")
    assert (paid[1], paid[3], paid[9]) == (39.68, "支付失败", "+1")


def test_hours_and_money_may_be_owed_in_opposite_directions() -> None:
    turned = BothWays(given=Gross(3, 195, 6638), received=Gross(3, 121, 9999))
    front = rows_of(read_back(statement_seen(total=turned), lines_seen())["合计"])
    assert front[6][7] == "应收 1小时14分钟（74 分钟），应付 33.61元"


def test_every_line_has_real_dates_whole_minutes_and_its_own_texts() -> None:
    lines = lines_seen()
    rows = rows_of(read_back(statement_seen(), lines)["明细"])
    assert len(rows) == 7
    first, third, fourth = (dict(zip(rows[0], rows[place], strict=True)) for place in (1, 3, 4))
    assert first == {
        "序号": 1,
        "记账时间": datetime(2026, 11, 1, 0, 0, 59),
        "服务时间": datetime(2026, 11, 1),
        "对方镇街": "尚田街道",
        "业务": "用餐",
        "类别": "助餐",
        "方向": "应收",
        "分钟": 60,
        "时长": "1小时",
        "姓名": None,
        "备注": "=1+1",
        "上期移入": None,
        "异议": None,
        "划转编号": str(lines[0].transfer_id),
    }
    assert (third["上期移入"], third["分钟"], third["类别"]) == ("是", 45, "照护")
    assert (fourth["异议"], fourth["分钟"], fourth["方向"]) == ("维持在本周期", -60, "应付")
    assert sum(row[7] for row in rows[1:]) == 74


def test_no_text_becomes_a_formula_a_link_or_a_number() -> None:
    book = read_back(statement_seen(), lines_seen())
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} == {"s", "n", "d"}
    assert not any(cell.hyperlink for cell in cells)
    texts = {cell.value for cell in cells if cell.data_type == "s"}
    assert set(NASTY) <= texts


def test_yuan_are_exact_however_many() -> None:
    for fen in (1, 99, 100_000_001, 99_999_999_999_999, -7):
        given = Gross(1, 1, fen)
        sheet = read_back(statement_seen(total=BothWays(given=given)), [])["双边往来"]
        cell = sheet.cell(sheet.max_row, 6)
        assert Decimal(str(cell.value)) == Decimal(fen) / 100
        assert cell.number_format == "#,##0.00"


def test_a_missing_price_is_said_and_not_shown_as_nothing() -> None:
    missing = BothWays(given=Gross(1, 60, None))
    front = rows_of(read_back(statement_seen(total=missing), [])["合计"])
    total = next(row for row in front if row[0] == "合计")
    assert (total[4], total[8], total[11]) == ("缺参考价", 0, "缺参考价")
    assert front[6][7] == "应收 1小时（60 分钟），缺参考价"


def test_lines_beyond_a_sheet_go_on_in_the_next() -> None:
    book = read_back(statement_seen(), lines_seen(), lines_a_sheet=2)
    assert book.sheetnames == ["合计", "双边往来", "明细", "明细2", "明细3", "异议"]
    found = [rows_of(book[name]) for name in ("明细", "明细2", "明细3")]
    assert [[row[0] for row in rows] for rows in found] == [["序号", 1, 2], ["序号", 3, 4], ["序号", 5, 6]]
    assert [book[name].auto_filter.ref for name in ("明细", "明细2", "明细3")] == ["A1:N3"] * 3


def test_the_lines_can_be_handed_in_again_as_a_townships_own_list() -> None:
    file, lines = BytesIO(), lines_seen()
    write_statement(file, statement_seen(), lines)
    read = read_line_workbook(file.getvalue(), townships=Townships(NAMES.items()), today=date(2026, 12, 2))
    assert read.unreadable == []
    assert [(one.transfer_id, one.minutes, one.counterpart, one.day) for one in read.lines] == [
        (line.transfer_id, line.minutes, line.counterpart_township_code, line.effective_at.astimezone(LOCAL).date())
        for line in lines
    ]


def test_every_sheet_prints_on_a4_one_page_wide_with_window_township_and_seal() -> None:
    book = read_back(statement_seen(), lines_seen())
    for sheet in book:
        assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
        # One page wide is what is meant where nothing is said; 0 high is as many as it takes.
        assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.oddHeader.center.text, sheet.oddHeader.right.text) == ("西坞街道", "2026-11（已结算）")
        assert SEAL[:8] in sheet.oddFooter.left.text
        assert sheet.oddFooter.right.text == "第 &P 页，共 &N 页"
    for name in ("双边往来", "明细"):
        assert book[name].print_title_rows == "$1:$1"
    assert (book["明细"].freeze_panes, book["双边往来"].freeze_panes) == ("A2", "C2")
    assert book["明细"].auto_filter.ref == "A1:N7"


def test_an_open_windows_workbook_has_no_seal_and_no_sheet_of_disputes() -> None:
    window = window_seen(status="open", status_name="进行中", closed_at=None, settled_at=None, seal=None)
    nothing: dict[str, Any] = {"disputes": [], "moved_out": [], "confirmation": None, "settlement": None}
    book = read_back(statement_seen(window=window, seal=None, seal_is_final=False, **nothing), [])
    assert book.sheetnames == ["合计", "双边往来", "明细"]
    texts = [cell.value for row in book["合计"].iter_rows() for cell in row]
    assert "封存值：本周期进行中，尚未封存" in texts
    provisional = read_back(statement_seen(seal_is_final=False), [])["合计"]
    assert "核对中，可能变动" in str(provisional.oddFooter.left.text)


def test_lines_that_break_off_are_the_callers_to_know_and_leave_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def broken() -> Iterator[Line]:
        yield lines_seen()[0]
        assert list(tmp_path.rglob("*.*")) or list(tmp_path.iterdir())
        raise RuntimeError("the lines broke off")

    with pytest.raises(RuntimeError, match="broke off"):
        write_statement(BytesIO(), statement_seen(), broken())
    assert list(tmp_path.iterdir()) == []
