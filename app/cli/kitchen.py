"""``timebank kitchen``: what a kitchen cooks and what goes where, as tables to hang up and as a workbook."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from app.api.kitchen.schemas import DistributionAnswer, KitchenPlanAnswer
from app.cli.bank import telling_refusals
from app.cli.named import Named
from timebank.canteens.delivery.queries.kitchen import KitchenDay, kitchen_named, see_kitchen_day
from timebank.canteens.pricing.rules import DIET_FORM_NAMES, MEAL_NAMES, WAY_NAMES, DietForm, Way
from timebank.core.clock import LOCAL
from timebank.importing.kitchen_workbook import kitchen_title, write_kitchen_day


@click.group("kitchen")
def kitchen() -> None:
    """后厨：生产计划、分送清单 What a kitchen cooks, and what goes where."""


def _asked(command: Callable[..., None]) -> Callable[..., None]:
    """What both commands take."""
    for option in reversed(
        (
            click.option("--canteen", "name", required=True, metavar="NAME", help="做饭的助餐点名称"),
            click.option("--on", "on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="日期，如 2026-11-23"),
            click.option("--meal", required=True, type=Named(MEAL_NAMES), help="餐次"),
            click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="另存为 Excel 文件"),
            click.option("--force", is_flag=True, help="覆盖已有的文件"),
            click.option("--json", "as_json", is_flag=True, help="以 JSON 输出 answer as JSON"),
        )
    ):
        command = option(command)
    return command


@kitchen.command("plan", short_help="生产计划：每道菜、每种形态做多少份")
@_asked
def plan(**asked: Any) -> None:
    """生产计划：每道菜、每种形态、每个助餐点做多少份，过敏提示。 What is cooked for one meal."""
    day = _look(asked)
    if asked["as_json"]:
        click.echo(json.dumps(KitchenPlanAnswer().dump(day), ensure_ascii=False))
        return
    console = _begin(day)
    table = _table("菜品", "形态", "助餐点", "份数")
    for total in day.totals:
        of_dish = [line for line in day.dishes if (line.dish, line.diet_form) == (total.dish, total.diet_form)]
        form = DIET_FORM_NAMES[DietForm(total.diet_form)]
        for line in of_dish:
            table.add_row(line.dish, form, line.canteen_name, str(line.portions))
        if len(of_dish) > 1:
            table.add_row(total.dish, form, "小计", str(total.portions))
    table.add_row("合计", "", "", str(day.portions))
    console.print(table)
    _print_allergies(console, day)


@kitchen.command("distribution", short_help="分送清单：每个助餐点多少餐盒")
@_asked
def distribution(**asked: Any) -> None:
    """分送清单：每个助餐点、每种形态、每种用餐方式多少餐盒。 What goes to which canteen."""
    day = _look(asked)
    if asked["as_json"]:
        click.echo(json.dumps(DistributionAnswer().dump(day), ensure_ascii=False))
        return
    console = _begin(day)
    table = _table("助餐点", "形态", "用餐方式", "餐盒", "份数")
    for line in day.distribution:
        form, way = DIET_FORM_NAMES[DietForm(line.diet_form)], WAY_NAMES[Way(line.way)]
        table.add_row(line.canteen_name, form, way, str(line.boxes), str(line.portions))
    table.add_row("合计", "", "", str(day.boxes), str(day.portions))
    console.print(table)


def _look(asked: dict[str, Any]) -> KitchenDay:
    """The meal that is asked for, written to a file where that is wanted."""
    output: Path | None = asked["output"]
    on: datetime = asked["on"]
    if output is not None and output.exists() and not asked["force"]:
        raise click.ClickException(f"已有 {output}，要覆盖请加 --force")
    with telling_refusals() as database, database.unit_of_work() as session:
        kitchen_there = kitchen_named(session, asked["name"])
        day = see_kitchen_day(session, kitchen_there, served_on=on.date(), meal=asked["meal"])
    if output is not None:
        _write(output, day)
        click.echo(f"已写入 {output}", err=asked["as_json"])
    return day


def _write(output: Path, day: KitchenDay) -> None:
    """The workbook, whole or not at all."""
    draft = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        with draft.open("xb") as file:
            write_kitchen_day(file, day)
        draft.replace(output)
    except OSError as problem:
        raise click.ClickException(f"{output} 无法写入（{problem.strerror or type(problem).__name__}）") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _begin(day: KitchenDay) -> Console:
    console = Console(highlight=False, markup=False)
    console.print(kitchen_title(day))
    if day.cooked_at is not None:
        console.print(f"已于{day.cooked_at.astimezone(LOCAL):%H:%M}出餐（{day.cooked_by_name}）。")
    return console


def _table(*headings: str) -> Table:
    """Words to the left, numbers to the right, as wide as the screen and no wider."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, justify="right" if heading in ("份数", "餐盒") else "left", overflow="fold")
    return table


def _print_allergies(console: Console, day: KitchenDay) -> None:
    if not day.allergies:
        console.print("没有过敏需要注意。")
        return
    console.print("过敏提示：")
    for line in day.allergies:
        bad = f"，不能吃：{'、'.join(line.dishes)}" if line.dishes else ""
        console.print(f"  {line.canteen_name} 取餐号{line.pickup_number}：{'、'.join(line.allergies)}{bad}")
