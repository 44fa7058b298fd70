"""``timebank subsidies``: monthly claims of subsidies for meals."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.api.subsidy_claims.routes import shown_claim
from app.cli.bank import staff_actor, telling_refusals
from timebank.canteens.pricing.rules import SHARE_NAMES, Share
from timebank.canteens.subsidies.actions import compute_claim
from timebank.canteens.subsidies.models import SubsidyClaim
from timebank.canteens.subsidies.queries import views
from timebank.canteens.subsidies.queries.claims import live_claim
from timebank.canteens.subsidies.queries.views import ClaimFilter, ClaimView
from timebank.canteens.subsidies.rules import STATE_NAMES, ClaimState
from timebank.core.actors import Actor
from timebank.core.amounts import yuan_text
from timebank.core.errors import NotFound
from timebank.core.sorting import Part
from timebank.importing.claim_workbook import write_claim
from timebank.townships.models import Organisation

_MOST_SHOWN = 1000
_month = click.option("--month", required=True, help="月份，如 2026-11")
_canteen = click.option("--canteen", required=True, metavar="NAME", help="助餐点名称")
_by = click.option("--by", "username", metavar="USERNAME", required=True, help="由哪位管理员或审计办理（登录名）")
_json = click.option("--json", "as_json", is_flag=True, help="以 JSON 输出 answer as JSON")


@click.group("subsidies")
def subsidies() -> None:
    """助餐补贴 Subsidies for meals."""


@subsidies.command("compute", short_help="结算一个月")
@_canteen
@_month
@_by
@_json
def compute(canteen: str, month: str, username: str, as_json: bool) -> None:
    """结算一个助餐点一个月的补贴；已经结算的照样答复。 Compute a canteen's claim of a finished month."""
    with telling_refusals() as database, database.unit_of_work() as session:
        actor = staff_actor(session, username)
        claim = compute_claim(session, actor=actor, canteen_id=_named(session, canteen).id, month=month)
        _tell(session, actor, claim, as_json=as_json)


@subsidies.command("list", short_help="各助餐点的补贴结算")
@click.option("--month", help="月份，如 2026-11")
@_by
@_json
def list_(month: str | None, username: str, as_json: bool) -> None:
    """各助餐点的补贴结算，新的在前。 Claims, newest first."""
    with telling_refusals() as database, database.session() as session:
        actor = staff_actor(session, username)
        found = views.find_claims(session, actor=actor, wanted=ClaimFilter(month), part=Part(_MOST_SHOWN)).items
        if as_json:
            items = [shown_claim(session, actor, view.claim.id) for view in found]
            click.echo(json.dumps({"items": items}, ensure_ascii=False))
        else:
            Console(highlight=False, markup=False).print(_table(found))


@subsidies.command("show", short_help="一份补贴结算")
@_canteen
@_month
@_by
@_json
def show(canteen: str, month: str, username: str, as_json: bool) -> None:
    """一份补贴结算，按规则。 One claim, rule by rule."""
    with telling_refusals() as database, database.session() as session:
        _tell(session, staff_actor(session, username), _standing(session, canteen, month), as_json=as_json)


@subsidies.command("export", short_help="导出 Excel")
@_canteen
@_month
@_by
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Excel 文件")
@click.option("--force", is_flag=True, help="覆盖已有的文件")
def export(canteen: str, month: str, username: str, output: Path, force: bool) -> None:
    """把一份补贴结算写成 Excel 文件。 Write a claim as a workbook."""
    if output.exists() and not force:
        raise click.ClickException(f"已有 {output}，要覆盖请加 --force")
    with telling_refusals() as database, database.session() as session:
        actor, claim = staff_actor(session, username), _standing(session, canteen, month)
        _write(session, output, views.claim_for(session, actor=actor, claim_id=claim.id))
    click.echo(f"已写入 {output}")


def _named(session: Session, name: str) -> Organisation:
    query = select(Organisation).where(Organisation.kind == "canteen", Organisation.name == name)
    found = session.scalar(query)
    if found is None:
        raise NotFound("canteen_unknown", f"没有名为“{name}”的助餐点", name=name)
    return found


def _standing(session: Session, canteen: str, month: str) -> SubsidyClaim:
    claim = live_claim(session, _named(session, canteen).id, month)
    if claim is None:
        raise NotFound("claim_unknown", f"{canteen}{month}还没有结算", month=month)
    return claim


def _write(session: Session, output: Path, seen: ClaimView) -> None:
    """The workbook, whole or not at all."""
    draft = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        with draft.open("xb") as file:
            write_claim(file, views.whole_claim(session, seen))
        draft.replace(output)
    except OSError as problem:
        raise click.ClickException(f"{output} 无法写入（{problem.strerror or type(problem).__name__}）") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _tell(session: Session, actor: Actor, claim: SubsidyClaim, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(shown_claim(session, actor, claim.id), ensure_ascii=False))
        return
    seen = views.claim_for(session, actor=actor, claim_id=claim.id)
    console = Console(highlight=False, markup=False)
    console.print(_table([seen]))
    lines = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("承担方", "规则", "餐数", "金额"):
        lines.add_column(heading, justify="right" if heading in ("餐数", "金额") else "left", overflow="fold")
    for line in views.claim_lines(session, claim.id):
        lines.add_row(SHARE_NAMES[Share(line.share)], line.label, str(line.meals), yuan_text(line.fen))
    console.print(lines)


def _table(found: Sequence[ClaimView]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("助餐点", "月份", "状态", "餐数", "餐费", "政府补", "疑点", "应拨付"):
        right = heading not in ("助餐点", "月份", "状态")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for view in found:
        claim = view.claim
        amounts = yuan_text(claim.list_fen), yuan_text(claim.government_fen)
        paid = "" if claim.paid_fen is None else yuan_text(claim.paid_fen)
        state = STATE_NAMES[ClaimState(claim.state)]
        open_of = f"{view.open_findings}/{view.findings}"
        table.add_row(view.canteen_name, claim.month, state, str(claim.meals), *amounts, open_of, paid)
    return table
