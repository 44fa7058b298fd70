"""Which rows of a menu's workbook go in, and why the others come back. Pure: no database, no clock.

A row has one reason, the first that applies; a row that did not go in never stands in a later row's way.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from timebank.canteens.menus.rules import same_name
from timebank.canteens.pricing.rules import DIET_FORM_NAMES, MEAL_NAMES, DietForm, Meal
from timebank.importing.cells import read_day, read_text
from timebank.importing.rules import Rejected
from timebank.people.widths import half_width, without_blanks

REASONS = {
    "day_unreadable": "日期无法识别",
    "day_outside_week": "日期不在这一周内",
    "meal_unknown": "餐次无法识别，请写早餐、午餐或晚餐",
    "name_missing": "缺少菜名",
    "text_too_long": "菜名、份量最多60字，食材来源最多200字",
    "price_missing": "缺少单价",
    "price_invalid": "单价无法识别：须为大于零、不超过一万元的金额，最多两位小数",
    "love_meal_unclear": "爱心餐一栏请写“是”或“否”",
    "diet_form_unknown": "形态无法识别，请写普通、软食、碎食、流食",
    "diet_tag_unknown": "标签不在办法所列之内",
    "allergen_unknown": "过敏原不在办法所列之内",
    "limit_invalid": "限量须为整数，不限请留空",
    "dish_twice": "与前面的行是同一餐的同一道菜，以前面的行为准",
    "menu_released": "这一周的菜单已发布，请在系统中逐条更改",
}
"""Why a row comes back, by code."""

MOST_PRICE_FEN = 1_000_000
MOST_PORTIONS = 100_000

_PRICE = re.compile(r"[¥￥]?([0-9]{1,6}(?:\.[0-9]{1,2}0*)?)元?(?:/份)?")
_LIMIT = re.compile(r"([0-9]{1,6})(?:份|客)?")
_DIVIDERS = re.compile(r"[、，,；;/\s]+")
_YES, _NO = {"是", "√", "✓", "✔", "有", "爱心餐", "1", "y", "yes"}, {"", "否", "×", "无", "不是", "0", "n", "no"}
_NOTHING = {"无", "没有", "-", "/"}
_MEAL_WORDS = {word: meal for meal, name in MEAL_NAMES.items() for word in (name, name[0], meal.value)} | {
    "早饭": Meal.BREAKFAST,
    "中餐": Meal.LUNCH,
    "中饭": Meal.LUNCH,
    "午饭": Meal.LUNCH,
    "中": Meal.LUNCH,
    "晚饭": Meal.SUPPER,
    "夜饭": Meal.SUPPER,
}
_FORM_WORDS = {name: form for form, name in DIET_FORM_NAMES.items()} | {
    "普食": DietForm.NORMAL,
    "正常": DietForm.NORMAL,
    "普通饮食": DietForm.NORMAL,
    "半流食": DietForm.SOFT,
    "软": DietForm.SOFT,
    "碎": DietForm.MINCED,
    "流质": DietForm.LIQUID,
}


@dataclass(frozen=True, slots=True)
class MenuRow:
    """A row of the sheet 菜单: numbers and days as they stood, texts tidied."""

    row: int
    cells: tuple[object, ...]
    day: object
    title_year: int | None
    meal: str
    name: str
    portion: str
    price: object
    love_meal: object
    diet_forms: str
    diet_tags: str
    allergens: str
    sources: str
    limit: object


@dataclass(frozen=True, slots=True)
class MenuLine:
    """A row that goes in."""

    row: int
    served_on: date
    meal: Meal
    name: str
    portion: str
    price_fen: int
    is_love_meal: bool
    diet_forms: tuple[str, ...]
    diet_tags: tuple[str, ...]
    allergens: tuple[str, ...]
    sources: str
    portions_limit: int | None


@dataclass(frozen=True, slots=True)
class Words:
    """The words that policy knows."""

    diet_tags: Collection[str]
    allergens: Collection[str]


class _Unfit(ValueError):
    """A row that comes back, by the code of the reason."""


def judge_menu(rows: Sequence[MenuRow], *, week_starts_on: date, words: Words) -> tuple[list[MenuLine], list[Rejected]]:
    """The rows that go in and those that come back, each in the order of the sheet."""
    lines: list[MenuLine] = []
    rejected: list[Rejected] = []
    taken: set[tuple[date, str, str]] = set()
    for row in rows:
        try:
            line = _line(row, week_starts_on, words)
            place = (line.served_on, line.meal, same_name(line.name))
            if place in taken:
                raise _Unfit("dish_twice")
        except _Unfit as reason:
            rejected.append(Rejected(row.row, str(reason)))
            continue
        taken.add(place)
        lines.append(line)
    return lines, rejected


def _line(row: MenuRow, week_starts_on: date, words: Words) -> MenuLine:
    served_on = _day(row, week_starts_on)
    meal = _MEAL_WORDS.get(without_blanks(half_width(row.meal)).lower())
    if meal is None:
        raise _Unfit("meal_unknown")
    if not any(char.isalnum() for char in row.name):
        raise _Unfit("name_missing")
    if max(len(row.name), len(row.portion)) > 60 or len(row.sources) > 200:
        raise _Unfit("text_too_long")
    return MenuLine(
        row=row.row,
        served_on=served_on,
        meal=meal,
        name=row.name,
        portion=row.portion,
        price_fen=_price(row.price),
        is_love_meal=_love_meal(row.love_meal),
        diet_forms=tuple(_forms(row.diet_forms)),
        diet_tags=_known(row.diet_tags, words.diet_tags, "diet_tag_unknown"),
        allergens=_known(row.allergens, words.allergens, "allergen_unknown"),
        sources=row.sources,
        portions_limit=_limit(row.limit),
    )


def _day(row: MenuRow, week_starts_on: date) -> date:
    try:
        # A day without a year is one of the week, on either side of New Year.
        day = read_day(row.day, default_year=row.title_year or week_starts_on.year)
        if day < week_starts_on - timedelta(days=300):
            day = read_day(row.day, default_year=week_starts_on.year + 1)
    except ValueError:
        raise _Unfit("day_unreadable") from None
    if not week_starts_on <= day <= week_starts_on + timedelta(days=6):
        raise _Unfit("day_outside_week")
    return day


def _price(value: object) -> int:
    # What a formula came to may miss the fen by the last of its digits.
    nearly = isinstance(value, float) and math.isfinite(value) and abs(value - round(value, 2)) < 1e-9
    text = _plain(round(value, 2) if isinstance(value, float) and nearly else value)
    if not text:
        raise _Unfit("price_missing")
    found = None if isinstance(value, bool) else _PRICE.fullmatch(text)
    if found is None:
        raise _Unfit("price_invalid")
    fen = int(Decimal(found[1]) * 100)
    if not 0 < fen <= MOST_PRICE_FEN:
        raise _Unfit("price_invalid")
    return fen


def _love_meal(value: object) -> bool:
    text = _plain(value).lower()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise _Unfit("love_meal_unclear")


def _limit(value: object) -> int | None:
    text = _plain(value)
    if text in ("", "不限", "无"):
        return None
    found = None if isinstance(value, bool) else _LIMIT.fullmatch(text)
    if found is None or int(found[1]) > MOST_PORTIONS:
        raise _Unfit("limit_invalid")
    return int(found[1])


def _forms(text: str) -> Iterator[str]:
    said = _several(text) or ["普通"]
    for word in said:
        if word not in _FORM_WORDS:
            raise _Unfit("diet_form_unknown")
    yield from dict.fromkeys(str(_FORM_WORDS[word]) for word in said)


def _known(text: str, known: Collection[str], reason: str) -> tuple[str, ...]:
    said = _several(text)
    if not set(said) <= set(known):
        raise _Unfit(reason)
    return tuple(dict.fromkeys(said))


def _several(text: str) -> list[str]:
    plain = half_width(text).strip()
    return [] if plain in _NOTHING else [word for word in _DIVIDERS.split(plain) if word]


def _plain(value: object) -> str:
    return without_blanks(half_width(read_text(value))).replace(",", "")
