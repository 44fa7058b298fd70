"""``timebank meals``: a day's orders of a canteen, and what is in somebody's purse."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

import click
from rich import box
from rich.console import Console
from rich.table import Table

from app.api.orders.routes import order_answer
from app.api.orders.schemas import MealOrderAnswer
from app.cli.bank import telling_refusals
from app.cli.named import Named
from timebank.canteens.network.queries import canteen_called
from timebank.canteens.orders.rules import STATE_NAMES, OrderState
from timebank.canteens.orders.views import OrderFilter, OrderView, find_orders
from timebank.canteens.pricing.rules import DIET_FORM_NAMES, MEAL_NAMES, WAY_NAMES, DietForm, Meal, Way
from timebank.canteens.purses.views import purse_for, statement_for
from timebank.core.actors import Actor, StaffRole
from timebank.core.amounts import yuan_text
from timebank.core.clock import LOCAL
from timebank.people.rules import masked_name

_AT_THE_DESK = Actor(login_id=None, name="命令行", staff_role=StaffRole.AUDITOR)
"""Whoever may run commands on the bank's machine sees what an auditor sees."""

_json = click.option("--json", "as_json", is_flag=True, help="以 JSON 输出 answer as JSON")


@click.group("meals")
def meals() -> None:
    """助餐：订餐清单、餐费余额。 Orders of meals, and purses."""


@meals.command("orders", short_help="一个助餐点一天的订餐")
@click.option("--canteen", "named", required=True, metavar="NUMBER|NAME", help="助餐点编号或名称")
@click.option("--on", "on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="日期，如 2026-11-23")
@click.option("--meal", type=Named(MEAL_NAMES), help="只看这一餐")
@click.option("--state", type=Named(STATE_NAMES), help="只看这种状态")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="最多列出多少份")
@_json
def orders(named: str, on: datetime, meal: str | None, state: str | None, limit: int, as_json: bool) -> None:
    """一个助餐点一天的订餐，按餐次和取餐号。 A day's orders of a canteen."""
    with telling_refusals() as database, database.session() as session:
        day = on.date()
        wanted = OrderFilter(None, canteen_called(session, named).id, day, day, meal, state)
        found = find_orders(session, actor=_AT_THE_DESK, wanted=wanted, limit=limit)
        found.sort(key=lambda view: (list(Meal).index(Meal(view.order.meal)), view.order.pickup_number))
        if as_json:
            said = [MealOrderAnswer().dump(order_answer(view)) for view in found]
            click.echo(json.dumps(said, ensure_ascii=False))
            return
    table = _table("餐次", "取餐号", "姓名", "菜品", "方式", "状态", "原价", "本人付")
    for view in found:
        table.add_row(*_row(view))
    console = Console(highlight=False, markup=False)
    console.print(table)
    console.print(f"共{len(found)}份，原价{yuan_text(sum(view.order.list_fen for view in found))}")


@meals.command("purse", short_help="一个人的餐费余额和明细")
@click.argument("person_id", type=click.UUID, metavar="PERSON_ID")
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="最多列出多少笔")
@_json
def purse(person_id: UUID, limit: int, as_json: bool) -> None:
    """一个人的餐费余额和明细，新的在前。 What is in a purse, and how it came there."""
    with telling_refusals() as database, database.session() as session:
        holder, there = purse_for(session, actor=_AT_THE_DESK, person_id=person_id)
        lines = statement_for(session, actor=_AT_THE_DESK, person_id=person_id, limit=limit)
    sums = {name: getattr(there, name) for name in ("balance_fen", "held_fen", "available_fen")}
    if as_json:
        listed = [
            {"posted_at": line.posted_at.isoformat(), "fen": line.fen, "sentence": line.sentence} for line in lines
        ]
        click.echo(json.dumps({"person_id": str(person_id), **sums, "lines": listed}, ensure_ascii=False))
        return
    console = Console(highlight=False, markup=False)
    balance, held, available = (yuan_text(fen) for fen in sums.values())
    console.print(f"{masked_name(holder.name)}：余额{balance}，其中已订餐{held}，可用{available}")
    table = _table("时间", "金额", "余额", "说明")
    for line in lines:
        at = f"{line.posted_at.astimezone(LOCAL):%m-%d %H:%M}"
        table.add_row(at, yuan_text(line.fen), yuan_text(line.balance_fen), line.sentence)
    console.print(table)


def _row(view: OrderView) -> tuple[str, ...]:
    order = view.order
    way, form = WAY_NAMES[Way(order.way)], DietForm(order.diet_form)
    dishes = "、".join(f"{one.name}×{one.quantity}" for one in view.items)
    return (
        MEAL_NAMES[Meal(order.meal)],
        str(order.pickup_number),
        masked_name(view.diner_name) if view.diner_name is not None else "散客",
        dishes if form is DietForm.NORMAL else f"{dishes}（{DIET_FORM_NAMES[form]}）",
        way,
        STATE_NAMES[OrderState(order.state)],
        yuan_text(order.list_fen),
        yuan_text(order.elder_fen),
    )


def _table(*headings: str) -> Table:
    """Words to the left, numbers to the right, as wide as the screen and no wider."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    to_the_right = ("取餐号", "原价", "本人付", "金额", "余额")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in to_the_right else "left", overflow="fold")
    return table
