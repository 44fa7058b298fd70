"""Meal vouchers on the phone: buy, show, give back."""

from __future__ import annotations

from typing import Any

import click

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.choosing import chosen_voucher
from clients.miniprogram.terminal.commands import PhoneCommand, on_phone
from clients.miniprogram.terminal.handset import Handset


@click.command("buy", cls=PhoneCommand)
@click.argument("quantity", type=int)
@click.option("--home-only", is_flag=True, help="只在本镇街使用的券")
@on_phone
def buy(handset: Handset, quantity: int, home_only: bool) -> None:
    """用时长换用餐券。"""
    wanted = {"quantity": quantity, **({"home_only": True} if home_only else {})}
    bought = handset.write("/vouchers", wanted, title=f"换用餐券 {quantity} 张")["items"]
    paid = words.minutes_text(sum(voucher["price_minutes"] for voucher in bought))
    handset.screen.good(f"换到用餐券 {len(bought)} 张，用去 {paid}")
    _show(handset, bought, with_qr=False)


@click.command("vouchers", cls=PhoneCommand)
@click.option("--qr", is_flag=True, help="显示可用券的二维码")
@on_phone
def vouchers(handset: Handset, qr: bool) -> None:
    """看我的用餐券。"""
    found = list(handset.api.items("/vouchers"))
    if not found:
        handset.screen.show("您还没有用餐券", ["要换一张：timebank phone buy 1"])
    _show(handset, found, with_qr=qr)


@click.command("refund", cls=PhoneCommand)
@click.argument("voucher")
@on_phone
def refund(handset: Handset, voucher: str) -> None:
    """退用餐券，时长退回账户。"""
    voucher_id = chosen_voucher(handset, voucher)
    answer = handset.write(f"/vouchers/{voucher_id}/refund", {}, title="退用餐券")
    minutes = answer.get("price_minutes")
    back = [f"退回 {words.minutes_text(minutes)}"] if isinstance(minutes, int) else []
    handset.screen.good("用餐券已退，时长已回到账户", back, small=f"编号 {voucher_id}")


COMMANDS = (buy, vouchers, refund)


def _show(handset: Handset, listed: list[dict[str, Any]], *, with_qr: bool) -> None:
    handset.remember_list("vouchers", [voucher["voucher_id"] for voucher in listed])
    for number, voucher in enumerate(listed, start=1):
        title = f"{number}．用餐券  {words.code_in_groups(voucher['code'])}"
        handset.screen.show(title, _lines(voucher), small=f"编号 {voucher['voucher_id']}")
        if with_qr and voucher["status"] == "issued":
            handset.screen.qr(voucher["code"])


def _lines(voucher: dict[str, Any]) -> list[str]:
    lines = [f"状态：{words.VOUCHER_STATUSES.get(voucher['status'], '其他')}"]
    if voucher["status"] == "issued":
        lines.append(f"有效期：到 {words.last_day_text(voucher['expires_at'])}")
    if voucher.get("only_township_code"):
        lines.append("范围：只在本镇街使用")
    if voucher.get("redeemed_at"):
        where = f"，{voucher['canteen_name']}" if voucher.get("canteen_name") else ""
        lines.append(f"使用：{words.moment_text(voucher['redeemed_at'])}{where}")
    lines.append(f"价值：{words.minutes_text(voucher['price_minutes'])}")
    return lines
