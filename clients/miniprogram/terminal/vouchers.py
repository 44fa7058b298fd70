"""Meal vouchers on the phone: buy, show, give back, give to a relative, make anew what was lost."""

from __future__ import annotations

from typing import Any

import click

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.choosing import chosen_relative, chosen_voucher, for_elder
from clients.miniprogram.terminal.commands import PhoneCommand, on_phone
from clients.miniprogram.terminal.handset import Handset, PhoneTrouble


@click.command("buy", cls=PhoneCommand)
@click.argument("quantity", type=int, metavar="张数")
@click.option("--home-only", is_flag=True, help="只在本镇街使用的券")
@click.option("--for", "elder", metavar="名字或序号", help="替哪位老人换")
@on_phone
def buy(handset: Handset, quantity: int, home_only: bool, elder: str | None) -> None:
    """用时长换用餐券。"""
    wanted: dict[str, Any] = {"quantity": quantity, **({"home_only": True} if home_only else {})}
    wanted |= for_elder(handset, elder)
    bought = handset.write("/vouchers", wanted, title=f"换用餐券 {quantity} 张")["items"]
    paid = words.minutes_text(sum(voucher["price_minutes"] for voucher in bought))
    handset.screen.good(f"换到用餐券 {len(bought)} 张，用去 {paid}")
    _show(handset, bought, with_qr=False)


@click.command("vouchers", cls=PhoneCommand)
@click.option("--qr", is_flag=True, help="显示可用券的二维码")
@click.option("--for", "elder", metavar="名字或序号", help="看这位老人的")
@on_phone
def vouchers(handset: Handset, qr: bool, elder: str | None) -> None:
    """看我的用餐券。"""
    found = list(handset.api.items("/vouchers", for_elder(handset, elder)))
    if not found:
        title, more = ("您还没有用餐券", "") if elder is None else ("老人还没有用餐券", f" --for {elder}")
        handset.screen.show(title, [f"要换一张：timebank phone buy 1{more}"])
    now = handset.api.get("/me/balance")["as_of"] if any(one["status"] == "issued" for one in found) else None
    _show(handset, found, with_qr=qr, now=now)


@click.command("refund", cls=PhoneCommand)
@click.argument("voucher", metavar="序号")
@on_phone
def refund(handset: Handset, voucher: str) -> None:
    """退用餐券，时长退回账户。"""
    voucher_id = chosen_voucher(handset, voucher)
    answer = handset.write(f"/vouchers/{voucher_id}/refund", {}, title="退用餐券")
    minutes = answer.get("price_minutes")
    back = [f"退回 {words.minutes_text(minutes)}"] if isinstance(minutes, int) else []
    handset.screen.good("用餐券已退，时长已回到账户", back, small=f"编号 {voucher_id}")


@click.command("give-voucher", cls=PhoneCommand)
@click.argument("voucher", metavar="序号")
@click.argument("relative", metavar="亲属")
@on_phone
def give_voucher(handset: Handset, voucher: str, relative: str) -> None:
    """把用餐券送给登记过的亲属。"""
    voucher_id, receiver = chosen_voucher(handset, voucher), chosen_relative(handset, relative)
    body = {"to_person_id": receiver["person_id"]}
    given = handset.write(f"/vouchers/{voucher_id}/give", body, title="送用餐券")
    lines = [
        f"价值：{words.minutes_text(given['price_minutes'])}",
        f"有效期：到 {words.last_day_text(given['expires_at'])}",
        f"新的券码在{receiver['name']}那里，您手里的旧券不能再用了。",
    ]
    handset.screen.good(f"已送给{receiver['name']}一张用餐券", lines, small=f"编号 {given['voucher_id']}")


@click.command("reissue", cls=PhoneCommand)
@click.argument("vouchers", metavar="序号", nargs=-1)
@click.option("--all", "all_of_them", is_flag=True, help="没用的全部补办")
@click.option("--for", "elder", metavar="名字或序号", help="和 --all 一起写：替哪位老人补办")
@on_phone
def reissue(handset: Handset, vouchers: tuple[str, ...], all_of_them: bool, elder: str | None) -> None:
    """券卡丢了：旧券作废，补办新券，不另扣时长。"""
    if bool(vouchers) is all_of_them or (elder is not None and not all_of_them):
        raise PhoneTrouble(
            "请写明补办哪几张。", "补办几张就写 timebank phone reissue 1 2\n全部补办就写 timebank phone reissue --all"
        )
    if all_of_them:
        body: dict[str, Any] = for_elder(handset, elder) or {"for_person_id": handset.api.get("/me")["person_id"]}
    else:
        body = {"voucher_ids": [chosen_voucher(handset, one) for one in vouchers]}
    new = handset.write("/vouchers/reissue", body, title="补办用餐券")["items"]
    if not new:
        handset.screen.show("没有要补办的券", ["没有还能用的用餐券。"])
        return
    handset.screen.good(f"已补办 {len(new)} 张，旧券不能再用了")
    _show(handset, new, with_qr=False)


COMMANDS = (buy, vouchers, refund, give_voucher, reissue)


def _show(handset: Handset, listed: list[dict[str, Any]], *, with_qr: bool, now: str | None = None) -> None:
    handset.remember_list("vouchers", [voucher["voucher_id"] for voucher in listed])
    for number, voucher in enumerate(listed, start=1):
        title = f"{number}．用餐券  {words.code_in_groups(voucher['code'])}"
        handset.screen.show(title, _lines(voucher, now), small=f"编号 {voucher['voucher_id']}")
        if with_qr and voucher["status"] == "issued":
            handset.screen.qr(voucher.get("qr_text") or voucher["code"])


def _lines(voucher: dict[str, Any], now: str | None) -> list[str]:
    """What its holder wants to know; what the answer does not carry is left out."""
    lines = [f"状态：{words.VOUCHER_STATUSES.get(voucher['status'], '其他')}"]
    if voucher.get("void_reason"):
        lines.append(f"原因：{words.VOID_REASONS.get(voucher['void_reason'], '已作废')}")
    if voucher.get("void_note"):
        lines.append(f"说明：{voucher['void_note']}")
    if voucher["status"] == "issued":
        lines += _still_good(voucher, now)
    if voucher.get("redeemed_at"):
        where = f"，{voucher['canteen_name']}" if voucher.get("canteen_name") else ""
        lines.append(f"使用：{words.moment_text(voucher['redeemed_at'])}{where}")
    lines.append(f"价值：{words.minutes_text(voucher['price_minutes'])}")
    return lines + words.acted_lines(voucher.get("issued_by_name"))


def _still_good(voucher: dict[str, Any], now: str | None) -> list[str]:
    """Until when, on which days, at which meals, where; and what becomes of it afterwards."""
    lines = [f"有效期：到 {words.last_day_text(voucher['expires_at'])}"]
    left = None if now is None else words.days_left(voucher["expires_at"], now)
    if left is not None and left >= 0:
        lines.append("还能用：今天是最后一天" if left == 0 else f"还能用：{left} 天")
    if voucher.get("good_times"):
        lines.append(f"可用：{voucher['good_times']}")
    if voucher.get("only_township_code"):
        lines.append("范围：只在本镇街使用")
    if voucher.get("on_expiry") == "pool":
        lines.append("过期没用：时长转入公益时间池")
    return lines
