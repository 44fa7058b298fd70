"""Help asked for and given: request, look, accept, sign in and out, confirm."""

from __future__ import annotations

from typing import Any

import click

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.choosing import chosen_by_code_or_name, chosen_moment, chosen_task
from clients.miniprogram.terminal.commands import PhoneCommand, on_phone
from clients.miniprogram.terminal.handset import Handset

# Afterwards nobody needs the service code any more.
_BEFORE_OR_DURING = {"open", "accepted", "checked_in"}


@click.command("request", cls=PhoneCommand)
@click.option("--type", "service_type", required=True, metavar="代码或名称", help="服务种类")
@click.option("--starts-at", required=True, metavar="'2026-11-25 09:00'", help="开始时间（北京时间）")
@click.option("--minutes", required=True, type=int, help="多少分钟")
@click.option("--note", help="要说明的话")
@on_phone
def request(handset: Handset, service_type: str, starts_at: str, minutes: int, note: str | None) -> None:
    """请人帮忙。"""
    code = chosen_by_code_or_name(handset.api.items("/service-types"), service_type, "服务种类")
    body: dict[str, Any] = {"service_type": code, "starts_at": chosen_moment(starts_at), "minutes": minutes}
    if note:
        body["note"] = note
    task = handset.write("/tasks", body, title="请人帮忙")
    handset.remember_list("tasks", [task["task_id"]])
    lines = [f"服务：{_name(task)}", *_lines(body | task)]
    handset.screen.good("已发布，等志愿者接单", lines, small=f"编号 {task['task_id']}")


@click.command("tasks", cls=PhoneCommand)
@click.option("--mine", is_flag=True, help="只看与我有关的")
@click.option("--status", type=click.Choice(list(words.TASK_STATUSES)), metavar="状态", help="只看这种状态的")
@click.option("--township", metavar="代码或名称", help="只看这个镇街的")
@on_phone
def tasks(handset: Handset, mine: bool, status: str | None, township: str | None) -> None:
    """看服务任务。"""
    query: dict[str, Any] = {"status": status, "mine": "true" if mine else None}
    if township:
        query["township_code"] = chosen_by_code_or_name(handset.api.items("/townships"), township, "镇街")
    found = list(handset.api.items("/tasks", query))
    handset.remember_list("tasks", [task["task_id"] for task in found])
    if not found:
        handset.screen.show("现在没有这样的任务", ["可以过一会儿再看。"])
    for number, task in enumerate(found, start=1):
        handset.screen.show(f"{number}．{_name(task)}", _lines(task), small=f"编号 {task['task_id']}")


@click.command("accept", cls=PhoneCommand)
@click.argument("task", metavar="任务序号")
@on_phone
def accept(handset: Handset, task: str) -> None:
    """接单。"""
    _act(handset, task, "accept", {}, "接单", "接单成功，请按时到")


@click.command("cancel", cls=PhoneCommand)
@click.argument("task", metavar="任务序号")
@click.option("--reason", help="为什么，会告诉对方")
@on_phone
def cancel(handset: Handset, task: str, reason: str | None) -> None:
    """取消任务。"""
    _act(handset, task, "cancel", {"words": reason} if reason else {}, "取消任务", "已取消")


@click.command("where", cls=PhoneCommand)
@click.argument("task", metavar="任务序号")
@on_phone
def where(handset: Handset, task: str) -> None:
    """接下的任务到哪里去、打什么电话。"""
    found = handset.api.get(f"/tasks/{chosen_task(handset, task)}/where")
    place = "，".join(one for one in (found["village"], found["address"]) if one) or "没有写地址"
    lines = (
        [f"电话：{found['contact_name']} {found['phone']}"] if found["phone"] else ["没有登记电话，找不到请联系镇街"]
    )
    if found["phone"] and found["contact_is_proxy"]:
        lines.append("这是代办人的电话，老人没有登记电话")
    handset.screen.show(place, lines, small="只给您上门用，请不要告诉别人")


@click.command("check-in", cls=PhoneCommand)
@click.argument("task", metavar="任务序号")
@click.option("--code", required=True, help="老人手机上的六位服务码")
@on_phone
def check_in(handset: Handset, task: str, code: str) -> None:
    """签到。"""
    _act(handset, task, "check-in", {"service_code": code}, "签到", "签到成功，开始计时")


@click.command("check-out", cls=PhoneCommand)
@click.argument("task", metavar="任务序号")
@on_phone
def check_out(handset: Handset, task: str) -> None:
    """签退。"""
    _act(handset, task, "check-out", {}, "签退", "签退成功，等对方确认")


@click.command("confirm", cls=PhoneCommand)
@click.argument("task", metavar="任务序号")
@click.option("--rating", required=True, type=click.IntRange(1, 5), help="满意几分，1 到 5")
@click.option("--comment", help="想说的话")
@on_phone
def confirm(handset: Handset, task: str, rating: int, comment: str | None) -> None:
    """确认服务。"""
    body: dict[str, Any] = {"rating": rating} | ({"comment": comment} if comment else {})
    _act(handset, task, "confirm", body, "确认服务", "已确认，谢谢您")


COMMANDS = (request, tasks, accept, cancel, where, check_in, check_out, confirm)


def _act(handset: Handset, typed: str, verb: str, body: dict[str, Any], title: str, done: str) -> None:
    task_id = chosen_task(handset, typed)
    task = handset.write(f"/tasks/{task_id}/{verb}", body, title=title)
    handset.screen.good(done, [f"服务：{_name(task)}", *_lines(task)], small=f"编号 {task_id}")


def _name(task: dict[str, Any]) -> str:
    return str(task.get("service_type_name") or "服务任务")


def _lines(task: dict[str, Any]) -> list[str]:
    """What a person wants to know of a task; what the answer does not carry is left out."""
    lines = []
    if task.get("starts_at"):
        lines.append(f"时间：{words.day_and_time_text(task['starts_at'])}")
    if task.get("minutes"):
        lines.append(f"时长：{words.minutes_text(task['minutes'])}")
    if task.get("township_name"):
        lines.append(f"地点：{task['township_name']}")
    if task.get("beneficiary_name"):
        lines.append(f"老人：{task['beneficiary_name']}")
    if (task.get("places") or 1) > 1:
        lines.append(f"名额：{task['places']} 人，还缺 {task.get('places_left', 0)} 人")
    if task.get("note"):
        lines.append(f"说明：{task['note']}")
    if task.get("status"):
        lines.append(f"状态：{words.TASK_STATUSES.get(task['status'], '其他')}")
    if task.get("payable_minutes") is not None:
        lines.append(f"记入时长：{words.minutes_text(task['payable_minutes'])}")
    if task.get("service_code") and task["status"] in _BEFORE_OR_DURING:
        lines.append(f"服务码：{task['service_code']}（志愿者到了再告诉他）")
    return lines
