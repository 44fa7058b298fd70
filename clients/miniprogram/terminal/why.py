"""为什么 on the phone: the reason for a line of the statement, for a task's hours or their absence, for a refusal."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.choosing import chosen_booking, chosen_line, chosen_task, chosen_voucher
from clients.miniprogram.terminal.commands import PhoneCommand, on_phone
from clients.miniprogram.terminal.handset import Handset, PhoneTrouble


@click.command("statement", cls=PhoneCommand)
@click.option("--pages", type=click.IntRange(1), default=1, metavar="页数", help="看几页")
@click.option("--granted", is_flag=True, help="看政府给的时长")
@on_phone
def statement(handset: Handset, pages: int, granted: bool) -> None:
    """我的时间明细，最近的在前。"""
    asked = {"account": "granted"} if granted else {}
    entries = [entry for page in islice(handset.api.pages("/me/statement", asked), pages) for entry in page]
    handset.remember_list("lines", [entry["transfer_id"] for entry in entries])
    if not entries:
        handset.screen.show("还没有明细", ["做过志愿服务、换过用餐券以后，这里会一笔一笔记着。"])
        return
    rows = [_row(number, entry) for number, entry in enumerate(entries, start=1)]
    if handset.screen.is_narrow:
        columns = [("时间和事由", False), ("时长", True), ("余额", True)]
        handset.screen.table("时间明细", columns, [(f"第{row[0]}笔\n{row[1]}\n{row[2]}", *row[3:]) for row in rows])
    else:
        columns = [("序号", True), ("时间", False), ("事由", False), ("时长", True), ("余额", True)]
        handset.screen.table("时间明细", columns, rows)
    handset.screen.hint("想知道某一笔为什么：timebank phone why 序号")


@click.command("why", cls=PhoneCommand)
@click.argument("line", metavar="明细序号", required=False)
@click.option("--task", metavar="任务序号", help="为什么这项任务有、或没有时长")
@click.option("--voucher", metavar="券的序号", help="这张券为什么能用、或不能用")
@click.option("--care", metavar="预约序号", help="这次上门服务冻结、扣了多少")
@click.option("--refused", is_flag=True, help="为什么上一次没有办成")
@on_phone
def why(
    handset: Handset, line: str | None, task: str | None, voucher: str | None, care: str | None, refused: bool
) -> None:
    """为什么：这一笔、这项任务、这张券、这次上门或上一次没有办成的原因。"""
    ways = {
        "transfer_id": (line, chosen_line),
        "task_id": (task, chosen_task),
        "voucher_id": (voucher, chosen_voucher),
        "booking_id": (care, chosen_booking),
    }
    asked = {name: chosen(handset, typed) for name, (typed, chosen) in ways.items() if typed is not None}
    if refused:
        asked["key"] = _last_refusal(handset)
    if len(asked) != 1:
        raise PhoneTrouble("请只问一件。", "问明细：why 序号；问任务：why --task 序号；问没办成的：why --refused")
    _show(handset, handset.api.get("/me/explain", asked))


COMMANDS = (statement, why)


def _last_refusal(handset: Handset) -> str:
    refused = handset.api.get("/me/refusals", {"limit": 1})["items"]
    if not refused:
        raise PhoneTrouble("最近没有什么事没有办成。", "要看明细：timebank phone statement")
    return str(refused[0]["key"])


def _show(handset: Handset, said: dict[str, Any]) -> None:
    lines = [said["reason"]]
    if said["advice"]:
        lines.append(f"可以怎么办：{said['advice']}")
    handset.screen.show(said["title"], lines, small=f"发生在 {words.moment_text(said['happened_at'])}")
    if said["facts"]:
        handset.screen.table("事实", [("", False), ("", False)], [(one["label"], one["text"]) for one in said["facts"]])
    if said["rules"]:
        rows = [(one["label"], one["text"], f"第 {one['policy_version']} 版") for one in said["rules"]]
        handset.screen.table("依据的办法", [("办法", False), ("取值", False), ("版本", True)], rows)


def _row(number: int, entry: dict[str, Any]) -> tuple[str, str, str, str, str]:
    what_for = str(entry.get("kind_name") or "其他")
    if entry.get("note"):
        what_for += f"：{entry['note']}"
    if entry.get("expires_on"):
        what_for += f"（有效到 {entry['expires_on']}）"
    left = entry.get("balance_minutes")
    return (
        str(number),
        words.moment_text(entry["posted_at"]),
        what_for,
        words.signed_minutes_text(entry["minutes"]),
        "" if left is None else words.minutes_text(left),
    )
