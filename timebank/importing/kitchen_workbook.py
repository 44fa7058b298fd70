"""One meal of one kitchen 后厨单 as the workbook that hangs in the kitchen: 生产计划, 分送清单 and 过敏提示."""

from __future__ import annotations

from typing import Any, BinaryIO

from timebank.canteens.delivery.queries.kitchen import KitchenDay
from timebank.canteens.pricing.rules import DIET_FORM_NAMES, MEAL_NAMES, WAY_NAMES, DietForm, Meal, Way
from timebank.importing.office_workbook import office_sheet, office_workbook
from timebank.importing.statement_pen import Pen, Styles, set_columns

# It hangs on a wall.
_LARGE = {"font_name": "宋体", "font_size": 12}
_PLAN = (("菜品", 26), ("形态", 10), ("助餐点", 26), ("份数", 10))
_BOXES = (("助餐点", 26), ("形态", 10), ("用餐方式", 14), ("餐盒", 10), ("份数", 10))
_ALLERGIES = (("助餐点", 26), ("取餐号", 10), ("形态", 10), ("过敏", 20), ("含过敏原的菜", 28))


def kitchen_title(day: KitchenDay) -> str:
    """``西坞中心食堂 2026年03月10日 午餐（订餐未截止，仅供参考）``."""
    when = f"{day.served_on:%Y年%m月%d日} {MEAL_NAMES[Meal(day.meal)]}"
    return f"{day.canteen_name} {when}{'（订餐未截止，仅供参考）' if day.provisional else ''}"


def write_kitchen_day(file: BinaryIO, day: KitchenDay) -> None:
    """Write the workbook to ``file``."""
    title = kitchen_title(day)
    with office_workbook(file, title, default_format_properties=_LARGE) as (book, styles):
        _write_plan(_begin(book, styles, "生产计划", title, _PLAN), day)
        _write_boxes(_begin(book, styles, "分送清单", title, _BOXES), day)
        _write_allergies(_begin(book, styles, "过敏提示", title, _ALLERGIES), day)


def _begin(book: Any, styles: Styles, name: str, title: str, columns: tuple[tuple[str, int], ...]) -> Pen:
    sheet = office_sheet(book, name, landscape=False)
    headings, pen = set_columns(sheet, columns), Pen(sheet, styles)
    pen.wide(0, len(columns) - 1, f"{title} {name}", "title")
    pen.next_row(24)
    pen.headings(*headings)
    sheet.repeat_rows(pen.row)
    return pen


def _write_plan(pen: Pen, day: KitchenDay) -> None:
    """Each dish and form with its canteens below one another, and the sum for the pot."""
    for total in day.totals:
        for line in day.dishes:
            if (line.dish, line.diet_form) == (total.dish, total.diet_form):
                pen.next_row(20)
                pen.text(0, line.dish)
                pen.text(1, DIET_FORM_NAMES[DietForm(line.diet_form)])
                pen.text(2, line.canteen_name)
                pen.whole(3, line.portions)
        pen.next_row(20)
        pen.text(0, total.dish, "text_total")
        pen.text(1, DIET_FORM_NAMES[DietForm(total.diet_form)], "text_total")
        pen.text(2, "小计", "text_total")
        pen.whole(3, total.portions, total=True)
    pen.next_row(20)
    for column, word in enumerate(("合计", "", "")):
        pen.text(column, word, "text_total")
    pen.whole(3, day.portions, total=True)


def _write_boxes(pen: Pen, day: KitchenDay) -> None:
    for line in day.distribution:
        pen.next_row(20)
        pen.text(0, line.canteen_name)
        pen.text(1, DIET_FORM_NAMES[DietForm(line.diet_form)])
        pen.text(2, WAY_NAMES[Way(line.way)])
        pen.whole(3, line.boxes)
        pen.whole(4, line.portions)
    pen.next_row(20)
    for column, word in enumerate(("合计", "", "")):
        pen.text(column, word, "text_total")
    pen.whole(3, day.boxes, total=True)
    pen.whole(4, day.portions, total=True)


def _write_allergies(pen: Pen, day: KitchenDay) -> None:
    for line in day.allergies:
        pen.next_row(20)
        pen.text(0, line.canteen_name)
        pen.whole(1, line.pickup_number)
        pen.text(2, DIET_FORM_NAMES[DietForm(line.diet_form)])
        pen.text(3, "、".join(line.allergies))
        pen.text(4, "、".join(line.dishes), "text_total" if line.dishes else "text")
