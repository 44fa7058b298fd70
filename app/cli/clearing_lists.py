"""``timebank clearing reconcile``: a township's own list of a window against the books."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.api.clearing.reconciliation_schemas import ReconciliationItem
from app.cli.bank import staff_actor, telling_refusals
from timebank.clearing import queries
from timebank.clearing.queries import BreakView, ReconciliationView
from timebank.clearing.township_lists import BREAK_TYPE_NAMES, BreakType
from timebank.core.amounts import hours_text
from timebank.core.sorting import Part, Slice
from timebank.importing.actions import reconcile_workbook
from timebank.importing.line_workbook import UNREADABLE
from timebank.importing.package import read_package

_BREAKS_SHOWN = 50


@click.command("reconcile")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--window", required=True, help="清算周期，如 2026-11")
@click.option("--township", "township_code", required=True, help="镇街代码")
@click.option("--by", "username", required=True, metavar="USERNAME", help="由哪位管理员提交（登录名）")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出 answer as JSON")
def reconcile(file: Path, window: str, township_code: str, username: str, as_json: bool) -> None:
    """核对：把镇街自己的往来清单与账目逐笔核对，列出差异。 Compare a township's own list with the books."""
    with telling_refusals() as database, database.unit_of_work() as session:
        made = reconcile_workbook(
            session,
            actor=staff_actor(session, username),
            window_name=window,
            content=read_package(file),
            file_name=file.name,
            township_code=township_code,
        )
        view = queries.reconciliation_view(session, made)
        breaks = queries.breaks_of(session, made, part=Part(_BREAKS_SHOWN))
    if as_json:
        unreadable = [{**row, "reason_name": UNREADABLE[row["reason"]]} for row in view.unreadable]
        click.echo(json.dumps({**ReconciliationItem().dump(view), "unreadable": unreadable}, ensure_ascii=False))
        return
    _print(view, breaks)


def _print(view: ReconciliationView, breaks: Slice[BreakView]) -> None:
    console = Console(highlight=False, markup=False)
    when = "（周期尚未关账，仅供参考）" if view.preliminary else ""
    console.print(f"{view.file_name}：{view.rows} 行，{view.matched} 行与账目相符{when}。")
    for row in view.unreadable:
        console.print(f"  第 {row['row']} 行：{UNREADABLE[row['reason']]}。")
    if not breaks.items:
        console.print("没有差异。")
        return
    title = "、".join(f"{BREAK_TYPE_NAMES[kind]} {view.found[kind]} 项" for kind in BreakType if view.found[kind])
    table = Table(title=Text(f"差异：{title}"), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading, side in (("差异", "left"), ("行", "right"), ("日期", "left"), ("账上", "right"), ("清单", "right")):
        table.add_column(heading, justify="right" if side == "right" else "left", overflow="fold")
    table.add_column("人员", overflow="fold")
    for one in breaks.items:
        minutes = ["" if m is None else hours_text(m) for m in (one.minutes_here, one.minutes_there)]
        table.add_row(
            one.type_name, "" if one.row is None else str(one.row), f"{one.day}", *minutes, one.person_name or ""
        )
    console.print(table)
    if breaks.following is not None:
        console.print(f"只列出前 {_BREAKS_SHOWN} 项，其余请在系统中查看。")
