"""``timebank canteens``: the canteens of the district, and all about one of them."""

from __future__ import annotations

import json
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from app.api.canteens.answers import canteen_item, whole_item
from app.api.canteens.schemas import CanteenItem, WholeCanteenAnswer
from app.cli.bank import telling_refusals
from app.cli.named import Named
from timebank.canteens.network.queries import canteen_called
from timebank.canteens.network.rules import STATE_NAMES, CanteenState
from timebank.canteens.network.views import CanteenFilter, find_canteens, whole_canteen
from timebank.canteens.pricing.rules import MEAL_NAMES, Meal
from timebank.core.actors import Actor, StaffRole
from timebank.core.sorting import Part
from timebank.policies.in_words import WEEKDAY_NAMES

_MOST = 1000
"""Canteens on one list; the district has about a hundred."""

_AT_THE_DESK = Actor(login_id=None, name="命令行", staff_role=StaffRole.AUDITOR)
"""Whoever may run commands on the bank's machine sees what an auditor sees."""


@click.group("canteens")
def canteens() -> None:
    """助餐点：名单、详情。 Canteens."""


@canteens.command("list", short_help="助餐点名单")
@click.option("--township", "township_code", metavar="CODE", help="只看这个镇街，如 330213004")
@click.option("--state", type=Named(STATE_NAMES), help="只看这种状态")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出 answer as JSON")
def list_canteens(township_code: str | None, state: str | None, as_json: bool) -> None:
    """助餐点名单。 List canteens with their number, state, grade and what they serve today."""
    wanted = CanteenFilter(township_code=township_code, state=state)
    with telling_refusals() as database, database.session() as session:
        found = find_canteens(session, actor=_AT_THE_DESK, wanted=wanted, part=Part(_MOST))
        items = [canteen_item(view) for view in found.items]
    if as_json:
        click.echo(json.dumps([CanteenItem().dump(item) for item in items], ensure_ascii=False))
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("编号", "名称", "类型", "状态", "等级", "今天供应"):
        table.add_column(heading, overflow="fold")
    for item in items:
        meals = "、".join(meal["meal_name"] for meal in item["meals_today"])
        row = (item["number"], item["name"], item["type_name"], item["state_name"], item["grade"], meals)
        table.add_row(*(said or "—" for said in row))
    console = Console(highlight=False, markup=False)
    console.print(table)
    console.print(f"共{len(items)}个")


@canteens.command("show", short_help="一个助餐点的详情")
@click.argument("canteen", metavar="NUMBER|NAME")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出 answer as JSON")
def show(canteen: str, as_json: bool) -> None:
    """一个助餐点的详情，按编号或名称。 All about one canteen."""
    with telling_refusals() as database, database.session() as session:
        found = canteen_called(session, canteen)
        said = whole_item(whole_canteen(session, actor=_AT_THE_DESK, canteen_id=found.id))
        whole = WholeCanteenAnswer().dump(said)
    if as_json:
        click.echo(json.dumps(whole, ensure_ascii=False))
        return
    _print(whole)


def _print(whole: dict[str, Any]) -> None:
    console = Console(highlight=False, markup=False)
    state = STATE_NAMES[CanteenState(whole["state"])]
    console.print(f"{whole['name']}（{whole['number'] or '尚无编号'}，{whole['type_name']}）：{state}")
    if whole["state_reason"]:
        console.print(f"原因：{whole['state_reason']}")
    place = f"{whole['latitude']}, {whole['longitude']}" if whole["latitude"] is not None else "未填写"
    console.print(f"地址：{whole['address'] or '未填写'}　电话：{whole['phone'] or '未填写'}　位置：{place}")
    console.print(f"厨房：{whole['kitchen_name'] or '自己做饭'}　送餐：{whole['carrier_name']}")
    for day in whole["closed_days"]:
        meal = MEAL_NAMES[Meal(day["meal"])] if day["meal"] else "全天"
        console.print(f"停餐：{day['closed_on']}{meal}，{day['reason']}")
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("星期", "餐次", "时间", "份数"):
        table.add_column(heading, overflow="fold")
    for one in whole["hours"]:
        hours = f"{one['opens_at']}–{one['closes_at']}"
        table.add_row(WEEKDAY_NAMES[one["weekday"] - 1], one["meal_name"], hours, str(one["capacity_meals"]))
    console.print(table)
