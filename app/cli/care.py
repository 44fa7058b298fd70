"""``timebank care``: monthly bills of home-care providers."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from app.api.care_bookings.bill_schemas import CareBillAnswer, CareBillLineItem
from app.cli.bank import staff_actor, telling_refusals
from timebank.core.amounts import hours_text, yuan_text
from timebank.importing.care_bill_workbook import write_care_bill
from timebank.redemption.care.actions import issue_bill
from timebank.redemption.care.queries.bills import BillView, every_bill_line, see_bill
from timebank.redemption.care.queries.providers import provider_named


@click.group("care")
def care() -> None:
    """居家养老上门服务 Home care."""


@care.command("bill", short_help="查看、出具、导出机构月度账单")
@click.option("--month", required=True, help="月份，如 2026-11")
@click.option("--provider", required=True, metavar="NAME", help="居家养老服务机构名称")
@click.option("--issue", is_flag=True, help="出账：月份结束后出具，之后不再改动 issue it for good")
@click.option("--by", "username", metavar="USERNAME", help="由哪位管理员出账（登录名），--issue 须写")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="另存为 Excel 文件")
@click.option("--force", is_flag=True, help="覆盖已有的文件")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出 answer as JSON")
def bill(
    month: str, provider: str, issue: bool, username: str | None, output: Path | None, force: bool, as_json: bool
) -> None:
    """查看、出具、导出机构月度账单。 Show, issue and export a provider's bill of a month."""
    if issue != (username is not None):
        raise click.ClickException("出账须写 --issue 和 --by，缺一不可")
    if output is not None and output.exists() and not force:
        raise click.ClickException(f"已有 {output}，要覆盖请加 --force")
    with telling_refusals() as database, database.unit_of_work() as session:
        provider_id = provider_named(session, provider).id
        if username is not None:
            actor = staff_actor(session, username)
            issue_bill(session, actor=actor, provider_id=provider_id, month=month)
        said = see_bill(session, provider_id=provider_id, month=month)
        if output is not None:
            _write(session, output, said)
        if as_json:
            click.echo(json.dumps(_whole(session, said), ensure_ascii=False))
        else:
            _print(said)
    if output is not None and not as_json:
        click.echo(f"已写入 {output}")


def _whole(session: Session, said: BillView) -> dict[str, object]:
    """What ``care_bills.show`` answers, with all lines."""
    lines = every_bill_line(session, provider_id=said.provider_id, month=said.month)
    return {"bill": CareBillAnswer().dump(said), "items": [CareBillLineItem().dump(line) for line in lines]}


def _write(session: Session, output: Path, said: BillView) -> None:
    """The workbook, whole or not at all."""
    draft = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        with draft.open("xb") as file:
            write_care_bill(file, said, every_bill_line(session, provider_id=said.provider_id, month=said.month))
        draft.replace(output)
    except OSError as problem:
        raise click.ClickException(f"{output} 无法写入（{problem.strerror or type(problem).__name__}）") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _print(said: BillView) -> None:
    console = Console(highlight=False, markup=False)
    state = f"已出账（{said.issued_by_name}）" if said.issued else "尚未出账，仅供核对"
    console.print(f"{said.provider_name} {said.month} 居家养老月度账单：{state}")
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("服务项目", "次数", "时长", "金额"):
        table.add_column(heading, justify="left" if heading == "服务项目" else "right", overflow="fold")
    for one in said.services:
        table.add_row(one.service_name, str(one.lines), hours_text(one.minutes), yuan_text(one.fen))
    table.add_row("合计", str(said.lines), hours_text(said.minutes), yuan_text(said.fen))
    console.print(table)
