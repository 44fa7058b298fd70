"""How the phone tells of meals: menus, what a meal costs and who bears it, orders, standing orders, diners' files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.next_steps import BY_CODE

MEALS = {"早餐": "breakfast", "午餐": "lunch", "晚餐": "supper"}
WAYS = {"堂食": "eat_in", "自取": "take_away", "送餐上门": "deliver"}
DIET_FORMS = {"普通": "normal", "软食": "soft", "碎食": "minced", "流食": "liquid"}
ORDER_STATES = {
    "已订": "placed",
    "已取餐": "served",
    "已取消": "cancelled",
    "未取餐": "missed",
    "未送达": "undelivered",
    "已冲正": "corrected",
}
CHOICES = {"爱心餐": "love_meal", "最便宜的一份": "cheapest"}

_SHARES = (
    ("政府补一点", "government_fen"),
    ("企业捐一点", "donation_fen"),
    ("菜园供一点", "garden_fen"),
    ("志愿者帮一点", "volunteers_fen"),
    ("老人付一点", "elder_fen"),
)
_HOW_MUCH = "扣了多少：timebank phone meal purse --lines"
_NEXT = {
    "placed": ["不要了：timebank phone meal cancel 序号"],
    "served": ["打个分：timebank phone meal rate 序号 --stars 5"],
    "missed": [_HOW_MUCH],
    "undelivered": [_HOW_MUCH],
}


def canteen_lines(canteen: Mapping[str, Any]) -> Iterator[str]:
    """Where a canteen is, how far, and what it serves today."""
    yield f"{canteen['type_name']}，{canteen['state_name']}" + (f"，{canteen['grade']} 级" if canteen["grade"] else "")
    yield f"地址：{canteen['address']}"
    if canteen["distance_m"] is not None:
        yield f"离您：{canteen['distance_m']} 米（直线），走路约 {canteen['walk_minutes']} 分钟"
    yield f"电话：{canteen['phone']}"
    served = [
        f"{one['meal_name']} {words.clock_text(one['opens_at'])}–{words.clock_text(one['closes_at'])}"
        for one in canteen["meals_today"]
    ]
    yield f"今天：{'，'.join(served) if served else '不供餐'}"


def unfitting(dish: Mapping[str, Any], diner: Mapping[str, Any] | None) -> list[str]:
    """Why a dish is nothing for this diner, in words; empty where it fits, or where nobody has a file."""
    if diner is None:
        return []
    said = [f"含{one}，过敏不能吃" for one in diner["allergies"] if one in dish["allergens"]]
    if diner["diet_form"] not in dish["diet_forms"]:
        said.append(f"不能做成{diner['diet_form_name']}")
    if diner["religious_diet"] and diner["religious_diet"] not in dish["diet_tags"]:
        said.append(f"不是{diner['religious_diet']}餐")
    return said


def dish_text(dish: Mapping[str, Any], diner: Mapping[str, Any] | None) -> str:
    """A dish of a menu: its name and portion, whether it is a love meal, and what speaks against it."""
    said = [dish["name"] + (f"（{dish['portion']}）" if dish["portion"] else "")]
    if dish["is_love_meal"]:
        said.append("♥ 爱心餐")
    against = unfitting(dish, diner)
    others = [one for one in dish["allergens"] if diner is None or one not in diner["allergies"]]
    if others:
        said.append(f"含：{'、'.join(others)}")
    return "\n".join([*said, *(f"！{one}" for one in against)])


def left_text(dish: Mapping[str, Any]) -> str:
    """How much of a dish can still be ordered."""
    if not dish["on_offer"]:
        return "售完"
    left = dish["portions_left"]
    return "有" if left is None else f"剩 {left} 份"


def share_lines(priced: Mapping[str, Any]) -> list[str]:
    """What is listed, and who bears how much of it; a share that bears nothing is left out."""
    shares = [f"{name}：{words.yuan_text(priced[field])}" for name, field in _SHARES if priced[field]]
    return [f"餐价：{words.yuan_text(priced['list_fen'])}", *shares]


def receipt_rows(priced: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """A receipt line by line: who, what for or by which rule, how much; both halves come to the same sum."""
    for line in priced["lines"]:
        if line["share"] is None:
            yield "餐价", line["label"], words.yuan_text(line["fen"])
    yield "餐价", "合计", words.yuan_text(priced["list_fen"])
    for line in priced["lines"]:
        if line["share"] is not None:
            yield (
                line["share_name"],
                f"{line['label']}，办法第 {line['policy_version']} 版",
                words.yuan_text(line["fen"]),
            )
    yield "五方", "合计", words.yuan_text(sum(priced[field] for _, field in _SHARES))


def order_title(order: Mapping[str, Any]) -> str:
    """Which meal an order is: 11 月 25 日（星期三）午餐."""
    return f"{words.day_text(order['served_on'])}{order['meal_name']}"


def order_lines(order: Mapping[str, Any]) -> Iterator[str]:
    """What a person wants to know of an order."""
    yield f"状态：{order['state_name']}"
    if order["diner_name"]:
        yield f"用餐人：{order['diner_name']}"
    yield f"助餐点：{order['canteen_name']}"
    yield f"方式：{order['way_name']}"
    if order["delivery_address"]:
        yield f"送到：{order['delivery_address']}"
    yield f"菜：{dishes_text(order['items'])}"
    if order["diet_form"] != "normal":
        yield f"做成：{order['diet_form_name']}"
    if order["unsuitable_accepted"]:
        yield "有的菜不合饮食要求，知道了仍然要订"
    if order["note"]:
        yield f"说明：{order['note']}"
    yield from _paying(order)
    if order["state"] == "placed":
        yield f"最晚改、退：{words.day_and_time_text(order['cut_off_at'])}"
    if order["source"] == "standing":
        yield f"来源：{order['source_name']}"
    yield from words.acted_lines(order["placed_by_name"], "订餐")
    if order["end_reason"]:
        yield f"原因：{order['end_reason']}"


def dishes_text(items: Collection[Mapping[str, Any]]) -> str:
    """The dishes of an order: 红烧肉、米饭 2 份."""
    return "、".join(one["name"] + (f" {one['quantity']} 份" if one["quantity"] > 1 else "") for one in items)


def next_hints(order: Mapping[str, Any]) -> list[str]:
    """What can be done with an order as it stands."""
    hints = _NEXT.get(order["state"], [])
    if order["state"] != "placed":
        return hints
    menu = f"--day {order['served_on']} --meal {order['meal_name']} --canteen {order['canteen_name']}"
    change = ["先看那天的菜单：timebank phone meal menu " + menu, "再换菜：timebank phone meal change 序号 菜"]
    return [*change, *hints]


def standing_title(standing: Mapping[str, Any]) -> str:
    """Which meals a standing order is for."""
    return f"{standing['weekdays_text']}，{standing['meal_name']}"


def standing_lines(standing: Mapping[str, Any]) -> Iterator[str]:
    """What a person wants to know of a standing order, and what came of its newest day."""
    yield f"用餐人：{standing['diner_name']}"
    yield f"助餐点：{standing['canteen_name']}"
    yield f"方式：{standing['way_name']}"
    yield f"每次订：{standing['choice_name']}" + ("，有用餐券先用券" if standing["use_vouchers"] else "")
    until = f"，到 {words.day_text(standing['ends_on'])}" if standing["ends_on"] else ""
    yield f"从 {words.day_text(standing['starts_on'])}起{until}"
    if standing["paused_from"]:
        yield f"暂停：{words.day_text(standing['paused_from'])}到 {words.day_text(standing['paused_until'])}"
    if standing["ended_at"]:
        yield f"已结束：{words.day_and_time_text(standing['ended_at'])}"
    if standing["last_day"]:
        refused = standing["last_refusal_code"]
        yield f"最近一次：{words.day_text(standing['last_day'])}{'没有订成' if refused else '订好了'}"
        if refused:
            yield f"原因：{standing['last_refusal_title']}"
            yield f"下一步：{BY_CODE.get(refused, '请问助餐点或镇街管理员。')}"
    yield from words.acted_lines(standing["made_by_name"], "设定")


def diner_lines(diner: Mapping[str, Any], categories: Mapping[str, str]) -> Iterator[str]:
    """A diner's file; ``categories`` are the names of special categories by code."""
    yield f"状态：{diner['state_name']}"
    if diner["review_reason"]:
        yield f"理由：{diner['review_reason']}"
    yield f"餐食：{diner['diet_form_name']}"
    yield f"过敏：{'、'.join(diner['allergies']) or '没有'}"
    if diner["religious_diet"]:
        yield f"饮食习惯：{diner['religious_diet']}"
    yield f"常去：{diner['usual_canteen_name'] or '还没有选'}"
    if diner["delivery_address"]:
        yield f"送餐地址：{diner['delivery_address']}"
    if diner["delivery_note"]:
        yield f"送餐说明：{diner['delivery_note']}"
    for one in diner["categories"] or ():
        if one["valid_today"]:
            until = f"，到 {words.day_text(one['valid_until'])}" if one["valid_until"] else ""
            yield f"特殊类别：{one['category_name']}（有效{until}）"
    if diner["state"] == "applied" and diner["proposed_categories"]:
        claimed = "、".join(categories.get(one, "其他") for one in diner["proposed_categories"])
        yield f"申报的类别：{claimed}（等镇街核定）"
    others = [one["name"] for one in diner["household"] or () if one["person_id"] != diner["person_id"]]
    if others:
        yield f"同户：{'、'.join(others)}"
    yield from words.acted_lines(diner["applied_by_name"], "申请")


def _paying(order: Mapping[str, Any]) -> Iterator[str]:
    fen, state = order["elder_fen"], order["state"]
    if order["voucher_id"] and state in {"placed", "served"}:
        yield "用餐券：用一张"
    if state == "cancelled":
        yield "不收钱，冻结的餐费已经退回"
    elif state == "placed":
        when = "送到" if order["way"] == "deliver" else "取餐"
        yield f"要付：{words.yuan_text(fen)}，先冻结，{when}时才扣" if fen else "不用付钱"
    elif state == "served":
        how = "（现金）" if order["cash_fen"] else ""
        yield f"付了：{words.yuan_text(fen)}{how}" if fen else "没有付钱"
