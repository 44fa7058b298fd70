"""Meals on the phone: canteens near, their menus; and the group that ordering, files, purse and ratings stand in."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import click

from clients.miniprogram.terminal import diner_files, meal_orders, meal_words, purse, ratings, standing, words
from clients.miniprogram.terminal.choosing import chosen_by_code_or_name, for_elder
from clients.miniprogram.terminal.commands import PhoneGroup, on_phone
from clients.miniprogram.terminal.handset import Handset
from clients.miniprogram.terminal.meal_choosing import (
    CANTEENS,
    MENU_ITEMS,
    MENU_SHOWN,
    canteen_option,
    chosen_canteen,
    chosen_code,
    chosen_day,
    chosen_place,
    diner_file,
    elder_option,
    menu_items,
)


@click.group("meal", cls=PhoneGroup)
def meal() -> None:
    """老年助餐：看菜单、订餐、餐费。"""


@meal.command("canteens")
@click.option("--near", metavar="纬度,经度", help="在哪里附近；不写就是用餐档案里的住处")
@click.option("--township", metavar="代码或名称", help="只看这个镇街的")
@click.option("--meal", "which", metavar="餐次", help="只看今天供应这一餐的，如 午餐")
@elder_option
@on_phone
def canteens(handset: Handset, near: str | None, township: str | None, which: str | None, elder: str | None) -> None:
    """附近的助餐点，近的在前。"""
    query: dict[str, Any] = {"meal": chosen_code(meal_words.MEALS, which, "餐次") if which else None}
    if township:
        query["township_code"] = chosen_by_code_or_name(handset.api.items("/townships"), township, "镇街")
    if near or not township:
        query |= chosen_place(near) if near else _home(handset, elder)
    found = list(handset.api.items("/canteens", query))
    handset.remember_list(CANTEENS, [one["canteen_id"] for one in found])
    if not found:
        handset.screen.show("这里没有助餐点", ["看一个镇街的：timebank phone meal canteens --township 名称"])
        return
    for number, one in enumerate(found, start=1):
        handset.screen.show(f"{number}．{one['name']}", meal_words.canteen_lines(one))
    handset.screen.hint("看菜单：timebank phone meal menu --canteen 序号")


@meal.command("menu")
@click.option("--day", metavar="日子", help="哪一天，如 明天、星期三、2026-11-25；不写就是今天")
@click.option("--meal", "which", metavar="餐次", help="只看这一餐，如 午餐")
@canteen_option
@elder_option
@on_phone
def menu(handset: Handset, day: str | None, which: str | None, canteen: str | None, elder: str | None) -> None:
    """看菜单：价钱、爱心餐、过敏要当心的、还剩多少。"""
    diner = diner_file(handset, for_elder(handset, elder))
    canteen_id, on = chosen_canteen(handset, canteen, diner), chosen_day(handset, day)
    code = chosen_code(meal_words.MEALS, which, "餐次") if which else None
    found = [one for one in menu_items(handset, canteen_id, on) if code in (None, one["meal"])]
    handset.remember_list(MENU_SHOWN, [canteen_id, on])
    handset.remember_list(MENU_ITEMS, [one["menu_item_id"] for one in found])
    name = handset.api.get(f"/canteens/{canteen_id}")["name"]
    if not found:
        handset.screen.show(
            f"{name}，{words.day_text(on)}没有菜单", ["看别的日子：timebank phone meal menu --day 明天"]
        )
        return
    handset.screen.show(name, [words.day_text(on), *_whose(diner)])
    numbered = list(enumerate(found, start=1))
    for meal_name, dishes in groupby(numbered, key=lambda one: str(one[1]["meal_name"])):
        _show_dishes(handset, meal_name, list(dishes), diner)
    more = f" --for {elder}" if elder else ""
    handset.screen.hint(f"先算算要付多少：timebank phone meal price 序号{more}")
    handset.screen.hint(f"订餐：timebank phone meal order 序号{more}")


for _command in (
    command
    for noun in (meal_orders, standing, diner_files, purse, ratings)
    for command in noun.COMMANDS
):  # fmt: skip
    meal.add_command(_command)

COMMANDS = (meal,)


def _home(handset: Handset, elder: str | None) -> dict[str, Any]:
    """Where the diner lives, as far as the file says; else the own township."""
    whose = for_elder(handset, elder)
    diner = diner_file(handset, whose)
    if diner is not None and diner["latitude"] is not None:
        return {"latitude": diner["latitude"], "longitude": diner["longitude"]}
    if diner is not None and diner["township_code"]:
        return {"township_code": diner["township_code"]}
    return {"township_code": handset.api.get("/me")["township_code"]}


def _whose(diner: dict[str, Any] | None) -> list[str]:
    """For whom warnings are given; nothing without a file."""
    if diner is None:
        return []
    wishes = [diner["diet_form_name"], *(f"{one}过敏" for one in diner["allergies"])]
    if diner["religious_diet"]:
        wishes.append(diner["religious_diet"])
    return [f"用餐人：{diner['name']}（{'，'.join(wishes)}）"]


def _show_dishes(
    handset: Handset, title: str, dishes: Sequence[tuple[int, dict[str, Any]]], diner: dict[str, Any] | None
) -> None:
    rows = [
        (str(number), meal_words.dish_text(one, diner), words.yuan_text(one["price_fen"]), meal_words.left_text(one))
        for number, one in dishes
    ]
    if handset.screen.is_narrow:
        narrow = [(f"{number}．{what}", f"{price}\n{left}") for number, what, price, left in rows]
        handset.screen.table(title, [("菜", False), ("价钱", True)], narrow)
    else:
        columns = [("序号", True), ("菜", False), ("价钱", True), ("还有", True)]
        handset.screen.table(title, columns, rows)
