"""Standing orders on the phone: the same meal every week, paused while away, ended."""

from __future__ import annotations

from typing import Any

import click

from clients.miniprogram.terminal import meal_words
from clients.miniprogram.terminal.asking import asked
from clients.miniprogram.terminal.choosing import chosen_standing_order, for_elder
from clients.miniprogram.terminal.commands import PhoneGroup, on_phone
from clients.miniprogram.terminal.handset import Handset
from clients.miniprogram.terminal.meal_choosing import (
    canteen_option,
    chosen_canteen,
    chosen_code,
    chosen_day,
    chosen_weekdays,
    diner_file,
    elder_option,
)

_KIND = "standing-orders"


@click.group("standing", cls=PhoneGroup, invoke_without_command=True)
@click.pass_context
def standing(ctx: click.Context) -> None:
    """长期订餐：每周自动订；不写别的，就看现有的。"""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_standing)


@standing.command("list")
@click.option("--ended", is_flag=True, help="看已经结束的")
@elder_option
@on_phone
def list_standing(handset: Handset, ended: bool = False, elder: str | None = None) -> None:
    """现有的长期订餐。"""
    query = {"ended": "true" if ended else None, **for_elder(handset, elder)}
    found = list(handset.api.items(f"/{_KIND}", query))
    handset.remember_list(_KIND, [one["standing_order_id"] for one in found])
    if not found:
        handset.screen.show("没有长期订餐", ["要设一份：timebank phone meal standing set"])
        return
    for number, one in enumerate(found, start=1):
        title = f"{number}．{meal_words.standing_title(one)}"
        handset.screen.show(title, meal_words.standing_lines(one), small=f"编号 {one['standing_order_id']}")
    if not ended:
        handset.screen.hint("出门几天：timebank phone meal standing pause 序号 --from 日子 --until 日子")
        handset.screen.hint("不要了：timebank phone meal standing end 序号")


@standing.command("set")
@click.option("--meal", "which", metavar="餐次", help="早餐、午餐或晚餐")
@click.option("--weekdays", metavar="星期", help="星期几，如 一二三四五、每天")
@click.option("--choice", default="爱心餐", metavar="选菜", help="爱心餐或最便宜的一份；不写就是爱心餐")
@click.option("--way", default="堂食", metavar="方式", help="堂食、自取或送餐上门；不写就是堂食")
@click.option("--vouchers", is_flag=True, help="有用餐券先用券")
@click.option("--from", "starts", default="明天", metavar="日子", help="从哪天起；不写就是明天")
@click.option("--until", "ends", metavar="日子", help="到哪天为止；不写就一直订")
@canteen_option
@elder_option
@on_phone
def set_standing(
    handset: Handset, /, which: str | None, weekdays: str | None, canteen: str | None, elder: str | None, **wishes: Any
) -> None:
    """设一份长期订餐；同一餐原来的那份会换成新的。"""
    whose = for_elder(handset, elder)
    body = {
        "canteen_id": chosen_canteen(handset, canteen, diner_file(handset, whose)),
        "meal": chosen_code(meal_words.MEALS, which or asked("哪一餐（早餐、午餐、晚餐）"), "餐次"),
        "weekdays": chosen_weekdays(weekdays or asked("星期几（如 一二三四五，或 每天）")),
        "way": chosen_code(meal_words.WAYS, wishes["way"], "用餐方式"),
        "choice": chosen_code(meal_words.CHOICES, wishes["choice"], "选菜"),
        "use_vouchers": wishes["vouchers"],
        "starts_on": chosen_day(handset, wishes["starts"]),
        **({"ends_on": chosen_day(handset, wishes["ends"])} if wishes["ends"] else {}),
        **whose,
    }
    _done(handset, "长期订餐设好了", handset.write(f"/{_KIND}", body, title="设定长期订餐"))


@standing.command("pause")
@click.argument("standing_order", metavar="序号")
@click.option("--from", "first", required=True, metavar="日子", help="从哪天起不订，如 明天")
@click.option("--until", "last", required=True, metavar="日子", help="最后哪天不订，当天也不订")
@on_phone
def pause(handset: Handset, standing_order: str, first: str, last: str) -> None:
    """暂停几天，过后自动接着订。"""
    chosen = chosen_standing_order(handset, standing_order)
    body = {"from": chosen_day(handset, first), "until": chosen_day(handset, last)}
    _done(handset, "已暂停", handset.write(f"/{_KIND}/{chosen}/pause", body, title="暂停长期订餐"))
    handset.screen.hint("这几天里已经订好的餐，不要的请另外取消：timebank phone meal orders")


@standing.command("end")
@click.argument("standing_order", metavar="序号")
@on_phone
def end(handset: Handset, standing_order: str) -> None:
    """结束长期订餐。"""
    chosen = chosen_standing_order(handset, standing_order)
    _done(handset, "长期订餐已结束", handset.write(f"/{_KIND}/{chosen}/end", {}, title="结束长期订餐"))
    handset.screen.hint("已经订好的餐还在，不要的请另外取消：timebank phone meal orders")


COMMANDS = (standing,)


def _done(handset: Handset, title: str, done: dict[str, Any]) -> None:
    handset.remember_list(_KIND, [done["standing_order_id"]])
    lines = [meal_words.standing_title(done), *meal_words.standing_lines(done)]
    handset.screen.good(title, lines, small=f"编号 {done['standing_order_id']}")
