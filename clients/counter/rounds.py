"""Delivery rounds as the canteen sees them: what goes out, who carries it, what came of each stop."""

from __future__ import annotations

from typing import Any

import click

from clients.counter.choosing import chosen_meal, meal_option
from clients.counter.commands import CounterGroup, at_meals, done
from clients.counter.desk import DeskTrouble
from clients.counter.meal_desk import MealDesk
from clients.counter.meal_words import MEALS
from clients.miniprogram.terminal.rounds import UNDELIVERED
from clients.miniprogram.terminal.screen import Screen
from clients.miniprogram.terminal.words import moment_text

_SEE_LIST = "先看有哪些趟次：timebank counter rounds list"


@click.group("rounds", cls=CounterGroup)
def rounds() -> None:
    """送餐：趟次、出发、送达、没送到。"""


@rounds.command("list")
@meal_option
@at_meals
def list_rounds(meals: MealDesk, screen: Screen, meal: str | None) -> None:
    """今天这一餐送几趟，谁送，送完没有。"""
    wanted = chosen_meal(meals, meal)
    found = _rounds(meals, wanted)
    if not found:
        screen.show(f"今天{MEALS[wanted]}没有送餐", ["订餐截止以后才排趟次；别的餐次请加 --meal 餐次"])
        return
    rows = [
        (
            f"{one['number']}",
            "\n".join([one["state_name"], f"{_clock(one['departs_at'])} 出发"]),
            _carrier(one),
            _progress(one),
        )
        for one in found
    ]
    headings = [("趟次", True), ("状态", False), ("谁送", False), ("份数", False)]
    screen.table(f"今天{MEALS[wanted]}送餐：{len(found)} 趟", headings, rows)
    screen.hint("看一趟的地址：timebank counter rounds show 趟次")


@rounds.command("show")
@click.argument("number", type=int, metavar="趟次")
@meal_option
@at_meals
def show(meals: MealDesk, screen: Screen, number: int, meal: str | None) -> None:
    """一趟的每一家：地址、取餐号、送到没有。"""
    _show(screen, meals.get(f"/rounds/{_chosen(meals, number, chosen_meal(meals, meal))['round_id']}"))


@rounds.command("courier")
@click.argument("number", type=int, metavar="趟次")
@click.argument("name", metavar="姓名")
@click.argument("phone", metavar="电话")
@meal_option
@at_meals
def courier(meals: MealDesk, screen: Screen, number: int, name: str, phone: str, meal: str | None) -> None:
    """没有志愿者接单：改请配送员送。"""
    chosen = _chosen(meals, number, chosen_meal(meals, meal))
    path = f"/rounds/{chosen['round_id']}/courier"
    answer = done(meals, screen, path, {"name": name, "phone": phone}, f"第 {number} 趟请{name}送")
    said = [f"电话：{answer['carrier_phone']}", f"下一步：timebank counter rounds start {number}"]
    screen.good(f"是，第 {answer['number']} 趟由{answer['carrier_name']}送", said)


@rounds.command("start")
@click.argument("number", type=int, metavar="趟次")
@meal_option
@at_meals
def start(meals: MealDesk, screen: Screen, number: int, meal: str | None) -> None:
    """餐装好了，出发。"""
    _step(meals, screen, number, meal, "start")


@rounds.command("finish")
@click.argument("number", type=int, metavar="趟次")
@meal_option
@at_meals
def finish(meals: MealDesk, screen: Screen, number: int, meal: str | None) -> None:
    """一趟送完了。"""
    _step(meals, screen, number, meal, "finish")


@rounds.command("deliver")
@click.argument("pickup", type=int, metavar="取餐号")
@click.argument("code", metavar="交接码", default="")
@click.option("--evidence", default="", metavar="依据", help="没有交接码：助餐点怎样核实送到了，如 已打电话问过")
@meal_option
@at_meals
def deliver(meals: MealDesk, screen: Screen, pickup: int, code: str, evidence: str, meal: str | None) -> None:
    """送到了：写老人念的四位交接码。"""
    stop = _stop(meals, pickup, chosen_meal(meals, meal))
    body = {"order_id": stop["order_id"], "handover_code": code, "evidence": evidence}
    answer = done(meals, screen, "/rounds/deliver", body, f"送达：{pickup} 号")
    after = answer["minutes_after_cooking"]
    screen.good(f"是，{answer['pickup_number']} 号已送达", [] if after is None else [f"出餐后 {after} 分钟送到"])


