"""Ratings of meals on the phone: saying how a meal was, and what others said of a canteen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import click

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.asking import asked
from clients.miniprogram.terminal.choosing import chosen_order, for_elder
from clients.miniprogram.terminal.commands import PhoneCommand, on_phone
from clients.miniprogram.terminal.handset import Handset
from clients.miniprogram.terminal.meal_choosing import (
    canteen_option,
    chosen_canteen,
    chosen_code,
    chosen_codes,
    diner_file,
    elder_option,
    policy_values,
)

_MOST = 5
_STARS = {str(stars): str(stars) for stars in range(1, _MOST + 1)}


@click.command("rate", cls=PhoneCommand)
@click.argument("order", metavar="序号")
@click.option("--stars", type=click.IntRange(1, _MOST), help="几颗星，1 到 5")
@click.option("--tag", "tags", multiple=True, metavar="标签", help="怎么样，如 味道好、太咸；可以写几样")
@click.option("--words", "said", metavar="话", help="想说的话")
@on_phone
def rate(handset: Handset, order: str, stars: int | None, tags: tuple[str, ...], said: str | None) -> None:
    """评价一餐；改主意了再评一次就行。"""
    order_id = chosen_order(handset, order)
    given = stars or int(chosen_code(_STARS, asked("几颗星（1 到 5）"), "几颗星"))
    known = {one: one for one in policy_values(handset)["rating_tags"]} if tags else {}
    body: dict[str, Any] = {"stars": given, "tags": chosen_codes(known, tags, "标签"), "words": said or ""}
    rated = handset.write(f"/ratings/{order_id}", body, title="评价用餐")
    handset.screen.good("谢谢您的评价", _lines(rated), small=f"编号 {order_id}")


@click.command("ratings", cls=PhoneCommand)
@click.option("--pages", type=click.IntRange(1), default=1, metavar="页数", help="看几页")
@canteen_option
@elder_option
@on_phone
def ratings(handset: Handset, pages: int, canteen: str | None, elder: str | None) -> None:
    """大家对一个助餐点的评价，和助餐点的回复。"""
    canteen_id = chosen_canteen(handset, canteen, diner_file(handset, for_elder(handset, elder)))
    name = handset.api.get(f"/canteens/{canteen_id}")["name"]
    query = {"canteen_id": canteen_id}
    average = handset.api.get("/ratings", query)["average"]
    found = [one for page in islice(handset.api.pages("/ratings", query), pages) for one in page]
    if not found:
        handset.screen.show(name, ["还没有人评价过。"])
        return
    whole, rest = divmod(average["average_hundredths"], 100)
    handset.screen.show(name, [f"平均 {whole}.{rest:02} 颗星，{average['ratings']} 人次评价"])
    for one in found:
        handset.screen.show(f"{one['diner_name']}，{words.day_text(one['served_on'])}", _lines(one))


COMMANDS = (rate, ratings)


def _lines(rated: Mapping[str, Any]) -> Iterator[str]:
    yield f"{'★' * rated['stars']}{'☆' * (_MOST - rated['stars'])}（{rated['stars']} 颗星）"
    if rated["tags"]:
        yield "、".join(rated["tags"])
    if rated["words"]:
        yield f"说：{rated['words']}"
    if rated["hidden"]:
        yield f"这些话没有给别人看：{rated['hidden_reason']}" if rated["hidden_reason"] else "有的话没有显示"
    if rated["reply"]:
        yield f"助餐点回复：{rated['reply']['words']}"
