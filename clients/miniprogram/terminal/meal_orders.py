"""Orders of meals on the phone: what one would cost, ordering, the receipt, changing and cancelling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import click

from clients.miniprogram.terminal import meal_words, words
from clients.miniprogram.terminal.asking import agreed
from clients.miniprogram.terminal.choosing import chosen_order, for_elder
from clients.miniprogram.terminal.commands import PhoneCommand, on_phone
from clients.miniprogram.terminal.handset import Handset, PhoneTrouble
from clients.miniprogram.terminal.meal_choosing import (
    chosen_code,
    chosen_dishes,
    elder_option,
    menu_items,
    shown_menu,
)
from clients.miniprogram.terminal.next_steps import BY_CODE

_ORDERS = "orders"

Command = Callable[..., None]


def _wishes(command: Command) -> Command:
    """How a meal is wanted, for the commands that place or price an order."""
    for option in reversed(
        (
            click.argument("dishes", metavar="菜", nargs=-1),
            click.option("--meal", "which", metavar="餐次", help="哪一餐的菜；菜单上只有一餐就不用写"),
            click.option("--way", default="堂食", metavar="方式", help="堂食、自取或送餐上门；不写就是堂食"),
            click.option("--address", metavar="地址", help="送到哪里；不写就是用餐档案里的"),
            click.option("--voucher", is_flag=True, help="用一张用餐券"),
            click.option("--note", metavar="说明", help="要说明的话"),
            click.option("--accept-unsuitable", is_flag=True, help="知道不合饮食要求也要订"),
            elder_option,
        )
    ):
        command = option(command)
    return command


@click.command("price", cls=PhoneCommand)
@_wishes
@on_phone
def price(handset: Handset, /, dishes: tuple[str, ...], elder: str | None, **wishes: Any) -> None:
    """先算算要付多少，不是订餐。"""
    body = _body(handset, dishes, elder, wishes)
    _show_price(handset, handset.api.ask("/orders/price", body), body)
    handset.screen.hint("这只是算一算，还没有订。")
    handset.screen.hint("要订：timebank phone meal order 序号" + (f" --for {elder}" if elder else ""))


@click.command("order", cls=PhoneCommand)
@_wishes
@click.option("--yes", is_flag=True, help="不再问，直接订")
@on_phone
def order(handset: Handset, /, dishes: tuple[str, ...], elder: str | None, yes: bool, **wishes: Any) -> None:
    """订餐：先看要付多少，同意了才订。"""
    body = _body(handset, dishes, elder, wishes)
    if not yes:
        priced = handset.api.ask("/orders/price", body)
        _show_price(handset, priced, body)
        if priced["lacking_fen"]:
            raise PhoneTrouble(
                f"餐费还差 {words.yuan_text(priced['lacking_fen'])}，没有订。", BY_CODE["insufficient_fen"]
            )
        if not agreed("就这样订吗？"):
            handset.screen.show("没有订", ["想好以后再来。"])
            return
    placed = handset.write(f"/{_ORDERS}", body, title="订餐")
    handset.remember_list(_ORDERS, [placed["order_id"]])
    _done(handset, "订好了", placed)


@click.command(_ORDERS, cls=PhoneCommand)
@click.option("--state", metavar="状态", help="只看这一种，如 已订、已取餐")
@click.option("--pages", type=click.IntRange(1), default=1, metavar="页数", help="看几页")
@elder_option
@on_phone
def orders(handset: Handset, state: str | None, pages: int, elder: str | None) -> None:
    """订过的餐，新的在前。"""
    query = {"state": chosen_code(meal_words.ORDER_STATES, state, "状态") if state else None}
    listed = handset.api.pages(f"/{_ORDERS}", {**query, **for_elder(handset, elder)})
    found = [one for page in islice(listed, pages) for one in page]
    handset.remember_list(_ORDERS, [one["order_id"] for one in found])
    if not found:
        handset.screen.show("还没有订过餐", ["先看菜单：timebank phone meal menu"])
        return
    for number, one in enumerate(found, start=1):
        title = f"{number}．{meal_words.order_title(one)}"
        handset.screen.show(title, meal_words.order_lines(one), small=f"编号 {one['order_id']}")
    handset.screen.hint("看取餐号和每一笔：timebank phone meal show 序号")


@click.command("show", cls=PhoneCommand)
@click.argument("order", metavar="序号")
@on_phone
def show(handset: Handset, order: str) -> None:
    """看一份订餐：取餐号、送餐交接码、每一笔谁出的。"""
    found = handset.api.get(f"/{_ORDERS}/{chosen_order(handset, order)}")
    title = meal_words.order_title(found)
    handset.screen.show(title, meal_words.order_lines(found), small=f"编号 {found['order_id']}")
    if found["state"] == "placed" and found["way"] != "deliver":
        handset.screen.show(f"取餐号：{found['pickup_number']}", ["到了助餐点，报这个号。"])
    elif found["state"] == "placed" and found.get("handover_code"):
        code = " ".join(found["handover_code"])
        handset.screen.show(f"交接码：{code}", ["饭菜送到手里，再念给送餐的人听。"])
    _show_receipt(handset, found)
    for hint in meal_words.next_hints(found):
        handset.screen.hint(hint)


@click.command("change", cls=PhoneCommand)
@click.argument("order", metavar="序号")
@click.argument("dishes", metavar="菜", nargs=-1)
@click.option("--way", metavar="方式", help="堂食、自取或送餐上门；不写就不变")
@click.option("--address", metavar="地址", help="送到哪里；不写就不变")
@click.option("--voucher/--no-voucher", default=None, help="用、不用用餐券；不写就不变")
@click.option("--note", metavar="说明", help="要说明的话；不写就不变")
@click.option("--accept-unsuitable", is_flag=True, help="知道不合饮食要求也要订")
@on_phone
def change(
    handset: Handset,
    /,
    order: str,
    dishes: tuple[str, ...],
    voucher: bool | None,
    accept_unsuitable: bool,
    **wishes: Any,
) -> None:
    """改餐：换菜、换方式，没写的照旧。"""
    order_id = chosen_order(handset, order)
    found = handset.api.get(f"/{_ORDERS}/{order_id}")
    body: dict[str, Any] = {
        "way": chosen_code(meal_words.WAYS, wishes["way"], "用餐方式") if wishes["way"] else found["way"],
        "items": _dishes_of(handset, found, dishes),
        "use_voucher": bool(found["voucher_id"]) if voucher is None else voucher,
        "note": found["note"] if wishes["note"] is None else wishes["note"],
        "delivery_address": wishes["address"] or found["delivery_address"],
        "accept_unsuitable": accept_unsuitable or found["unsuitable_accepted"],
    }
    _done(handset, "改好了", handset.write(f"/{_ORDERS}/{order_id}/change", body, title="改餐"))


@click.command("cancel", cls=PhoneCommand)
@click.argument("order", metavar="序号")
@click.option("--reason", metavar="原因", help="为什么不要了")
@on_phone
def cancel(handset: Handset, order: str, reason: str | None) -> None:
    """退餐：截止时间以前，钱和用餐券全部退回。"""
    order_id = chosen_order(handset, order)
    body = {"reason": reason} if reason else {}
    done = handset.write(f"/{_ORDERS}/{order_id}/cancel", body, title="退餐")
    lines = [meal_words.order_title(done), *meal_words.order_lines(done)]
    handset.screen.good("已取消", lines, small=f"编号 {order_id}")


COMMANDS = (price, order, orders, show, change, cancel)


def _body(handset: Handset, dishes: tuple[str, ...], elder: str | None, wishes: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked for: dishes of the menu shown last, and how they are wanted."""
    canteen_id, on, shown = shown_menu(handset)
    code = chosen_code(meal_words.MEALS, wishes["which"], "餐次") if wishes["which"] else None
    offered = [one for one in menu_items(handset, canteen_id, on) if one["menu_item_id"] in shown]
    meal, items = chosen_dishes(handset, dishes, [one for one in offered if code in (None, one["meal"])])
    wanted = {"note": wishes["note"], "delivery_address": wishes["address"]}
    flags = {"use_voucher": wishes["voucher"], "accept_unsuitable": wishes["accept_unsuitable"]}
    return {
        "canteen_id": canteen_id,
        "served_on": on,
        "meal": meal,
        "way": chosen_code(meal_words.WAYS, wishes["way"], "用餐方式"),
        "items": items,
        **{name: value for name, value in (wanted | flags).items() if value},
        **for_elder(handset, elder),
    }


