"""``timebank diners``: who eats in the meal programme; an office's list goes in, its bad rows come back."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import click
from rich import box
from rich.console import Console
from rich.table import Table

from app.api.diners.import_routes import told
from app.api.diners.routes import diner_answer
from app.api.diners.schemas import DinerAnswer, DinerImportAnswer
from app.cli.bank import telling_refusals
from app.cli.named import Named
from timebank.canteens.diners.rules import STATE_NAMES, DinerState
from timebank.canteens.diners.views import DinerFilter, DinerView, find_diners
from timebank.canteens.network.queries import canteen_called
from timebank.canteens.pricing.rules import DIET_FORM_NAMES, DietForm
from timebank.core.actors import Actor, StaffRole
from timebank.core.sorting import Part
from timebank.importing.actions.import_diners import DinerImport, import_diners
from timebank.importing.diner_rules import DINER_REASONS
from timebank.importing.diner_workbook import diner_form, open_diner_workbook
from timebank.importing.headings import DINERS
from timebank.importing.rejects import write_rejects
from timebank.people.rules import masked_name

_AT_THE_DESK = Actor(login_id=None, name="命令行", staff_role=StaffRole.AUDITOR)
"""Whoever may run commands on the bank's machine sees what an auditor sees."""

_NOTHING_CHANGED = "没有导入任何内容"


@click.group("diners")
def diners() -> None:
    """用餐对象：名单、导入。 Diners of the meal programme."""


@diners.command("list", short_help="用餐对象名单")
@click.option("--township", "township_code", metavar="CODE", help="只看这个镇街，如 330213004")
@click.option("--state", type=Named(STATE_NAMES), help="只看这种状态")
@click.option("--category", metavar="CODE", help="只看今天有这项特殊类别的，如 low_income")
@click.option("--canteen", "named", metavar="NUMBER|NAME", help="只看常用这个助餐点的")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="最多列出多少人")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出 answer as JSON")
def list_diners(
    township_code: str | None, state: str | None, category: str | None, named: str | None, limit: int, as_json: bool
) -> None:
    """用餐对象名单，按申请先后。 List diners in the order of their applications."""
    with telling_refusals() as database, database.session() as session:
        canteen_id: UUID | None = canteen_called(session, named).id if named is not None else None
        wanted = DinerFilter(township_code, state, category, canteen_id)
        found = find_diners(session, actor=_AT_THE_DESK, wanted=wanted, part=Part(limit)).items
    if as_json:
        click.echo(json.dumps([DinerAnswer().dump(diner_answer(view)) for view in found], ensure_ascii=False))
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("姓名", "年龄", "状态", "餐食形态", "特殊类别", "常用助餐点"):
        table.add_column(heading, overflow="fold")
    for view in found:
        table.add_row(*_row(view))
    console = Console(highlight=False, markup=False)
    console.print(table)
    console.print(f"共{len(found)}人")


@diners.command("import", short_help="导入用餐对象")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.xlsx")
@click.option("--approved-by", metavar="NAME", help="由谁审批负责（必填）")
@click.option("--dry-run", is_flag=True, help="只核对，不改动任何数据")
@click.option("--rejects", type=click.Path(path_type=Path), metavar="OUT.xlsx", help="把退回的行写入此文件")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出结果")
def import_command(file: Path, approved_by: str | None, dry_run: bool, rejects: Path | None, as_json: bool) -> None:
    """导入用餐对象：好的行建立档案，有误的行连同原因退回；重复导入不会重复。"""
    approver = " ".join((approved_by or "").encode("utf-8", errors="replace").decode().split())
    if not approver:
        raise click.ClickException(f"请用 --approved-by 写明由谁审批负责，{_NOTHING_CHANGED}。")
    with suppress(OSError):
        if rejects is not None and file.samefile(rejects):
            raise click.ClickException(f"退回表不能与原工作簿是同一个文件，{_NOTHING_CHANGED}。")
    with telling_refusals() as database, database.unit_of_work() as session:
        actor = Actor(login_id=None, name=approver)
        done = import_diners(session, actor=actor, read=lambda: open_diner_workbook(file), dry_run=dry_run)
        if rejects is not None:
            # Before the commit: rows that cannot be given back must not be the only trace of what was refused.
            _give_back(rejects, done)
    if as_json:
        click.echo(json.dumps(DinerImportAnswer().dump(told(done)), ensure_ascii=False))
    else:
        _print(done, rejects)


@diners.command("template", short_help="空白的用餐对象工作簿")
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path), metavar="OUT.xlsx")
def template(output: Path) -> None:
    """写出空白的用餐对象工作簿，填好后可以导入。 Write an empty workbook."""
    try:
        with output.open("xb") as file:
            file.write(diner_form())
    except FileExistsError:
        raise click.ClickException(f"已有 {output}，请换一个文件名") from None
    except OSError as problem:
        raise click.ClickException(f"{output} 无法写入（{problem.strerror or type(problem).__name__}）") from None
    click.echo(f"已写入 {output}")


def _row(view: DinerView) -> tuple[str, ...]:
    categories = "、".join(one.name for one in view.categories if one.valid_today)
    state, form = STATE_NAMES[DinerState(view.diner.state)], DIET_FORM_NAMES[DietForm(view.diner.diet_form)]
    return (masked_name(view.name), str(view.age), state, form, categories, view.usual_canteen_name or "—")


def _give_back(path: Path, done: DinerImport) -> None:
    try:
        write_rejects(path, done.workbook, {DINERS: done.rejected}, DINER_REASONS)
    except OSError:
        raise click.ClickException(f"退回表 {path.name} 无法写入，请检查文件夹和权限，{_NOTHING_CHANGED}。") from None


def _print(done: DinerImport, rejects: Path | None) -> None:
    console = Console(highlight=False, markup=False)
    if done.dry_run:
        console.print("试运行：没有改动任何数据。以下是正式导入时的结果。")
    counts = f"新建档案 {done.diners} 人（其中新登记 {done.people} 人），已有 {done.already_present} 人"
    console.print(f"{done.workbook.name}：{counts}，特殊类别 {done.categories} 项，退回 {len(done.rejected)} 行。")
    for title, rows in (
        ("退回的行（未导入）", [(one.row, DINER_REASONS[one.reason]) for one in done.rejected]),
        ("请留意（已导入）", [(note.row, note.text) for note in done.notes]),
    ):
        if rows:
            table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
            table.add_column("行", justify="right")
            table.add_column("说明", overflow="fold")
            for row, text in rows:
                table.add_row(str(row), text)
            console.print(table)
    if done.rejected and rejects is not None:
        console.print(f"退回的行已写入 {rejects}，更正后可直接再导入。")
