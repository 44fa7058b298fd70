"""``timebank clearing``: how the townships stand, closing a window, statements as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.api.clearing.schemas import PositionItem, WindowItem
from app.cli.bank import staff_actor, telling_refusals
from app.cli.clearing_export import export
from app.cli.clearing_lists import reconcile
from timebank.clearing import actions, queries
from timebank.clearing.queries import Position, WindowView
from timebank.clearing.rules import LIMIT_STATE_NAMES
from timebank.core import clock
from timebank.core.amounts import hours_text, yuan_text
from timebank.core.clock import LOCAL
from timebank.core.db import of_one_moment
from timebank.core.sorting import Part

_WINDOWS_SHOWN = 12
_JUST_BEGUN = timedelta(hours=1)


@click.group("clearing")
def clearing() -> None:
    """乡镇间清算：状态、关账、对账单、核对。 What townships owe one another."""


@clearing.command("status")
@click.argument("window", required=False)
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出 answer as JSON")
def status(window: str | None, as_json: bool) -> None:
    """清算周期和各镇街头寸；不写 WINDOW 为进行中的周期。 Windows, and the positions of one of them."""
    with telling_refusals() as database, database.session() as session:
        of_one_moment(session)
        windows = queries.windows(session, part=Part(_WINDOWS_SHOWN)).items
        found, positions = queries.positions(session, window_name=window)
    name = found.name if found else queries.ALL_TIME
    if as_json:
        click.echo(json.dumps(_as_json(windows, name, positions), ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(_windows(windows))
    console.print(_positions(positions, f"{name} 各镇街头寸（正数为应收，负数为应付）"))


@clearing.command("close")
@click.argument("window", required=False)
@click.option("--by", "username", metavar="USERNAME", required=True, help="由哪位区级管理员关账（登录名）")
@click.option("--yes", is_flag=True, help="不再询问")
def close(window: str | None, username: str, yes: bool) -> None:
    """关账：关闭一个清算周期，为各镇街出具对账单，同时开始下一周期。 Close the open window."""
    with telling_refusals() as database:
        with database.session() as session:
            actor = staff_actor(session, username)
            actor.must_be_district()
            view = queries.window_view(session, queries.find_window(session, window))
            newest = queries.windows(session, part=Part(2)).items
        since, due = _day(view.opened_at), _day(view.due_at)
        click.echo(f"清算周期 {view.window}（{view.status_name}），{since} 开始，应于 {due} 关账。")
        if window is None:
            _must_not_have_just_begun(newest)
        if not yes:
            click.confirm(f"现在关账 {view.window}？关账后不能撤销", abort=True)
        with database.unit_of_work() as session:
            closed = actions.close_window(session, actor=actor, window_name=view.window)
            statements = len(queries.statements_of(session, closed))
            following = queries.open_window(session).name
    click.echo(f"已关账 {closed.name}，出具对账单 {statements} 份，等待各镇街确认；新的周期是 {following}。")


def _must_not_have_just_begun(newest: Sequence[WindowView]) -> None:
    """Of two who close at once without naming the window, the later one does not mean the window just begun."""
    if len(newest) < 2 or newest[0].opened_at + _JUST_BEGUN <= clock.now() or newest[0].due_at <= clock.now():
        return
    last = newest[1]
    raise click.ClickException(
        f"上一周期 {last.window} 刚由{last.closed_by_name}关账；确要关闭刚开始的 {newest[0].window}，请写明周期。"
    )


clearing.add_command(export)
clearing.add_command(reconcile)


def _as_json(windows: Sequence[WindowView], name: str, positions: Sequence[Position]) -> dict[str, Any]:
    return {
        "windows": WindowItem(many=True).dump(windows),
        "window": name,
        "items": PositionItem(many=True).dump(positions),
        "sum_minutes": sum(one.position_minutes for one in positions),
    }


def _windows(windows: Sequence[WindowView]) -> Table:
    table = _table("清算周期", ["周期", "状态", "开始", "应关账", "关账", "结算"], figures=())
    for one in windows:
        dates = (_day(one.opened_at), _day(one.due_at), _day(one.closed_at), _day(one.settled_at))
        table.add_row(one.window, one.status_name, *dates)
    return table


def _positions(positions: Sequence[Position], title: str) -> Table:
    table = _table(title, ["镇街", "头寸", "金额", "未结算应付", "软/硬限额", "状态"], figures=range(1, 5))
    for one in positions:
        fen = "缺参考价" if one.position_fen is None else yuan_text(one.position_fen)
        figures = hours_text(one.position_minutes), fen, hours_text(one.owed_minutes), _limits(one)
        table.add_row(one.township_name, *figures, LIMIT_STATE_NAMES[one.limit_state])
    return table


def _limits(one: Position) -> str:
    soft, hard = one.soft_limit_minutes, one.hard_limit_minutes
    if soft % 60 or hard % 60:
        return f"{hours_text(soft)}/{hours_text(hard)}"
    return f"{soft // 60}/{hard // 60}小时"


def _table(title: str, headings: Sequence[str], *, figures: Sequence[int]) -> Table:
    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place in figures else "left", overflow="fold")
    return table


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(LOCAL):%Y-%m-%d}"
