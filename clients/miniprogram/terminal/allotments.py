"""What a person has earned and is granted: honours, and the government's minutes month by month."""

from __future__ import annotations

import click

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.choosing import for_elder
from clients.miniprogram.terminal.commands import PhoneCommand, on_phone
from clients.miniprogram.terminal.handset import Handset


@click.command("honours", cls=PhoneCommand)
@on_phone
def honours(handset: Handset) -> None:
    """我的荣誉：一共服务了多少，几星志愿者。"""
    found = handset.api.get("/me/honours")
    title = f"{'★' * found['stars']} {found['stars']} 星志愿者" if found["stars"] else "还没有星，继续加油"
    lines = [f"荣誉时长：{words.minutes_text(found['honour_minutes'])}"]
    if found["next_star_minutes"] is not None:
        missing = words.minutes_text(max(0, found["next_star_minutes"] - found["honour_minutes"]))
        lines.append(f"离 {found['stars'] + 1} 星还差：{missing}")
    if found["surplus_minutes"]:
        lines.append(f"超出上限、转入公益时间池：{words.minutes_text(found['surplus_minutes'])}")
    if found["donated_minutes"]:
        lines.append(f"捐出：{words.minutes_text(found['donated_minutes'])}")
    handset.screen.show(title, lines)


@click.command("allotments", cls=PhoneCommand)
@click.option("--for", "elder", metavar="名字或序号", help="看这位老人的")
@on_phone
def allotments(handset: Handset, elder: str | None) -> None:
    """政府给的服务时长，新的在前。"""
    found = list(handset.api.items("/allotments", for_elder(handset, elder)))
    if not found:
        handset.screen.show("还没有政府给的服务时长", ["要申请能力评估，请到镇街。"])
    for one in found:
        lines = [
            f"老人：{one['name']}",
            f"给了：{words.minutes_text(one['minutes'])}",
            f"评估：{one['level_name']}",
            f"用到：{words.day_text(one['expires_on'])}，过期收回",
        ]
        handset.screen.show(words.month_text(one["month"]), lines)


COMMANDS = (honours, allotments)
