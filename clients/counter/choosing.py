"""From what a clerk types (a meal, a dish, a name, an amount) to what the bank calls it."""

from __future__ import annotations

import re
from typing import Any

import click

from clients.counter.desk import DeskTrouble
from clients.counter.meal_desk import MealDesk
from clients.counter.meal_words import MEALS, fen_of, purse_text
from clients.miniprogram.terminal.asking import asked

MENU = "menu"
_TIMES = re.compile(r"(.+?)[xX×*](\d{1,3})")
_MOST_FEN = 100_000_000

meal_option = click.option("--meal", metavar="餐次", help="早餐、午餐或晚餐；不写就是现在这一餐")
four_option = click.option("--four", metavar="后四位", help="身份证后四位；不写会问")
which_option = click.option("--which", type=int, metavar="序号", help="同名同号的有几位时，是第几位")


def chosen_meal(meals: MealDesk, typed: str | None) -> str:
    """The meal ``typed``, or that of now. Raises DeskTrouble, LineDown or Problem."""
    if typed is None:
        return meals.meal_now()
    for meal, name in MEALS.items():
        if typed.strip() in (meal, name, name[0]):
            return meal
    raise DeskTrouble(f"没有「{typed}」这一餐。", f"请写：{'、'.join(MEALS.values())}")


def menu_of(meals: MealDesk, meal: str) -> list[dict[str, Any]]:
    """Today's dishes of a meal, as the bank lists them. Raises LineDown or Problem."""
    found = meals.items("/menus", canteen_id=meals.today()["canteen_id"])
    return [one for one in found if one["meal"] == meal and one["state"] == "released" and not one["withdrawn_at"]]


def chosen_dish(meals: MealDesk, typed: str, menu: list[dict[str, Any]]) -> dict[str, Any]:
    """The dish ``typed``: a number of the menu shown last, a name or its start. Raises DeskTrouble."""
    typed, shown = typed.strip(), meals.shown(MENU)
    if typed.isdecimal():
        wanted = shown[int(typed) - 1] if 0 < int(typed) <= len(shown) else None
        fitting = [one for one in menu if one["menu_item_id"] == wanted]
    else:
        fitting = [one for one in menu if one["name"] == typed]
        fitting = fitting or [one for one in menu if typed and one["name"].startswith(typed)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = "、".join(one["name"] for one in fitting)
        raise DeskTrouble(f"有 {len(fitting)} 样菜都像「{typed}」：{names}。", "请写全名，或用菜单里的序号。")
    raise DeskTrouble(f"这一餐的菜单上没有「{typed}」。", "先看菜单，再写菜名或序号：timebank counter menu")


def chosen_dishes(meals: MealDesk, typed: tuple[str, ...], menu: list[dict[str, Any]]) -> dict[str, int]:
    """How many of each dish, by the id on the menu; ``红烧肉x2`` is two. Raises DeskTrouble."""
    wanted: dict[str, int] = {}
    for one in typed:
        found = _TIMES.fullmatch(one.strip())
        name, quantity = (found.group(1), int(found.group(2))) if found else (one, 1)
        item_id = str(chosen_dish(meals, name, menu)["menu_item_id"])
        wanted[item_id] = wanted.get(item_id, 0) + quantity
    if not all(wanted.values()):
        raise DeskTrouble("份数要大于零。", "请这样写：红烧肉x2")
    return wanted


def chosen_diner(meals: MealDesk, name: str, four: str | None, which: int | None) -> dict[str, Any]:
    """Who has this name and these last four; asked for where they are not typed. Raises DeskTrouble or Problem."""
    said = four if four is not None else asked(f"{name} 的身份证后四位")
    found = meals.find_diner(name.strip(), said)
    if not found:
        raise DeskTrouble(f"没有找到「{name}」，身份证后四位 {said}。", "请看着身份证再写一次。")
    if which is None and len(found) == 1:
        return found[0]
    if which is not None and 0 < which <= len(found):
        return found[which - 1]
    several = "；".join(f"{number}．{_where(one)}，{purse_text(one)}" for number, one in enumerate(found, start=1))
    raise DeskTrouble(f"同名同号的有 {len(found)} 位：{several}", "问清住在哪里，再加 --which 序号")


def chosen_fen(typed: str) -> int:
    """An amount in yuan, as fen. Raises DeskTrouble."""
    fen = fen_of(typed)
    if fen is None or not 0 < fen <= _MOST_FEN:
        raise DeskTrouble(f"没有看懂金额「{typed}」。", "请写多少元，如 50 或 12.50")
    return fen


def _where(diner: dict[str, Any]) -> str:
    return f"{diner['township_name']}{diner['village'] or ''}"