@rounds.command("undelivered")
@click.argument("pickup", type=int, metavar="取餐号")
@click.argument("reason", metavar="原因")
@click.option("--note", default="", metavar="文字", help="说明")
@meal_option
@at_meals
def undelivered(meals: MealDesk, screen: Screen, pickup: int, reason: str, note: str, meal: str | None) -> None:
    """没送到：家中无人、本人不收、地址不对、餐食洒漏、送得太晚。"""
    code = UNDELIVERED.get(reason.strip())
    if code is None:
        raise DeskTrouble(f"没有「{reason}」这个原因。", f"请写：{'、'.join(UNDELIVERED)}")
    stop = _stop(meals, pickup, chosen_meal(meals, meal))
    body = {"order_id": stop["order_id"], "reason": code, "note": note}
    answer = done(meals, screen, "/rounds/undelivered", body, f"没送到：{pickup} 号")
    said = [f"原因：{reason.strip()}", "已通知老人和家属；该退的已退回。"]
    screen.good(f"是，{answer['pickup_number']} 号已登记没送到", said)


def _step(meals: MealDesk, screen: Screen, number: int, meal: str | None, step: str) -> None:
    """Start a round, or end it."""
    chosen = _chosen(meals, number, chosen_meal(meals, meal))
    said = "出发" if step == "start" else "送完"
    answer = done(meals, screen, f"/rounds/{chosen['round_id']}/{step}", None, f"第 {number} 趟{said}")
    lines = [f"{answer['carrier_name']}送，共 {answer['stops']} 份"]
    if step == "start":
        lines.append("送到一家：timebank counter rounds deliver 取餐号 交接码")
    screen.good(f"是，第 {answer['number']} 趟{said}了", lines)


def _rounds(meals: MealDesk, meal: str) -> list[dict[str, Any]]:
    """Today's rounds of a meal, by their number."""
    day = meals.today()
    found = meals.items("/rounds", canteen_id=day["canteen_id"], on=day["on_day"], meal=meal)
    return sorted(found, key=lambda one: int(one["number"]))


def _chosen(meals: MealDesk, number: int, meal: str) -> dict[str, Any]:
    for one in _rounds(meals, meal):
        if one["number"] == number:
            return one
    raise DeskTrouble(f"今天{MEALS[meal]}没有第 {number} 趟。", _SEE_LIST)


def _stop(meals: MealDesk, pickup: int, meal: str) -> dict[str, Any]:
    """The stop of a pickup number: the one still open, else the one that was last. Raises DeskTrouble."""
    fitting = []
    for one in _rounds(meals, meal):
        stops = meals.get(f"/rounds/{one['round_id']}")["stop_list"]
        fitting += [stop for stop in stops if stop["pickup_number"] == pickup]
    if not fitting:
        raise DeskTrouble(f"今天{MEALS[meal]}的送餐里没有 {pickup} 号。", _SEE_LIST)
    return next((stop for stop in fitting if stop["outcome"] is None), fitting[-1])


def _show(screen: Screen, found: dict[str, Any]) -> None:
    rows = []
    for stop in found["stop_list"]:
        who = [stop["name"] or "", stop["phone"] or "", stop["address"] or "", stop["delivery_note"] or ""]
        came = "\n".join(filter(None, [stop["outcome_name"] or found["state_name"], stop["note"]]))
        rows.append((f"{stop['pickup_number']}", "\n".join(filter(None, who)), f"{stop['portions']}", came))
    headings = [("取餐号", True), ("送到哪里", False), ("份数", True), ("结果", False)]
    screen.table(
        f"第 {found['number']} 趟（{found['state_name']}），{_carrier(found)}".replace("\n", "，"), headings, rows
    )


def _carrier(one: dict[str, Any]) -> str:
    if not one["taken"]:
        return "还没有人接"
    said = [one["carrier_name"] or "", one["carrier_phone"] or ""]
    if one["service_code"]:
        said.append(f"签到服务码 {one['service_code']}")
    return "\n".join(filter(None, said))


def _progress(one: dict[str, Any]) -> str:
    done_already = one["stops"] - one["open_stops"]
    said = [f"{one['stops']} 份，已办 {done_already} 份"]
    return "\n".join([*said, *(["路远，可能超时"] if one["late"] else [])])


def _clock(moment: str) -> str:
    return moment_text(moment).split()[1]


COMMANDS = (rounds,)
