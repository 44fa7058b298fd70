"""Reading a township's own list: whatever order and wording of columns, whatever way of writing minutes and days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO
from uuid import UUID

import openpyxl
import pytest

from tests.factories.lists import workbook
from timebank.clearing.township_lists import ListedLine
from timebank.importing.line_cells import read_direction, read_hours, read_minutes, read_transfer_id
from timebank.importing.line_workbook import LineWorkbook, read_line_workbook
from timebank.importing.package import WorkbookUnreadable
from timebank.importing.rules import Townships

TOWNSHIPS = Townships([("330213007", "尚田街道"), ("330213107", "大堰镇"), ("house", "区清算中心")])
SOMEBODY = "330224196509023578"
ID = UUID("01a20090-665b-7415-b0a7-7ca8910cf987")


def read(content: bytes) -> LineWorkbook:
    return read_line_workbook(content, townships=TOWNSHIPS, today=date(2026, 11, 21))


def only(heading: Sequence[str], *cells: object) -> ListedLine:
    found = read(workbook([cells], heading))
    assert found.unreadable == []
    (line,) = found.lines
    return line


def why_not(heading: Sequence[str], *cells: object) -> str:
    found = read(workbook([cells], heading))
    assert found.lines == []
    ((row, reason),) = found.unreadable
    assert row == 2
    return reason


def test_every_column_is_found_in_any_order() -> None:
    heading = ["备注", "应收/应付", "时长（小时）", "对方镇街", "身份证号码", "姓名", "服务日期", "划转编号", "序号"]
    line = only(heading, "送餐", "应付", 1.5, "大堰", SOMEBODY, "王　梅", "2026.3.10", str(ID).upper(), 1)
    assert line == ListedLine(2, date(2026, 3, 10), -90, ID, "330213107", SOMEBODY, "王梅")


@pytest.mark.parametrize("title", ["日期", "服务日期", "发生日期", "用餐日期", "服务时间", "业务时间", "日 期"])
def test_days_go_by_many_names(title: str) -> None:
    assert only([title, "分钟"], datetime(2026, 3, 10, 9, 30), 60).day == date(2026, 3, 10)


def test_a_day_comes_before_a_time_of_service() -> None:
    assert only(["服务时间", "日期", "分钟"], "08:30-10:00", "2026-03-10", 90).day == date(2026, 3, 10)


@pytest.mark.parametrize("title", ["人员", "姓名", "志愿者", "志愿者姓名", "服务对象", "老人姓名"])
def test_people_go_by_many_names(title: str) -> None:
    assert only(["日期", "分钟", title], "2026-03-10", 60, "王梅").name == "王梅"


@pytest.mark.parametrize("title", ["分钟", "分钟数", "服务分钟", "时长（分钟）", "应收/应付分钟", "分钟*"])
def test_minutes_go_by_many_names(title: str) -> None:
    assert only(["日期", title], "2026-03-10", -60).minutes == -60


def test_minutes_come_before_hours_where_a_list_has_both() -> None:
    assert only(["日期", "时长（小时）", "分钟"], "2026-03-10", "1.3", 80).minutes == 80


def test_a_duration_without_its_unit_is_not_guessed_at() -> None:
    with pytest.raises(WorkbookUnreadable, match="column_missing:") as refused:
        read(workbook([["2026-03-10", 60]], ["日期", "时长"]))
    assert refused.value.facts == {"sheet": "往来", "column": "分钟"}


def test_what_is_left_blank_says_nothing() -> None:
    heading = ["日期", "分钟", "姓名", "身份证号", "对方镇街", "编号"]
    assert only(heading, "2026-03-10", 60, None, "", "  ", None) == ListedLine(2, date(2026, 3, 10), 60)


def test_an_offices_own_numbers_and_starred_identity_numbers_say_nothing() -> None:
    line = only(["日期", "分钟", "编号", "身份证号"], "2026-03-10", 60, "XW-2026-031", "330***********3578")
    assert (line.transfer_id, line.id_number) == (None, None)


def test_the_year_may_stand_in_the_title() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for cells in (["西坞街道2026年3月往来清单"], [], ["日期", "分钟"], ["3月10日", 60]):
        sheet.append(cells)
    file = BytesIO()
    book.save(file)
    (line,) = read(file.getvalue()).lines
    assert (line.row, line.day) == (4, date(2026, 3, 10))


def test_the_list_is_found_among_several_sheets() -> None:
    book = openpyxl.Workbook()
    cover, totals = book.worksheets[0], book.create_sheet("每日合计")
    old, listed = book.create_sheet("往来明细（旧）"), book.create_sheet("明细")
    cover.append(["日期", "2026-03-31"])
    for sheet, minutes in ((totals, 600), (old, 30), (listed, 60)):
        sheet.append(["日期", "分钟"])
        sheet.append(["2026-03-10", minutes])
    old.sheet_state = "hidden"
    file = BytesIO()
    book.save(file)
    assert [line.minutes for line in read(file.getvalue()).lines] == [60]


@pytest.mark.parametrize(
    ("heading", "cells", "reason"),
    [
        (["日期", "分钟"], (None, 60), "day_unreadable"),
        (["日期", "分钟"], ("三月十日", 60), "day_unreadable"),
        (["日期", "分钟"], ("2026-03-10", None), "minutes_unreadable"),
        (["日期", "分钟"], ("2026-03-10", "约60"), "minutes_unreadable"),
        (["日期", "时长小时"], ("2026-03-10", 0.33), "minutes_unreadable"),
        (["日期", "分钟", "方向"], ("2026-03-10", 60, None), "direction_unreadable"),
        (["日期", "分钟", "方向"], ("2026-03-10", 60, "收付"), "direction_unreadable"),
        (["日期", "分钟", "方向"], ("2026-03-10", -60, "应收"), "direction_unreadable"),
        (["日期", "分钟", "对方镇街"], ("2026-03-10", 60, "溪口镇"), "counterpart_unknown"),
        (["日期", "分钟", "身份证号"], ("2026-03-10", 60, SOMEBODY[:-1] + "0"), "id_number_invalid"),
        (["日期", "分钟", "身份证号"], ("2026-03-10", 60, float(SOMEBODY)), "id_number_invalid"),
    ],
)
def test_a_row_that_nobody_can_read_says_why(heading: list[str], cells: tuple[object, ...], reason: str) -> None:
    assert why_not(heading, *cells) == reason


def test_a_direction_agrees_with_a_sign_or_stands_for_it() -> None:
    heading = ["日期", "分钟", "方向"]
    signed = [only(heading, "2026-03-10", *cells).minutes for cells in ((60, "应收"), (60, "应付"), (-60, "应付"))]
    assert signed == [60, -60, -60]


@pytest.mark.parametrize(
    ("written", "minutes"),
    [(60, 60), (-60, -60), (60.0, 60), ("60分钟", 60), ("-1,200", -1200), ("－６０", -60), ("−60", -60), ("+5", 5)],
)
def test_minutes_are_read(written: object, minutes: int) -> None:
    assert read_minutes(written) == minutes


@pytest.mark.parametrize(
    "written", [0, "0", 1.5, "", None, True, "60-90", "1e3", "٦٠", "1234567890", float("nan"), datetime(2026, 1, 1)]
)
def test_what_is_no_number_of_minutes_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"[\u4e00-\u9fff]"):
        read_minutes(written)


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        (1.5, 90),
        ("2", 120),
        ("-0.75", -45),
        (1 / 3, 20),
        (0.333333, 20),
        ("1小时30分钟", 90),
        ("2个小时", 120),
        ("12时5分", 725),
        ("45分钟", 45),
        ("-1小时", -60),
        (time(1, 30), 90),
        (timedelta(hours=26), 1560),
        (-timedelta(minutes=30), -30),
    ],
)
def test_hours_are_read_as_whole_minutes(written: object, minutes: int) -> None:
    assert read_hours(written) == minutes


@pytest.mark.parametrize(
    "written", [0, 0.33, "", None, "-", True, "一个半小时", time(0, 0, 30), "1:30pm", "4530分", datetime.min]
)
def test_what_is_no_number_of_hours_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"[\u4e00-\u9fff]"):
        read_hours(written)


def test_directions_and_ids_are_read() -> None:
    assert (read_direction(" 应 收 "), read_direction("应付"), read_direction("付")) == (1, -1, -1)
    assert read_transfer_id(f" {ID} ") == ID
    assert read_transfer_id(20260310) is None
