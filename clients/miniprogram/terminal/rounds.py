"""A volunteer's rounds of meals to the door: where to, leaving, handing over, nobody at home, back again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.choosing import chosen_by_code_or_name, chosen_round
from clients.miniprogram.terminal.commands import PhoneGroup, on_phone
from clients.miniprogram.terminal.handset import Handset, PhoneTrouble
from clients.miniprogram.terminal.meal_words import DIET_FORMS, MEALS

UNDELIVERED = {
    "家中无人": "nobody_home",
    "本人不收": "refused",
    "地址不对": "wrong_address",
    "餐食洒漏": "spilled",
    "送得太晚": "late",
}
"""Why a meal did not come to its diner, by its name."""

_ROUNDS = "rounds"
_MEAL_NAMES = {code: name for name, code in MEALS.items()}
_FORM_NAMES = {code: name for name, code in DIET_FORMS.items()}
_NEXT = {
    "planned": "到助餐点签到取餐（timebank phone check-in），再出发：timebank phone rounds start 序号",
    "departed": "送到一家：timebank phone rounds deliver 取餐号 交接码",
}


@click.group("rounds", cls=PhoneGroup, invoke_without_command=True)
@click.pass_context
def rounds(ctx: click.Context) -> None:
    """送餐：我接的趟次；不写别的，就看有哪几趟。"""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_rounds)


@rounds.command("list")
@on_phone
def list_rounds(handset: Handset) -> None:
    """我接的送餐趟次，新的在前。"""
    found = list(handset.api.items(f"/{_ROUNDS}"))
    handset.remember_list(_ROUNDS, [one["round_id"] for one in found])
    if not found:
        handset.screen.show("还没有接送餐的趟次", ["送餐也是任务，先接单：timebank phone tasks"])
        return
    for number, one in enumerate(found, start=1):
        handset.screen.show(f"{number}．{_title(one)}", list(_lines(one)), small=f"编号 {one['round_id']}")
    handset.screen.hint("看送到哪几家：timebank phone rounds show 序号")


@rounds.command("show")
@click.argument("number", metavar="趟次序号")
@on_phone
def show(handset: Handset, number: str) -> None:
    """一趟送到哪几家，按走的先后。"""
    _show(handset, handset.api.get(f"/{_ROUNDS}/{chosen_round(handset, number)}"))


@rounds.command("start")
@click.argument("number", metavar="趟次序号")
@on_phone
def start(handset: Handset, number: str) -> None:
    """餐拿好了，出发；先在助餐点签到。"""
    path = f"/{_ROUNDS}/{chosen_round(handset, number)}/start"
    _show(handset, handset.write(path, {}, title="送餐出发"))


@rounds.command("deliver")
@click.argument("pickup", type=int, metavar="取餐号")
@click.argument("code", metavar="交接码")
@on_phone
def deliver(handset: Handset, pickup: int, code: str) -> None:
    """送到了：写老人念的四位交接码。"""
    body = {"order_id": _stop(handset, pickup)["order_id"], "handover_code": code}
    answer = handset.write(f"/{_ROUNDS}/deliver", body, title=f"送达 {pickup} 号")
    handset.screen.good(f"{answer['pickup_number']} 号已送达")


@rounds.command("undelivered")
@click.argument("pickup", type=int, metavar="取餐号")
@click.argument("reason", metavar="原因")
@click.option("--note", default="", metavar="文字", help="说明")
@on_phone
def undelivered(handset: Handset, pickup: int, reason: str, note: str) -> None:
    """没送到：家中无人、本人不收、地址不对、餐食洒漏、送得太晚。"""
    named = [{"code": code, "name": name} for name, code in UNDELIVERED.items()]
    why = chosen_by_code_or_name(named, reason.strip(), "原因")
    body = {"order_id": _stop(handset, pickup)["order_id"], "reason": why, "note": note}
    answer = handset.write(f"/{_ROUNDS}/undelivered", body, title=f"{pickup} 号没送到")
    said = ["已通知老人和家属。", "请把餐带回助餐点。"]
    handset.screen.good(f"{answer['pickup_number']} 号已登记没送到", said)


@rounds.command("finish")
@click.argument("number", metavar="趟次序号")
@on_phone
def finish(handset: Handset, number: str) -> None:
    """一趟送完了；服务时长在签退时记。"""
    handset.write(f"/{_ROUNDS}/{chosen_round(handset, number)}/finish", {}, title="送完一趟")
    handset.screen.good("这一趟送完了", ["别忘了签退：timebank phone check-out 任务序号"])


COMMANDS = (rounds,)


def _stop(handset: Handset, pickup: int) -> dict[str, Any]:
    """The stop of a pickup number on a round that is on its way. Raises PhoneTrouble."""
    on_the_way = [one for one in handset.api.items(f"/{_ROUNDS}") if one["state"] == "departed"]
    for one in on_the_way:
        for stop in handset.api.get(f"/{_ROUNDS}/{one['round_id']}")["stop_list"]:
            if stop["pickup_number"] == pickup:
                return dict(stop)
    if not on_the_way:
        raise PhoneTrouble("没有正在送的趟次。", "先出发：timebank phone rounds start 序号")
    raise PhoneTrouble(f"正在送的这一趟没有 {pickup} 号。", "看送到哪几家：timebank phone rounds show 序号")


def _show(handset: Handset, found: dict[str, Any]) -> None:
    handset.screen.show(_title(found), list(_lines(found)), small=f"编号 {found['round_id']}")
    for stop in found["stop_list"]:
        handset.screen.show(f"{stop['pickup_number']} 号 {stop['name'] or ''}".rstrip(), list(_stop_lines(stop)))
    if found["state"] in _NEXT:
        handset.screen.hint(_NEXT[found["state"]])


def _title(one: dict[str, Any]) -> str:
    return f"{words.day_text(one['on'])}{_MEAL_NAMES.get(one['meal'], one['meal'])}，第 {one['number']} 趟"


def _lines(one: dict[str, Any]) -> Iterator[str]:
    yield f"助餐点：{one['canteen_name']}"
    yield f"状态：{one['state_name']}"
    if one["state"] == "planned":
        yield f"出发：{words.day_and_time_text(one['departs_at'])}"
    yield f"份数：{one['stops']} 份，还有 {one['open_stops']} 份没有办"
    if one["late"]:
        yield "路远，可能超时，请先送这一趟。"


def _stop_lines(stop: dict[str, Any]) -> Iterator[str]:
    """Where to, whom to call, what is in the box; what came of it."""
    for label, field in (("地址", "address"), ("怎么走", "delivery_note"), ("电话", "phone")):
        if stop[field]:
            yield f"{label}：{stop[field]}"
    yield f"餐食：{_FORM_NAMES.get(stop['diet_form'], stop['diet_form'])}，{stop['portions']} 份"
    if stop["planned_minutes"] is not None and stop["outcome"] is None:
        yield f"出发后约 {stop['planned_minutes']} 分钟到"
    if stop["outcome_name"]:
        yield f"结果：{stop['outcome_name']}"
