from __future__ import annotations

import hashlib
import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.factories.workbooks import PLAIN_ROWS, write_plain_workbook
from timebank.importing.cells import read_day
from timebank.importing.workbook import WorkbookUnreadable, open_workbook

SAMPLE = Path(__file__).parents[1] / "data" / "pilot_workbook.xlsx"
VOLUNTEER, ELDER = "330224196509023578", "330224195207032431"


def test_the_sample_is_read_with_its_own_row_numbers() -> None:
    workbook = open_workbook(SAMPLE)
    assert workbook.name == "pilot_workbook.xlsx"
    assert workbook.sha256 == hashlib.sha256(SAMPLE.read_bytes()).hexdigest()
    assert [row.row for row in workbook.volunteers] == list(range(4, 50))
    assert [row.row for row in workbook.elders] == list(range(4, 64))
    assert [row.row for row in workbook.records] == list(range(4, 167))
    assert workbook.volunteers[0].name == "竺梅"
    assert workbook.volunteers[4].id_number == "33022419941031829X"
    assert workbook.records[1].day == datetime(2026, 10, 10)
    assert workbook.records[0].title_year == 2026
    assert workbook.headings["老人名册"][-1] == "特殊情况"


def test_blank_rows_totals_signatures_and_repeated_headings_are_nobody(tmp_path: Path) -> None:
    heading, person = PLAIN_ROWS["志愿者名册"]
    rows: list[list[object]] = [
        ["序号", *heading], [1, *person], [2, None, None, None, None], [None] * 5, ["序号", *heading],
        [None, "本页小计：", None, None, "1人"], ["总  计", None, None, None, 1], ["填表人（签字）：张三"],
        [None, "备注：以上属实"], [3, "合计", VOLUNTEER, None, "大堰"], [4, None, None, 13104333853, "大堰"],
    ]  # fmt: skip
    found = open_workbook(write_plain_workbook(tmp_path / "a.xlsx", {"志愿者名册": rows})).volunteers
    assert [(row.row, row.name) for row in found] == [(2, "竺梅"), (10, "合计"), (11, "")]


def test_columns_are_found_by_many_words_in_any_order(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["尚田街道助老服务"],
        ["所属乡镇", "联系电话*", "志愿者\n姓名", "证件号码（18位）", "备注"],
        ["大堰镇", 13104333853, "竺 梅", VOLUNTEER, "身份证"],
    ]
    (found,) = open_workbook(write_plain_workbook(tmp_path / "a.xlsx", {"志愿者名册": rows})).volunteers
    assert (found.name, found.id_number, found.phone, found.township) == ("竺梅", VOLUNTEER, 13104333853, "大堰镇")


def test_two_bare_id_columns_belong_to_the_person_before_them(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["服务对象", "身份证", "志愿者", "身份证", "服务日期", "起止时间"],
        ["叶家惠", ELDER, "竺梅", VOLUNTEER, "2026.10.9", "8:30-10:00"],
    ]
    (found,) = open_workbook(write_plain_workbook(tmp_path / "a.xlsx", {"服务记录": rows})).records
    assert (found.volunteer_id_number, found.elder_id_number) == (VOLUNTEER, ELDER)


def test_a_heading_of_two_rows_is_read_as_one(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["2026年10月服务记录"],
        ["日期", "志愿者", None, "服务对象", None, "服务内容", "服务时间", None],
        [None, "姓名", "身份证号", "姓名", "身份证号", None, "开始时间", "结束时间"],
        ["10月9日", "竺梅", VOLUNTEER, "叶家惠", ELDER, "送餐", "8:30", "10:00"],
    ]
    merges = ["A2:A3", "B2:C2", "D2:E2", "F2:F3", "G2:H2"]
    path = write_plain_workbook(tmp_path / "a.xlsx", {"服务记录": rows}, {"服务记录": merges})
    (found,) = open_workbook(path).records
    assert (found.row, found.volunteer_id_number, found.elder_name) == (4, VOLUNTEER, "叶家惠")
    assert found.span == ("8:30", "10:00")
    assert found.title_year == 2026


def test_a_cell_merged_over_several_rows_stands_for_each(tmp_path: Path) -> None:
    heading, record = PLAIN_ROWS["服务记录"]
    later = [*record[:4], "10:00-11:00"]
    other = ["2026.10.10", *record[1:]]
    rows = [heading, record, [None, *later[1:]], [None, *later[1:]], other]
    path = write_plain_workbook(tmp_path / "a.xlsx", {"服务记录": rows}, {"服务记录": ["A2:A4"]})
    assert [row.day for row in open_workbook(path).records] == ["2026.10.9"] * 3 + ["2026.10.10"]


