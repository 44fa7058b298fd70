"""Reading a menu's workbook: which rows go in, why others come back, and the empty one to fill in."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from io import BytesIO

import openpyxl
import pytest

from tests.factories.menus import HEADING, a_row, menu_workbook
from timebank.canteens.pricing.rules import Meal
from timebank.importing.menu_rows import REASONS, MenuLine, Words, judge_menu
from timebank.importing.menu_workbook import read_menu_workbook, write_menu_template
from timebank.importing.package import WorkbookUnreadable

MONDAY = date(2026, 11, 23)
WORDS = Words(("清真", "低盐"), ("花生", "蛋类"))


def judged(*rows: list[object], week: date = MONDAY) -> tuple[list[MenuLine], list[tuple[int, str]]]:
    """The lines that go in, and row and reason of the others."""
    read = read_menu_workbook(menu_workbook(rows), name="菜单.xlsx")
    lines, rejected = judge_menu(read.rows, week_starts_on=week, words=WORDS)
    return lines, [(one.row, one.reason) for one in rejected]


def test_a_row_is_read_as_offices_write_it() -> None:
    row = a_row("11月24日", "中餐", " 红烧肉 ", "¥12.50元", 爱心餐="√", 形态="普通、碎食", 标签="低盐", 限量="50份")
    (line,), rejected = judged([*row[:8], "花生，蛋类", "大堰农户", "50份"])
    assert rejected == []
    assert line == MenuLine(
        row=2,
        served_on=date(2026, 11, 24),
        meal=Meal.LUNCH,
        name="红烧肉",
        portion="",
        price_fen=1250,
        is_love_meal=True,
        diet_forms=("normal", "minced"),
        diet_tags=("低盐",),
        allergens=("花生", "蛋类"),
        sources="大堰农户",
        portions_limit=50,
    )


@pytest.mark.parametrize(
    ("price", "fen"),
    [
        (8, 800),
        (8.5, 850),
        (0.01, 1),
        ("8.50", 850),
        ("1,000元", 100_000),
        ("８元/份", 800),
        (8.399999999999999, 840),
        (8.405, None),
    ],
)
def test_prices_are_whole_fen_or_come_back(price: object, fen: int | None) -> None:
    lines, rejected = judged(a_row(MONDAY, price=price))
    assert [line.price_fen for line in lines] == ([] if fen is None else [fen])
    assert rejected == ([(2, "price_invalid")] if fen is None else [])


def test_empty_cells_mean_the_usual() -> None:
    (line,), _ = judged(a_row(datetime(2026, 11, 29), "晚餐"))
    assert (line.is_love_meal, line.diet_forms, line.allergens, line.portions_limit) == (False, ("normal",), (), None)
    assert line.served_on == date(2026, 11, 29)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (a_row("什么时候"), "day_unreadable"),
        (a_row(MONDAY - timedelta(days=1)), "day_outside_week"),
        (a_row(MONDAY + timedelta(days=7)), "day_outside_week"),
        (a_row(MONDAY, "夜宵"), "meal_unknown"),
        (a_row(MONDAY, "", "红烧肉"), "meal_unknown"),
        (a_row(MONDAY, name="——"), "name_missing"),
        (a_row(MONDAY, name="长" * 61), "text_too_long"),
        (a_row(MONDAY, 食材来源="长" * 201), "text_too_long"),
        (a_row(MONDAY, price=None), "price_missing"),
        (a_row(MONDAY, price=0), "price_invalid"),
        (a_row(MONDAY, price=-8), "price_invalid"),
        (a_row(MONDAY, price="8.005"), "price_invalid"),
        (a_row(MONDAY, price=10_000.01), "price_invalid"),
        (a_row(MONDAY, price=True), "price_invalid"),
        (a_row(MONDAY, price="面议"), "price_invalid"),
        (a_row(MONDAY, 爱心餐="也许"), "love_meal_unclear"),
        (a_row(MONDAY, 形态="冻食"), "diet_form_unknown"),
        (a_row(MONDAY, 标签="低盐、随便"), "diet_tag_unknown"),
        (a_row(MONDAY, 过敏原="灰尘"), "allergen_unknown"),
        (a_row(MONDAY, 限量="很多"), "limit_invalid"),
        (a_row(MONDAY, 限量=1.5), "limit_invalid"),
        (a_row(MONDAY, 限量=-1), "limit_invalid"),
    ],
)
def test_a_bad_row_comes_back_with_its_reason(row: list[object], reason: str) -> None:
    lines, rejected = judged(row, a_row(MONDAY, name="炒青菜"))
    assert [line.name for line in lines] == ["炒青菜"]
    assert rejected == [(2, reason)]
    assert reason in REASONS


def test_a_dish_twice_at_a_meal_comes_back_unless_the_first_did() -> None:
    bad, good, again = a_row(MONDAY, price="?"), a_row(MONDAY), a_row(MONDAY, name="红 烧 肉", price=13)
    lines, rejected = judged(bad, good, again, a_row(MONDAY, "晚餐"))
    assert [(line.row, line.price_fen) for line in lines] == [(3, 1200), (5, 1200)]
    assert rejected == [(2, "price_invalid"), (4, "dish_twice")]


def test_a_day_without_a_year_is_found_on_either_side_of_new_year() -> None:
    lines, rejected = judged(a_row("12月31日"), a_row("1月2日"), week=date(2026, 12, 28))
    assert [line.served_on for line in lines] == [date(2026, 12, 31), date(2027, 1, 2)]
    assert rejected == []


def test_a_workbook_without_the_sheet_or_a_column_is_refused_with_its_name() -> None:
    with pytest.raises(WorkbookUnreadable, match="sheet_missing"):
        read_menu_workbook(menu_workbook([a_row(MONDAY)], sheet="菜谱"), name="x")
    book = openpyxl.load_workbook(BytesIO(menu_workbook([a_row(MONDAY)])))
    book["菜单"]["E1"] = "别的"
    file = BytesIO()
    book.save(file)
    with pytest.raises(WorkbookUnreadable, match="单价（元）"):
        read_menu_workbook(file.getvalue(), name="x")
    with pytest.raises(WorkbookUnreadable, match="workbook_not_excel"):
        read_menu_workbook(b"a,b,c", name="x")


def test_the_template_is_empty_has_every_heading_and_takes_rows() -> None:
    file = BytesIO()
    write_menu_template(file, words=WORDS)
    read = read_menu_workbook(file.getvalue(), name="x")
    assert (read.rows, read.titles) == ((), HEADING)
    book = openpyxl.load_workbook(BytesIO(file.getvalue()))
    explained = "".join(str(cell.value) for row in book["填写说明"].iter_rows() for cell in row)
    assert all(word in explained for word in (*WORDS.diet_tags, *WORDS.allergens))
    book["菜单"].append(a_row(MONDAY))
    filled = BytesIO()
    book.save(filled)
    assert len(read_menu_workbook(filled.getvalue(), name="x").rows) == 1