def _dishes_of(handset: Handset, found: Mapping[str, Any], typed: tuple[str, ...]) -> list[dict[str, Any]]:
    """The dishes an order is to have: those typed, from its own meal's menu, or those it has."""
    if not typed:
        return [{"menu_item_id": one["menu_item_id"], "quantity": one["quantity"]} for one in found["items"]]
    offered = menu_items(handset, found["canteen_id"], found["served_on"])
    return chosen_dishes(handset, typed, [one for one in offered if one["meal"] == found["meal"]])[1]


def _show_price(handset: Handset, priced: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    meal_name = {code: name for name, code in meal_words.MEALS.items()}[body["meal"]]
    lines = [f"{words.day_text(body['served_on'])}{meal_name}", *meal_words.share_lines(priced)]
    if priced["voucher_id"]:
        lines.append("用餐券：会用一张")
    elif body.get("use_voucher"):
        unused = "没有这一餐能用的" if priced["elder_fen"] else "不用付钱，券留着下次用"
        lines.append(f"用餐券：{unused}")
    lines.append(f"餐费可用：{words.yuan_text(priced['purse_fen'])}")
    if priced["lacking_fen"]:
        lines.append(f"还差：{words.yuan_text(priced['lacking_fen'])}")
    lines.append(f"最晚订：{words.day_and_time_text(priced['cut_off_at'])}")
    handset.screen.show(f"要付 {words.yuan_text(priced['elder_fen'])}", lines)
    _show_receipt(handset, priced)


def _show_receipt(handset: Handset, priced: Mapping[str, Any]) -> None:
    rows = meal_words.receipt_rows(priced)
    if handset.screen.is_narrow:
        columns, shown = (
            [("谁出的，为什么", False), ("多少", True)],
            [(f"{who}\n{what}", fen) for who, what, fen in rows],
        )
        handset.screen.table("收据", columns, shown)
    else:
        handset.screen.table("收据", [("谁出的", False), ("为什么", False), ("多少", True)], rows)


def _done(handset: Handset, title: str, order: Mapping[str, Any]) -> None:
    lines = [
        meal_words.order_title(order),
        f"取餐号：{order['pickup_number']}",
        *meal_words.order_lines(order),
        *meal_words.share_lines(order),
    ]
    handset.screen.good(title, lines, small=f"编号 {order['order_id']}")
    handset.screen.hint(
        "看每一笔：timebank phone meal show 1" if title == "订好了" else "看每一笔：timebank phone meal show 序号"
    )
