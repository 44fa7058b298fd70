"""From what a person types about meals (a number of the menu, a weekday, 午餐) to what the bank calls it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import click

from clients.miniprogram.problem import Problem
from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.asking import asked
from clients.miniprogram.terminal.choosing import chosen_by_code_or_name, chosen_entry
from clients.miniprogram.terminal.handset import Handset, PhoneTrouble

CANTEENS, MENU_ITEMS, MENU_SHOWN = "canteens", "menu-items", "menu-shown"

_AHEAD = {"今天": 0, "明天": 1, "后天": 2}
_WEEKDAY = re.compile(r"(?:星期|周|礼拜)([一二三四五六日天])")
_NUMBERS = str.maketrans("一二三四五六日天", "12345677")
_PLACE = re.compile(r"(-?\d+(?:\.\d+)?)\s*[,，]\s*(-?\d+(?:\.\d+)?)")
_DISH = re.compile(r"(.*?\S)\s*[xX×*]\s*(\d{1,4})")

elder_option = click.option("--for", "elder", metavar="名字或序号", help="替哪位老人办")
canteen_option = click.option("--canteen", metavar="名字或序号", help="哪个助餐点；不写就是常去的那个")


def chosen_code(named: Mapping[str, str], typed: str, what: str) -> str:
    """The code behind one of the names, or behind the start of one. Raises PhoneTrouble."""
    return chosen_by_code_or_name([{"code": code, "name": name} for name, code in named.items()], typed.strip(), what)


def chosen_codes(named: Mapping[str, str], typed: Iterable[str], what: str) -> list[str]:
    """The codes behind several names, which may stand in one with 、 or commas between them. Raises PhoneTrouble."""
    said = [one.strip() for part in typed for one in re.split("[、，,]", part)]
    return list(dict.fromkeys(chosen_code(named, one, what) for one in said if one))


def today(handset: Handset) -> date:
    """Today on the bank's clock, in Fenghua."""
    return words.day_of(handset.api.get("/me/balance")["as_of"])


def chosen_day(handset: Handset, typed: str | None) -> str:
    """``明天``, ``星期三`` (the next one), ``2026-11-25``; nothing is today. Raises PhoneTrouble."""
    said = (typed or "今天").strip()
    weekday = _WEEKDAY.fullmatch(said)
    if said in _AHEAD:
        return (today(handset) + timedelta(days=_AHEAD[said])).isoformat()
    if weekday:
        now = today(handset)
        ahead = (int(weekday[1].translate(_NUMBERS)) - now.isoweekday()) % 7
        return (now + timedelta(days=ahead)).isoformat()
    try:
        return date.fromisoformat(said).isoformat()
    except ValueError:
        raise PhoneTrouble(f"没有看懂日子「{said}」。", "可以写 明天、星期三，或 2026-11-25") from None


def chosen_weekdays(typed: str) -> list[int]:
    """``一二三四五``, ``每天``, ``周一到周五``, ``1 3 5`` as numbers, Monday is 1. Raises PhoneTrouble."""
    if typed.strip() in {"每天", "天天"}:
        return list(range(1, 8))
    said = re.sub(r"星期|礼拜|[每周、，,\s]", "", typed).translate(_NUMBERS)
    ends = re.fullmatch(r"([1-7])[到至-]([1-7])", said)
    if ends and ends[1] <= ends[2]:
        return list(range(int(ends[1]), int(ends[2]) + 1))
    if not re.fullmatch(r"[1-7]+", said):
        raise PhoneTrouble(f"没有看懂星期「{typed}」。", "可以写 一二三四五，或 每天")
    return sorted({int(one) for one in said})


def chosen_place(typed: str) -> dict[str, float]:
    """``29.69,121.47`` as latitude and longitude. Raises PhoneTrouble."""
    found = _PLACE.fullmatch(typed.strip())
    if not found:
        raise PhoneTrouble(f"没有看懂位置「{typed}」。", "请这样写（纬度,经度）：29.69,121.47")
    return {"latitude": float(found[1]), "longitude": float(found[2])}


def diner_file(handset: Handset, whose: Mapping[str, str]) -> dict[str, Any] | None:
    """The file of the elder that is meant, else one's own; None where nobody has applied yet."""
    person_id = whose.get("for_person_id") or handset.api.get("/me")["person_id"]
    try:
        return handset.api.get(f"/diners/{person_id}")
    except Problem as problem:
        if problem.code != "diner_unknown":
            raise
        return None


def chosen_canteen(handset: Handset, typed: str | None, diner: Mapping[str, Any] | None) -> str:
    """The id of the canteen ``typed``, else of the one the diner usually goes to. Raises PhoneTrouble."""
    if typed is not None:
        return str(chosen_entry(handset, typed, CANTEENS, handset.api.items("/canteens"), "canteen_id")["canteen_id"])
    if diner is None or not diner["usual_canteen_id"]:
        raise PhoneTrouble(
            "还没有选常去的助餐点。", "请先看有哪些：timebank phone meal canteens\n再加写 --canteen 序号"
        )
    return str(diner["usual_canteen_id"])


def menu_items(handset: Handset, canteen_id: str, day: str) -> list[dict[str, Any]]:
    """What a canteen offers on a day, in the order of meals."""
    return list(handset.api.items("/menus", {"canteen_id": canteen_id, "from": day, "to": day}))


def shown_menu(handset: Handset) -> tuple[str, str, list[str]]:
    """The canteen, the day and the dishes of the menu shown last. Raises PhoneTrouble when none was."""
    shown = handset.last_list(MENU_SHOWN)
    if len(shown) != 2:
        raise PhoneTrouble("请先看菜单，再选菜。", "看菜单：timebank phone meal menu")
    return shown[0], shown[1], handset.last_list(MENU_ITEMS)


def chosen_dishes(
    handset: Handset, typed: Sequence[str], items: Sequence[dict[str, Any]]
) -> tuple[str, list[dict[str, Any]]]:
    """The meal of the dishes ``typed`` (``1``, ``红烧肉``, ``2x3``: three of the second), and how an order names them.

    Raises PhoneTrouble for a dish that is not on the menu, and for dishes of two meals.
    """
    wanted = typed or asked("要哪几样（菜单上的序号，两份写 1x2，中间空一格）").split()
    quantities: dict[str, int] = {}
    meals = {}
    for one in wanted:
        found = _DISH.fullmatch(one.strip())
        name, quantity = (found[1], int(found[2])) if found else (one, 1)
        item = chosen_entry(handset, name, MENU_ITEMS, items, "menu_item_id")
        meals[item["meal"]] = item["meal_name"]
        quantities[item["menu_item_id"]] = quantities.get(item["menu_item_id"], 0) + quantity
    if len(meals) > 1:
        raise PhoneTrouble(f"这些菜不是同一餐的：{'、'.join(meals.values())}。", "请一餐一餐地订。")
    dishes = [{"menu_item_id": item_id, "quantity": quantity} for item_id, quantity in quantities.items()]
    return next(iter(meals), ""), dishes


def policy_values(handset: Handset) -> dict[str, Any]:
    """The policies in force by key."""
    return {one["key"]: one["value"] for one in handset.api.items("/policies")}
