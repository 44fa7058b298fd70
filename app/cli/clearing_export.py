"""``timebank clearing export``: statements as files, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.api.clearing.schemas import LineItem
from app.api.clearing.statement_schemas import StatementAnswer
from app.cli.bank import open_bank
from app.web.statement_page import statement_page
from timebank.clearing.models import ClearingWindow
from timebank.clearing.queries import StatementView, every_line, find_window, statement
from timebank.core.db import of_one_moment
from timebank.core.errors import BankError
from timebank.importing.statement_workbook import write_statement
from timebank.townships.queries import township, townships

Write = Callable[[BinaryIO, Session, ClearingWindow, StatementView], None]

_NOTHING_WRITTEN = "没有写出任何文件"


@click.command("export")
@click.argument("window")
@click.option("--township", "township_code", metavar="CODE", help="一个镇街的代码")
@click.option("--all", "everybody", is_flag=True, help="全部镇街，每个镇街一个文件")
@click.option("--format", "ending", type=click.Choice(["json", "xlsx", "html"]), default="xlsx", show_default=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, metavar="PATH", help="文件；--all 时为文件夹"
)
@click.option("--force", is_flag=True, help="覆盖已有的文件")
def export(window: str, township_code: str | None, everybody: bool, ending: str, output: Path, force: bool) -> None:
    """导出对账单（JSON、Excel、打印页）。 Write the statements of a window to files."""
    if (township_code is None) == (not everybody):
        raise click.ClickException(f"请写 --township CODE 或 --all 之一，{_NOTHING_WRITTEN}。")
    try:
        with open_bank() as database, database.session() as session:
            # So that the statements of several townships fit one another.
            of_one_moment(session)
            found = find_window(session, window)
            one = None if township_code is None else township(session, township_code).code
            codes = [each.code for each in townships(session)] if one is None else [one]
            said = [statement(session, found, code) for code in codes]
            files = {output / f"{each.file_stem}.{ending}" if everybody else output: each for each in said}
            _must_be_free(files, force=force)
            with _made(output if everybody else None):
                _write_all(session, found, files, _WRITE[ending])
    except BankError as refusal:
        raise click.ClickException(f"{refusal.title}，{_NOTHING_WRITTEN}。") from None
    except OperationalError:
        raise click.ClickException(f"数据库无法连接，或等待其他操作超时，{_NOTHING_WRITTEN}。") from None
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise click.ClickException(f"{output} 无法写入（{reason}），{_NOTHING_WRITTEN}。") from None
    click.echo(f"已导出 {found.name}（{said[0].window.status_name}）的对账单 {len(files)} 份：{output}")


def _must_be_free(files: Iterable[Path], *, force: bool) -> None:
    for path in files:
        if path.is_dir():
            raise click.ClickException(f"{path} 是文件夹，{_NOTHING_WRITTEN}。")
        if not force and os.path.lexists(path):
            raise click.ClickException(f"已有 {path}，要覆盖请加 --force，{_NOTHING_WRITTEN}。")


@contextmanager
def _made(folder: Path | None) -> Iterator[None]:
    """The folder, made where it is missing, and gone again where the writing fails."""
    missing = folder if folder is not None and not folder.exists() else None
    if missing is not None:
        missing.mkdir()
    try:
        yield
    except BaseException:
        if missing is not None:
            missing.rmdir()
        raise


def _write_all(session: Session, window: ClearingWindow, files: Mapping[Path, StatementView], write: Write) -> None:
    """Every file under a passing name first; they get their own names once all of them are complete."""
    drafts = {path: path.with_name(f".{path.name}.{os.getpid()}.tmp") for path in files}
    try:
        for path, said in files.items():
            with drafts[path].open("xb") as file:
                write(file, session, window, said)
        for path, draft in drafts.items():
            draft.replace(path)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _write_workbook(file: BinaryIO, session: Session, window: ClearingWindow, said: StatementView) -> None:
    write_statement(file, said, every_line(session, window, said))


def _write_page(file: BinaryIO, session: Session, window: ClearingWindow, said: StatementView) -> None:
    file.write(statement_page(session, window, said).encode())


def _write_json(file: BinaryIO, session: Session, window: ClearingWindow, said: StatementView) -> None:
    """What ``clearing.statement`` answers, with ``lines`` as ``clearing.lines`` has them, one a line."""
    whole = json.dumps(StatementAnswer().dump(said), ensure_ascii=False)
    file.write(f'{whole[:-1]}, "lines": ['.encode())
    schema, between = LineItem(), "\n"
    for line in every_line(session, window, said):
        file.write(f"{between}{json.dumps(schema.dump(line), ensure_ascii=False)}".encode())
        between = ",\n"
    file.write(b"\n]}\n")


_WRITE: dict[str, Write] = {"json": _write_json, "xlsx": _write_workbook, "html": _write_page}
