from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from tests.factories.workbooks import PLAIN_ROWS, write_plain_workbook
from timebank.importing.rejects import write_rejects
from timebank.importing.rules import Rejected
from timebank.importing.workbook import OfficeWorkbook, open_workbook


@pytest.fixture
def workbook(tmp_path: Path) -> OfficeWorkbook:
    heading, record = PLAIN_ROWS["服务记录"]
    late = [datetime(2027, 3, 5), " 330224196509023578", *record[2:]]
    nasty: list[list[object]] = [
        ["姓名", "身份证号", "手机号", "所属镇街"],
        ["@SUM(1)", 330224196509023578, 13104333853, "+1"],
        ["http://example.invalid/x", "", 8613104333853, "-1", "额外"],
    ]
    path = tmp_path / "a.xlsx"
    write_plain_workbook(path, {"志愿者名册": nasty, "服务记录": [["2026年10月"], heading, record, late]})
    book = openpyxl.load_workbook(path)
    book["志愿者名册"]["A2"].value = "=HYPERLINK(1)"
    book["志愿者名册"]["A2"].data_type = "s"
    book.save(path)
    return open_workbook(path)


def _rows(path: Path, sheet: str) -> list[list[object]]:
    return [[cell.value for cell in row] for row in openpyxl.load_workbook(path)[sheet].iter_rows()]


def test_refused_rows_come_back_as_they_stood_with_the_reason(tmp_path: Path, workbook: OfficeWorkbook) -> None:
    out = tmp_path / "out.xlsx"
    write_rejects(out, workbook, {"服务记录": [Rejected(4, "date_in_future")]})
    heading, record = PLAIN_ROWS["服务记录"]
    assert _rows(out, "服务记录") == [
        [*heading, "原表行号", "退回原因", "原因代码"],
        [datetime(2027, 3, 5), " 330224196509023578", *record[2:], 4, "服务尚未发生或尚未结束", "date_in_future"],
    ]
    assert _rows(out, "老人名册") == [[*PLAIN_ROWS["老人名册"][0], "原表行号", "退回原因", "原因代码"]]
    assert openpyxl.load_workbook(out)["老人名册"].freeze_panes == "A2"


def test_no_text_becomes_a_formula_or_a_link_and_no_id_a_number(tmp_path: Path, workbook: OfficeWorkbook) -> None:
    out = tmp_path / "out.xlsx"
    refused = [Rejected(2, "id_number_invalid"), Rejected(3, "name_missing")]
    write_rejects(out, workbook, {"志愿者名册": refused})
    sheet = openpyxl.load_workbook(out)["志愿者名册"]
    cells = {cell.coordinate: cell for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert {cell.data_type for cell in cells.values()} == {"s", "n"}
    assert cells["A2"].value == "=HYPERLINK(1)"
    assert cells["B2"].value == "3.302241965090236e+17"
    assert cells["B2"].number_format == "@"
    assert (cells["C2"].value, cells["C3"].value) == (13104333853, "8613104333853")
    assert (cells["D2"].value, cells["D3"].value, cells["E3"].value) == ("+1", "-1", "额外")
    assert cells["F3"].value == 3
    assert not any(cell.hyperlink for cell in cells.values())


def test_the_corrected_file_can_be_imported_in_turn(tmp_path: Path, workbook: OfficeWorkbook) -> None:
    out = tmp_path / "out.xlsx"
    write_rejects(out, workbook, {"服务记录": [Rejected(4, "date_in_future")]})
    again = open_workbook(out)
    assert (again.volunteers, again.elders) == ((), ())
    assert again.records[0].volunteer_id_number == "330224196509023578"


def test_an_earlier_file_is_replaced_and_no_draft_is_left(tmp_path: Path, workbook: OfficeWorkbook) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "out.xlsx").write_text("old")
    write_rejects(folder / "out.xlsx", workbook, {})
    assert [file.name for file in folder.iterdir()] == ["out.xlsx"]
    assert open_workbook(folder / "out.xlsx").records == ()


def test_a_failure_leaves_the_earlier_file_alone(tmp_path: Path, workbook: OfficeWorkbook) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "out.xlsx").write_text("old")
    with pytest.raises(KeyError):
        write_rejects(folder / "out.xlsx", workbook, {"服务记录": [Rejected(99, "overlaps")]})
    assert [file.read_text() for file in folder.iterdir()] == ["old"]
    with pytest.raises(OSError, match="none"):
        write_rejects(tmp_path / "none" / "out.xlsx", workbook, {})


def test_a_number_that_cannot_be_trusted_does_not_come_back_as_a_good_id(
    tmp_path: Path, workbook: OfficeWorkbook
) -> None:
    row = replace(workbook.volunteers[0], cells=("竺梅", 330224196509023578, None, "大堰"))
    out = tmp_path / "out.xlsx"
    write_rejects(out, replace(workbook, volunteers=(row,)), {"志愿者名册": [Rejected(2, "id_number_invalid")]})
    assert _rows(out, "志愿者名册")[1][1] == repr(3.3022419650902358e17)
