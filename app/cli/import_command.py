"""``timebank import``: an office's workbook goes in, its bad rows come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import OperationalError

from app.cli.bank import open_bank
from app.cli.import_report import print_json, print_report
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.importing.actions import STEPS, import_workbook
from timebank.importing.rejects import write_rejects
from timebank.importing.report import ImportReport
from timebank.importing.workbook import OfficeWorkbook, open_workbook

_NOTHING_CHANGED = "没有导入任何内容"

OnStep = Callable[[str], None]


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.xlsx")
@click.option("--approved-by", metavar="NAME", help="由谁审批负责（必填）")
@click.option("--dry-run", is_flag=True, help="只核对，不改动任何数据")
@click.option("--rejects", type=click.Path(path_type=Path), metavar="OUT.xlsx", help="把退回的行写入此文件")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出结果")
def import_command(file: Path, approved_by: str | None, dry_run: bool, rejects: Path | None, as_json: bool) -> None:
    """导入镇街的工作簿（志愿者名册、老人名册、服务记录）。

    好的行记入时间银行，有误的行连同原因退回；同一份工作簿可以重复导入，不会重复记账。
    """
    if approved_by is None or not approved_by.strip():
        raise click.ClickException(f"请用 --approved-by 写明由谁审批负责，{_NOTHING_CHANGED}。")
    if rejects is not None and _same_file(file, rejects):
        raise click.ClickException(f"退回表不能与原工作簿是同一个文件，{_NOTHING_CHANGED}。")
    try:
        with _progress(shown=not as_json) as on_step:
            on_step("读取工作簿")
            workbook = open_workbook(file)
            with open_bank() as database:
                report = _bring_in(database, workbook, approved_by, rejects, dry_run=dry_run, on_step=on_step)
    except BankError as refusal:
        raise click.ClickException(refusal.title) from None
    except OperationalError:
        raise click.ClickException(f"数据库无法连接，或等待其他操作超时，{_NOTHING_CHANGED}。") from None
    if as_json:
        print_json(report, dry_run=dry_run)
    else:
        print_report(report, workbook, rejects, dry_run=dry_run)


def _bring_in(
    database: Database,
    workbook: OfficeWorkbook,
    approved_by: str,
    rejects: Path | None,
    *,
    dry_run: bool,
    on_step: OnStep,
) -> ImportReport:
    # A session that nobody commits is the dry run: everything is done, and then undone.
    with database.session() if dry_run else database.unit_of_work() as session:
        report = import_workbook(session, workbook=workbook, approved_by=approved_by, on_step=on_step)
        if rejects is not None:
            # Before the commit: rows that cannot be given back must not be the only trace of what was refused.
            _write_rejects(rejects, workbook, report)
    return report


def _write_rejects(path: Path, workbook: OfficeWorkbook, report: ImportReport) -> None:
    try:
        write_rejects(path, workbook, report.rejected)
    except OSError:
        raise click.ClickException(f"退回表 {path.name} 无法写入，请检查文件夹和权限，{_NOTHING_CHANGED}。") from None


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


@contextmanager
def _progress(*, shown: bool) -> Iterator[OnStep]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    shown = shown and console.is_terminal and Console().is_terminal
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True, disable=not shown) as progress:
        bar, begun = progress.add_task("", total=1 + len(STEPS), visible=False), count()
        yield lambda step: progress.update(bar, description=step, completed=next(begun), visible=True)
