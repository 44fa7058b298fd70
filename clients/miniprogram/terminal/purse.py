"""The purse for meals on the phone: what is in it, and every line with its reason."""

from __future__ import annotations

from itertools import islice

import click

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.choosing import for_elder
from clients.miniprogram.terminal.commands import PhoneCommand, on_phone
from clients.miniprogram.terminal.handset import Handset
from clients.miniprogram.terminal.meal_choosing import elder_option


@click.command("purse", cls=PhoneCommand)
@click.option("--lines", is_flag=True, help="一笔一笔看")
@click.option("--pages", type=click.IntRange(1), default=1, metavar="页数", help="看几页")
@elder_option
@on_phone
def purse(handset: Handset, lines: bool, pages: int, elder: str | None) -> None:
    """餐费余额和明细。"""
    whose = for_elder(handset, elder)
    asked = {"person_id": whose["for_person_id"]} if whose else {}
    found = handset.api.get("/purses", asked)
    said = [f"户名：{found['name']}", f"余额：{words.yuan_text(found['balance_fen'])}"]
    if found["held_fen"]:
        said.append(f"订餐冻结：{words.yuan_text(found['held_fen'])}（取餐时才扣）")
    handset.screen.show(f"餐费可用：{words.yuan_text(found['available_fen'])}", said)
    if lines:
        _show_lines(handset, asked, pages)
    else:
        more = f" --for {elder}" if elder else ""
        handset.screen.hint(f"一笔一笔看：timebank phone meal purse --lines{more}")
        handset.screen.hint("要充值、要退钱，请到助餐点柜台。")


COMMANDS = (purse,)


def _show_lines(handset: Handset, asked: dict[str, str], pages: int) -> None:
    listed = handset.api.pages("/purses/statement", asked)
    found = [line for page in islice(listed, pages) for line in page]
    if not found:
        handset.screen.show("还没有明细", ["充过值、用过餐以后，这里会一笔一笔记着。"])
        return
    rows = [
        (
            words.moment_text(one["posted_at"]),
            one["sentence"],
            words.signed_yuan_text(one["fen"]),
            words.yuan_text(one["balance_fen"]),
        )
        for one in found
    ]
    if handset.screen.is_narrow:
        columns = [("时间和事由", False), ("多少", True), ("余额", True)]
        handset.screen.table("餐费明细", columns, [(f"{when}\n{why}", fen, left) for when, why, fen, left in rows])
    else:
        columns = [("时间", False), ("事由", False), ("多少", True), ("余额", True)]
        handset.screen.table("餐费明细", columns, rows)
