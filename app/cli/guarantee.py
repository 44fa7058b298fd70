"""``timebank guarantee``: what the guarantee fund pays for meals eaten at counters without a line."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click
from rich import box
from rich.console import Console
from rich.table import Table

from app.api.vouchers.offline_routes import loss_item
from app.api.vouchers.offline_schemas import LossItem
from app.cli.bank import staff_actor, telling_refusals
from timebank.core.amounts import hours_text, yuan_text
from timebank.core.clock import LOCAL
from timebank.core.sorting import Part
from timebank.redemption import offline_queries
from timebank.redemption.offline_queries import LossView
from timebank.redemption.offline_rules import LOSS_NAMES, LossReason

_MOST_SHOWN = 200


@click.group("guarantee")
def guarantee() -> None:
    """保障金：断网核销的损失。 What the guarantee fund pays."""


@guarantee.command("losses")
@click.option("--by", "username", metavar="USERNAME", required=True, help="由哪位管理员或审计查看（登录名）")
@click.option("--unpaid", is_flag=True, help="只看还没有支付的 only what is not paid yet")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出 answer as JSON")
def losses(username: str, unpaid: bool, as_json: bool) -> None:
    """断网核销损失，最近的在前。 Meals eaten in good faith that no voucher could pay, newest first."""
    with telling_refusals() as database, database.session() as session:
        actor = staff_actor(session, username)
        found = offline_queries.losses(session, actor=actor, paid=False if unpaid else None, part=Part(_MOST_SHOWN))
    more = found.following is not None
    if as_json:
        items = [LossItem().dump(loss_item(view)) for view in found.items]
        click.echo(json.dumps({"items": items, "more": more}, ensure_ascii=False))
        return
    Console(highlight=False).print(_table(found.items, more=more))


def _table(found: Sequence[LossView], *, more: bool) -> Table:
    title = f"保障金损失 {len(found)} 笔" + ("（只列最近的）" if more else "")
    table = Table(title=title, box=box.HEAVY_EDGE, show_lines=True)
    for heading in ("用餐", "原因", "价值", "支付"):
        table.add_column(heading, overflow="fold")
    for view in found:
        loss = view.loss
        elsewhere = f"\n券用在{view.first_canteen_name}" if view.first_canteen_name else ""
        worth = "待定价" if loss.loss_fen is None else yuan_text(loss.loss_fen)
        table.add_row(
            f"{loss.eaten_at.astimezone(LOCAL):%Y-%m-%d %H:%M}\n{view.canteen_name}",
            LOSS_NAMES[LossReason(loss.reason)] + elsewhere,
            f"{hours_text(loss.minutes)}\n{worth}",
            f"已付 {loss.outside_reference}" if loss.paid_at is not None else "未付",
        )
    return table
