"""``timebank verify``: is every balance, book, clearing sum, hold and seal what the raw rows make it."""

from __future__ import annotations

import json
import sys

import click
from rich.console import Console
from rich.table import Table

from app.cli.bank import open_bank
from timebank.supervision.verify import Verified, verify


@click.command("verify")
@click.option("--json", "as_json", is_flag=True, help="answer as JSON")
def verify_command(as_json: bool) -> None:
    """核验：重新计算全部账目，指出第一处不符。 Recompute everything and name the first row that does not fit."""
    with open_bank() as database, database.session() as session:
        verified = list(verify(session))
    broken = [v for v in verified if v.misfit is not None]
    if as_json:
        click.echo(json.dumps(_as_json(verified, broken), ensure_ascii=False))
    else:
        _print(verified, broken)
    sys.exit(1 if broken else 0)


def _as_json(verified: list[Verified], broken: list[Verified]) -> dict[str, object]:
    answer: dict[str, object] = {
        "ok": not broken,
        "checks": [{"name": v.check.name, "ok": v.misfit is None} for v in verified],
    }
    if broken and broken[0].misfit is not None:
        first = broken[0].misfit
        answer["first_misfit"] = {
            "check": first.check,
            "table": first.table,
            "row": first.row,
            "problem": first.problem,
        }
    return answer


def _print(verified: list[Verified], broken: list[Verified]) -> None:
    table = Table(title="账目核验")
    table.add_column("核验项目", overflow="fold")
    table.add_column("结果", no_wrap=True)
    for v in verified:
        table.add_row(v.check.title, "相符" if v.misfit is None else "不符")
    console = Console()
    console.print(table)
    if not broken:
        console.print("全部相符。 Everything fits.")
    for v in broken[:1]:
        assert v.misfit is not None
        console.print(f"第一处不符 first misfit: {v.misfit.table} {v.misfit.row}: {v.misfit.problem}", soft_wrap=True)
