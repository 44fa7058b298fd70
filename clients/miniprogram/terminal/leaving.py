"""Leaving the time bank on the phone: looking at what would happen, and doing it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.asking import agreed
from clients.miniprogram.terminal.choosing import chosen_relative
from clients.miniprogram.terminal.commands import PhoneCommand, on_phone
from clients.miniprogram.terminal.handset import Handset


@click.command("leave", cls=PhoneCommand)
@click.option("--preview", is_flag=True, help="只看看会怎样，不办")
@click.option("--to", "relative", metavar="亲属", help="时长归哪位亲属；不写就归公益时间池")
@click.option("--yes", is_flag=True, help="不再问，直接办")
@on_phone
def leave(handset: Handset, preview: bool, relative: str | None, yes: bool) -> None:
    """退出时间银行；先看清楚会怎样，再问要不要办。"""
    receiver = None if relative is None else chosen_relative(handset, relative)
    where = "公益时间池" if receiver is None else f"{receiver['name']}（{receiver['relation_name']}）"
    ahead = handset.api.get("/leaving/preview")
    handset.screen.show(f"{ahead['name']}，退出以后会这样", list(_lines(ahead, where)))
    if not ahead["may_leave"]:
        handset.screen.sorry("现在还不能退出", [*_open_lines(ahead), "下一步：办完或取消这些，再来办退出。"])
        # Wanting to leave and being unable to is a refusal; looking ahead is none.
        raise click.exceptions.Exit(0 if preview else 1)
    if preview:
        handset.screen.hint("要办：timebank phone leave；时长给亲属：timebank phone leave --to 亲属")
        return
    if not (yes or agreed("退出以后不能反悔，真的要退出吗？")):
        handset.screen.show("没有退出，一切照旧", [])
        return
    body = {"to": "pool"} if receiver is None else {"to": "relative", "to_person_id": receiver["person_id"]}
    left = handset.write("/leaving", body, title="退出时间银行")
    lines = [f"{words.minutes_text(left['savings_minutes'])}已转给{where}", "荣誉时长为您保留，谢谢您。"]
    handset.screen.good("已退出时间银行", lines, small=f"编号 {left['leaving_id']}")


COMMANDS = (leave,)


def _lines(ahead: dict[str, Any], where: str) -> Iterator[str]:
    """What leaving would do."""
    yield f"自己存的 {words.minutes_text(ahead['savings_minutes'])}：归{where}"
    if ahead["vouchers"]:
        back = words.minutes_text(ahead["voucher_minutes"])
        yield f"没用的用餐券 {ahead['vouchers']} 张：先退回 {back}，再一起转走"
    if ahead["granted_minutes"]:
        yield f"政府给的 {words.minutes_text(ahead['granted_minutes'])}：收回公益时间池"
    if ahead["care_bookings"]:
        yield f"约好的上门服务 {ahead['care_bookings']} 次：取消"
    if ahead["aid_reservations"]:
        yield f"预约未取的辅具 {ahead['aid_reservations']} 件：取消预约"
    if ahead["proxies"]:
        yield f"代办 {ahead['proxies']} 项：终止"
    if ahead["relatives"]:
        yield f"亲属登记 {ahead['relatives']} 位：终止"
    yield "荣誉时长：为您保留"


def _open_lines(ahead: dict[str, Any]) -> Iterator[str]:
    for one in ahead["open"]:
        until = f"，到 {words.day_and_time_text(one['until'])}" if one["until"] else ""
        yield f"{one['kind_name']}还没有办完{until}"
