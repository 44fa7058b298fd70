"""Telling what came of an import, to a person or to a program; names masked, no identity number, no phone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from timebank.core.amounts import hours_text
from timebank.importing.report import ImportReport
from timebank.importing.rows import RecordRow
from timebank.importing.rules import REASONS
from timebank.importing.workbook import OfficeWorkbook
from timebank.people.rules import masked_name


def print_json(report: ImportReport, *, dry_run: bool) -> None:
    """The report as CONTRACT promises it to programs, with what was there already and the notes beside it."""
    told = asdict(report.new) | {
        "minutes": report.minutes,
        "rejected": {
            sheet: [{"row": refusal.row, "reason": refusal.reason} for refusal in refused]
            for sheet, refused in report.rejected.items()
        },
        "already_present": asdict(report.already_present),
        "notes": {sheet: [asdict(note) for note in notes] for sheet, notes in report.notes.items()},
        "dry_run": dry_run,
    }
    click.echo(json.dumps(told, ensure_ascii=False))


def print_report(report: ImportReport, workbook: OfficeWorkbook, rejects: Path | None, *, dry_run: bool) -> None:
    """The report as tables on standard output."""
    console = Console(highlight=False)
    if dry_run:
        console.print(Text("试运行：没有改动任何数据。以下是正式导入时的结果。", style="bold yellow"))
    title = f"{workbook.name} {'试运行' if dry_run else '导入'}结果"
    console.print(_counts(report, title))
    console.print(Text(_credited(report, dry_run=dry_run)))
    refused = [(sheet, row.row, REASONS[row.reason]) for sheet, rows in report.rejected.items() for row in rows]
    if refused:
        console.print(_rows("退回的行（未导入）", "原因", refused, workbook))
        console.print(Text(_advice(rejects)))
    notes = [(sheet, note.row, note.text) for sheet, found in report.notes.items() for note in found]
    if notes:
        console.print(_rows("请留意（已导入）" if not dry_run else "请留意（可以导入）", "说明", notes, workbook))


def _counts(report: ImportReport, title: str) -> Table:
    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    for heading in ("新增", "已有", "退回"):
        table.add_column(heading, justify="right", no_wrap=True)
    new, present = report.new, report.already_present
    figures = ((new.volunteers, present.volunteers), (new.elders, present.elders), (new.records, present.records))
    for (sheet, refused), (added, there) in zip(report.rejected.items(), figures, strict=True):
        table.add_row(sheet, str(added), str(there), str(len(refused)))
    return table


def _rows(title: str, heading: str, rows: Sequence[tuple[str, int, str]], workbook: OfficeWorkbook) -> Table:
    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("工作表", no_wrap=True)
    table.add_column("行", justify="right", no_wrap=True)
    table.add_column("姓名", no_wrap=True, max_width=12)
    table.add_column(heading, overflow="fold")
    names = dict(_masked_names(workbook))
    for sheet, row, text in rows:
        # Chinese breaks anywhere, but rich would rather break at the blanks beside a number.
        table.add_row(sheet, str(row), Text(names[sheet, row]), Text(text.replace(" ", "")))
    return table


def _masked_names(workbook: OfficeWorkbook) -> Iterator[tuple[tuple[str, int], str]]:
    for sheet, rows in workbook.sheets.items():
        for row in rows:
            name = row.volunteer_name if isinstance(row, RecordRow) else row.name
            yield (sheet, row.row), masked_name(name) if name else "（空）"


def _credited(report: ImportReport, *, dry_run: bool) -> str:
    if report.new.records == 0:
        return "没有新的服务记录。"
    return f"{'将' if dry_run else '已'}补录 {report.new.records} 条，共 {hours_text(report.minutes)}。"


def _advice(rejects: Path | None) -> str:
    if rejects is not None:
        return f"退回的行已写入 {rejects}，更正后可直接再导入。"
    return "加上 --rejects OUT.xlsx 可得到退回表；更正后再导入，已有的不会重复。"
