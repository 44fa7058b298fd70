"""Meals at the counter: today's counts and queue, the menu, handing over, selling, sold out."""

from __future__ import annotations

import re
from typing import Any

import click

from clients.counter.choosing import (
    MENU,
    chosen_diner,
    chosen_dish,
    chosen_dishes,
    chosen_meal,
    four_option,
    meal_option,
    menu_of,
    which_option,
)
from clients.counter.commands import CounterCommand, at_meals, done
from clients.counter.desk import DeskTrouble
from clients.counter.meal_desk import MealDesk
from clients.counter.meal_words import MEALS, care_text, dishes_text, order_lines
from clients.counter.signed_text import NotOurs, read
from clients.miniprogram.terminal.screen import Screen
from clients.miniprogram.terminal.words import day_text, yuan_text

_NUMBER = re.compile(r"(\d{1,6})号?")
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@click.command("today", cls=CounterCommand)
@meal_option
@at_meals
def today(meals: MealDesk, screen: Screen, meal: str | None) -> None:
    """今天订了多少，现在这一餐还有谁没有取。"""
    wanted = chosen_meal(meals, meal)
    day = meals.today()
    title = f"{day['canteen_name']}，{day_text(day['on_day'])}"
    rows = [
        (one["meal_name"], one["way_name"], one["diet_form_name"], one["state_name"], f"{one['orders']}")
        for one in sorted(day["counts"], key=lambda one: list(MEALS).index(one["meal"]))
    ]
    if rows:
        headings = [("餐次", False), ("方式", False), ("餐食", False), ("状态", False), ("订餐", True)]
        screen.table(title, headings, rows)
    else:
        screen.show(title, ["今天还没有人订餐。"])
    _show_queue(meals, screen, wanted)


@click.command("menu", cls=CounterCommand)
@meal_option
@at_meals
def menu(meals: MealDesk, screen: Screen, meal: str | None) -> None:
    """今天的菜单：价格、还剩多少。"""
    wanted = chosen_meal(meals, meal)
    found = menu_of(meals, wanted)
    meals.remember(MENU, [one["menu_item_id"] for one in found])
    if not found:
        screen.show(f"今天{MEALS[wanted]}没有菜单", ["别的餐次请加 --meal 餐次"])
        return
    rows = [
        (f"{number}", one["name"] + ("（爱心餐）" if one["is_love_meal"] else ""), _price(one), _left(one))
        for number, one in enumerate(found, start=1)
    ]
    screen.table(f"今天{MEALS[wanted]}", [("序号", True), ("菜", False), ("价格", True), ("还剩", True)], rows)
    screen.hint("卖一份：timebank counter sell 序号")


@click.command("serve", cls=CounterCommand)
@click.argument("shown", metavar="取餐号或券", required=False)
@meal_option
@click.option("--name", metavar="姓名", help="没有号也没有券：凭姓名和身份证后四位")
@four_option
@which_option
@at_meals
def serve(
    meals: MealDesk,
    screen: Screen,
    shown: str | None,
    meal: str | None,
    name: str | None,
    four: str | None,
    which: int | None,
) -> None:
    """取餐：写取餐号，或扫用餐券；都没有就写姓名。"""
    if (shown is None) == (name is None):
        raise DeskTrouble("请写取餐号、用餐券或姓名其中一样。", "例如：timebank counter serve 12")
    if name is not None:
        diner = chosen_diner(meals, name, four, which)
        body, title = {"person_id": diner["person_id"], "meal": chosen_meal(meals, meal)}, f"取餐：{diner['name']}"
    else:
        body, title = _shown(meals, str(shown).strip(), meal)
    order = done(meals, screen, "/meal-counter/serve", body, title)
    whose = order["diner_name"] or "散客"
    screen.good(f"是，可以给餐：{order['meal_name']} {order['pickup_number']} 号 {whose}", order_lines(order))