def test_sheets_are_found_with_blanks_around_their_names_and_visible_before_hidden(tmp_path: Path) -> None:
    path = write_plain_workbook(tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(path)
    book["志愿者名册"].title = " 志愿者 名册　"
    old = book.copy_worksheet(book["老人名册"])
    book["老人名册"].title = "老人名册 "
    old.title, old.sheet_state, old["A2"].value = "老人名册", "hidden", "旧人"
    book.save(path)
    workbook = open_workbook(path)
    assert [row.name for row in workbook.volunteers] == ["竺梅"]
    assert [row.name for row in workbook.elders] == ["叶家惠"]


def test_a_wrong_dimension_hides_no_cell(tmp_path: Path) -> None:
    path, wrong = write_plain_workbook(tmp_path / "a.xlsx"), tmp_path / "b.xlsx"
    _rewrite(path, wrong, "xl/worksheets/sheet1.xml", b'<dimension ref="A1:D2"', b'<dimension ref="A1:B1"')
    assert open_workbook(wrong).volunteers[0].township == "大堰"


def test_a_formulas_stored_value_counts(tmp_path: Path) -> None:
    path, stored = write_plain_workbook(tmp_path / "a.xlsx"), tmp_path / "b.xlsx"
    cell = b'<c r="C2" t="n"><v>13104333853</v></c>'
    formula = b'<c r="C2"><f>13104333852+1</f><v>13104333853</v></c>'
    _rewrite(path, stored, "xl/worksheets/sheet1.xml", cell, formula)
    assert open_workbook(stored).volunteers[0].phone == 13104333853


def test_serial_numbers_of_a_workbook_counted_from_1904_are_moved(tmp_path: Path) -> None:
    heading, record = PLAIN_ROWS["服务记录"]
    rows = [heading, [46304 - 1462, *record[1:]], [datetime(2026, 10, 9), *record[1:]]]
    path = write_plain_workbook(tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(path)
    book.epoch = CALENDAR_MAC_1904
    del book["服务记录"]
    sheet = book.create_sheet("服务记录")
    for row in rows:
        sheet.append(row)
    book.save(path)
    assert [read_day(row.day) for row in open_workbook(path).records] == [date(2026, 10, 9)] * 2


@pytest.mark.parametrize("missing", ["志愿者名册", "老人名册", "服务记录"])
def test_a_missing_sheet_is_named(tmp_path: Path, missing: str) -> None:
    path = write_plain_workbook(tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(path)
    del book[missing]
    book.save(path)
    with pytest.raises(WorkbookUnreadable, match=missing) as refusal:
        open_workbook(path)
    assert (refusal.value.code, refusal.value.facts) == ("sheet_missing", {"sheet": missing})


@pytest.mark.parametrize(
    ("sheet", "column"),
    [("志愿者名册", "姓名"), ("志愿者名册", "身份证号"), ("老人名册", "镇街"), ("服务记录", "服务时间"),
     ("服务记录", "服务对象身份证号")],
)  # fmt: skip
def test_a_missing_column_is_named_with_its_sheet(tmp_path: Path, sheet: str, column: str) -> None:
    rows = [[("别的" if cell == column else cell) for cell in row] for row in PLAIN_ROWS[sheet]]
    with pytest.raises(WorkbookUnreadable, match=sheet) as refusal:
        open_workbook(write_plain_workbook(tmp_path / "a.xlsx", {sheet: rows}))
    assert refusal.value.code == "column_missing"
    assert refusal.value.facts["column"] == column.replace("镇街", "所属镇街")


def test_a_heading_below_the_fifteenth_row_is_not_looked_for(tmp_path: Path) -> None:
    rows: list[list[object]] = [["说明"] for _ in range(14)]
    rows += PLAIN_ROWS["志愿者名册"]
    assert open_workbook(write_plain_workbook(tmp_path / "a.xlsx", {"志愿者名册": rows})).volunteers[0].row == 16
    with pytest.raises(WorkbookUnreadable, match="姓名"):
        open_workbook(write_plain_workbook(tmp_path / "a.xlsx", {"志愿者名册": [["说明"], *rows]}))


def _rewrite(source: Path, target: Path, part: str, old: bytes, new: bytes) -> None:
    with zipfile.ZipFile(source) as package, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in package.namelist():
            content = package.read(name)
            assert name != part or old in content
            copy.writestr(name, content.replace(old, new) if name == part else content)
