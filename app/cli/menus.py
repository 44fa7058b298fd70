"""``timebank menus``: a week's menu from a workbook, and the empty workbook to fill in."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy.orm import Session

from app.api.menus.import_routes import told
from app.api.menus.schemas import MenuImportAnswer
from app.cli.bank import staff_actor, telling_refusals
from timebank.canteens.network.queries import canteen_called
from timebank.core.actors import Actor, StaffRole
from timebank.importing.actions.import_menu import MenuImport, import_menu, words_known
from timebank.importing.headings import MENU
from timebank.importing.menu_rows import REASONS
from timebank.importing.menu_workbook import read_menu_workbook, write_menu_template
from timebank.importing.package import read_package
from timebank.importing.rejects import write_rejects

_AT_THE_DESK = Actor(login_id=None, name="命令行", staff_role=StaffRole.DISTRICT_STEWARD)
"""Whoever may run commands on the bank's machine does what the district may, as with ``timebank import``."""

_NOTHING_CHANGED = "没有导入任何内容"


@click.group("menus")
def menus() -> None:
    """菜单：导入一周菜单。 Menus."""


@menus.command("import", short_help="导入一周菜单，成为草稿")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.xlsx")
@click.option("--canteen", "named", required=True, metavar="NUMBER|NAME", help="助餐点编号或名称")
@click.option("--week", type=click.DateTime(["%Y-%m-%d"]), required=True, help="这一周的星期一，如 2026-11-23")
@click.option("--by", "username", metavar="USERNAME", help="由哪位工作人员办理（登录名）；不写则记为命令行")
@click.option("--dry-run", is_flag=True, help="只核对，不改动任何数据")
@click.option("--rejects", type=click.Path(path_type=Path), metavar="OUT.xlsx", help="把退回的行写入此文件")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出结果")
def import_command(
    file: Path, named: str, week: datetime, username: str | None, dry_run: bool, rejects: Path | None, as_json: bool
) -> None:
    """导入一周菜单：好的行成为草稿，有误的行连同原因退回；重复导入不会重复。发布须另行办理。"""
    with suppress(OSError):
        if rejects is not None and file.samefile(rejects):
            raise click.ClickException(f"退回表不能与原工作簿是同一个文件，{_NOTHING_CHANGED}。")
    with telling_refusals() as database, database.unit_of_work() as session:
        actor = _AT_THE_DESK if username is None else staff_actor(session, username)
        done = _bring_in(session, actor, file, named, week.date(), dry_run=dry_run)
        if rejects is not None:
            # Before the commit: rows that cannot be given back must not be the only trace of what was refused.
            _give_back(rejects, done)
    if as_json:
        click.echo(json.dumps(MenuImportAnswer().dump(told(done)), ensure_ascii=False))
    else:
        _print(done, rejects)


@menus.command("template", short_help="空白的菜单工作簿")
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path), metavar="OUT.xlsx")
@click.option("--force", is_flag=True, help="覆盖已有的文件")
def template(output: Path, force: bool) -> None:
    """写出空白的菜单工作簿，填好后可以导入。 Write an empty workbook."""
    if output.exists() and not force:
        raise click.ClickException(f"已有 {output}，要覆盖请加 --force")
    with telling_refusals() as database, database.session() as session:
        words = words_known(session, None)
    draft = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        with draft.open("xb") as file:
            write_menu_template(file, words=words)
        draft.replace(output)
    except OSError as problem:
        raise click.ClickException(f"{output} 无法写入（{problem.strerror or type(problem).__name__}）") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    click.echo(f"已写入 {output}")


def _bring_in(session: Session, actor: Actor, file: Path, named: str, week: date, *, dry_run: bool) -> MenuImport:
    return import_menu(
        session,
        actor=actor,
        canteen_id=canteen_called(session, named).id,
        week_starts_on=week,
        read=lambda: read_menu_workbook(read_package(file), name=file.name),
        dry_run=dry_run,
    )


def _give_back(path: Path, done: MenuImport) -> None:
    try:
        write_rejects(path, done.workbook, {MENU: done.rejected}, REASONS)
    except OSError:
        raise click.ClickException(f"退回表 {path.name} 无法写入，请检查文件夹和权限，{_NOTHING_CHANGED}。") from None


def _print(done: MenuImport, rejects: Path | None) -> None:
    console = Console(highlight=False, markup=False)
    if done.dry_run:
        console.print(Text("试运行：没有改动任何数据。以下是正式导入时的结果。", style="bold yellow"))
    counts = f"新增 {done.added} 条，更改 {done.changed} 条，已有 {done.already_present} 条"
    console.print(f"{done.workbook.name}：{counts}，退回 {len(done.rejected)} 条。")
    if not done.rejected:
        return
    table = Table(title="退回的行（未导入）", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("行", justify="right")
    table.add_column("原因", overflow="fold")
    for one in done.rejected:
        table.add_row(str(one.row), REASONS[one.reason])
    console.print(table)
    if rejects is not None:
        console.print(f"退回的行已写入 {rejects}，更正后可直接再导入。")