@click.command("sell", cls=CounterCommand)
@click.argument("dishes", metavar="菜…", nargs=-1, required=True)
@meal_option
@click.option("--to", "name", metavar="姓名", help="卖给用餐对象（按他的补贴算）；不写就是散客，收现金")
@four_option
@which_option
@click.option("--cash", is_flag=True, help="收现金，不扣余额")
@click.option("--voucher", is_flag=True, help="用他的用餐券")
@click.option("--take-away", is_flag=True, help="带走")
@click.option("--anyway", is_flag=True, help="知道不适合他的饮食要求，仍然要")
@at_meals
def sell(
    meals: MealDesk,
    screen: Screen,
    dishes: tuple[str, ...],
    meal: str | None,
    name: str | None,
    four: str | None,
    which: int | None,
    *,
    cash: bool,
    voucher: bool,
    take_away: bool,
    anyway: bool,
) -> None:
    """现卖：写菜名或菜单里的序号，两份写 红烧肉x2。"""
    wanted = chosen_meal(meals, meal)
    items = chosen_dishes(meals, dishes, menu_of(meals, wanted))
    diner = chosen_diner(meals, name, four, which) if name is not None else None
    body: dict[str, Any] = {
        "meal": wanted,
        "items": [{"menu_item_id": item_id, "quantity": quantity} for item_id, quantity in items.items()],
        "person_id": diner["person_id"] if diner else None,
        "cash": cash or diner is None,
        "use_voucher": voucher,
        "way": "take_away" if take_away else "eat_in",
        "accept_unsuitable": anyway,
    }
    whose = diner["name"] if diner else "散客"
    order = done(meals, screen, "/meal-counter/sell", body, f"现卖：{'、'.join(dishes)}，{whose}")
    screen.good(f"是，卖出：{order['meal_name']} {order['pickup_number']} 号 {whose}", order_lines(order))


@click.command("soldout", cls=CounterCommand)
@click.argument("dish", metavar="菜")
@meal_option
@click.option("--undo", is_flag=True, help="又有了，恢复供应")
@at_meals
def sold_out(meals: MealDesk, screen: Screen, dish: str, meal: str | None, *, undo: bool) -> None:
    """卖完了：不再接这道菜的订单；已经订的不变。"""
    wanted = chosen_meal(meals, meal)
    chosen = chosen_dish(meals, dish, menu_of(meals, wanted))
    step, said = ("on-sale", "恢复供应") if undo else ("sold-out", "卖完了")
    path = f"/menus/items/{chosen['menu_item_id']}/{step}"
    done(meals, screen, path, None, f"{chosen['name']} {said}")
    other = "卖完了：timebank counter soldout 菜名" if undo else "又有了：timebank counter soldout 菜名 --undo"
    ordered = f"已经订出的 {chosen['portions_ordered']} 份不变。"
    screen.good(f"是，{MEALS[wanted]}的{chosen['name']}{said}", [ordered, other])


def _shown(meals: MealDesk, typed: str, meal: str | None) -> tuple[dict[str, Any], str]:
    """What is shown instead of a name, as the bank takes it, and in words. Raises DeskTrouble."""
    number = _NUMBER.fullmatch(typed)
    if number is not None:
        wanted = chosen_meal(meals, meal)
        return {"pickup_number": int(number.group(1)), "meal": wanted}, f"取餐：{MEALS[wanted]} {number.group(1)} 号"
    if _ID.fullmatch(typed):
        return {"order_id": typed.lower()}, "取餐：凭订餐编号"
    if typed.startswith("TB"):
        try:
            typed = read(typed).code
        except NotOurs as torn:
            raise DeskTrouble(torn.sentence, "再扫一次，或写取餐号。") from None
    return {"voucher_code": typed}, "取餐：凭用餐券"


def _show_queue(meals: MealDesk, screen: Screen, meal: str) -> None:
    waiting = list(meals.items("/meal-counter/queue", meal=meal))
    if not waiting:
        screen.show(f"{MEALS[meal]}没有人等取餐", ["别的餐次请加 --meal 餐次"])
        return
    rows = []
    for one in waiting:
        said = [dishes_text(one["items"]), care_text(one)]
        how = [one["way_name"], one["paid_how"]]
        name = one["masked_name"] or "散客"
        rows.append((f"{one['pickup_number']}", name, "\n".join(filter(None, said)), "\n".join(how)))
    headings = [("取餐号", True), ("姓名", False), ("菜", False), ("方式、付款", False)]
    screen.table(f"{MEALS[meal]}等取餐：{len(waiting)} 份", headings, rows)
    screen.hint("给餐：timebank counter serve 取餐号")


def _price(item: dict[str, Any]) -> str:
    return "没有定价" if item["price_fen"] is None else yuan_text(item["price_fen"])


def _left(item: dict[str, Any]) -> str:
    if item["sold_out_at"] is not None:
        return "卖完了"
    return "不限" if item["portions_left"] is None else f"{item['portions_left']} 份"


COMMANDS = (today, menu, serve, sell, sold_out)
