"""Cash at the counter: into a purse, out of it, and the day's sums that tie to the ledger."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from clients.counter.choosing import chosen_diner, chosen_fen, four_option, which_option
from clients.counter.commands import CounterCommand, at_meals, done
from clients.counter.desk import DeskTrouble
from clients.counter.meal_desk import MealDesk
from clients.counter.meal_words import misfit_text, purse_text, share_lines
from clients.miniprogram.terminal.screen import Screen
from clients.miniprogram.terminal.words import day_text, yuan_text

_ALL = ("全部", "all")
_TAKEN = (("现卖", "cash_sales_fen"), ("充值", "topped_up_fen"))
_GIVEN = (("退款", "paid_back_fen"), ("冲正", "corrected_fen"), ("缴款", "handed_in_fen"))


@click.command("purse", cls=CounterCommand)
@click.argument("name", metavar="姓名")
@four_option
@which_option
@at_meals
def purse(meals: MealDesk, screen: Screen, name: str, four: str | None, which: int | None) -> None:
    """看一位老人的餐费余额和用餐券。"""
    diner = chosen_diner(meals, name, four, which)
    lines = [
        f"住在：{diner['township_name']}{diner['village'] or ''}",
        f"可用：{yuan_text(diner['available_fen'])}",
        f"没用过的用餐券：{diner['unused_vouchers']} 张",
    ]
    screen.show(f"{diner['name']}：{purse_text(diner)}", lines)


@click.command("topup", cls=CounterCommand)
@click.argument("name", metavar="姓名")
@click.argument("yuan", metavar="元")
@four_option
@which_option
@click.option("--note", default="", metavar="文字", help="备注，如收据号")
@at_meals
def topup(
    meals: MealDesk, screen: Screen, name: str, yuan: str, four: str | None, which: int | None, note: str
) -> None:
    """充值：收现金，存进餐费余额。"""
    fen = chosen_fen(yuan)
    diner = chosen_diner(meals, name, four, which)
    _move(meals, screen, "top-up", diner, fen, note)


@click.command("payback", cls=CounterCommand)
@click.argument("name", metavar="姓名")
@click.argument("yuan", metavar="元")
@four_option
@which_option
@click.option("--note", default="", metavar="文字", help="备注，如收据号")
@at_meals
def payback(
    meals: MealDesk, screen: Screen, name: str, yuan: str, four: str | None, which: int | None, note: str
) -> None:
    """退款：从餐费余额付现金；全退就把金额写成 全部。"""
    fen = None if yuan.strip() in _ALL else chosen_fen(yuan)
    diner = chosen_diner(meals, name, four, which)
    if fen is None and diner["available_fen"] == 0:
        raise DeskTrouble(f"{diner['name']}没有可退的余额。", "已订餐的钱，要先取消订餐才能退。")
    _move(meals, screen, "pay-back", diner, fen or diner["available_fen"], note)


def _move(meals: MealDesk, screen: Screen, step: str, diner: dict[str, Any], fen: int, note: str) -> None:
    verb, hand = ("充值", "收") if step == "top-up" else ("退款", "付")
    body = {"person_id": diner["person_id"], "amount_fen": fen, "note": note}
    slip = done(meals, screen, f"/purses/{step}", body, f"{verb}：{diner['name']} {yuan_text(fen)}")
    lines = [
        f"{hand}现金：{yuan_text(slip['amount_fen'])}",
        purse_text(slip),
        f"可用 {yuan_text(slip['available_fen'])}",
    ]
    screen.good(f"是，{slip['name']}{verb} {yuan_text(slip['amount_fen'])}", lines, small=f"收付单 {slip['slip_id']}")


@click.command("totals", cls=CounterCommand)
@click.option("--on", "day", metavar="日期", help="哪一天，如 2026-11-25；不写就是今天")
@at_meals
def totals(meals: MealDesk, screen: Screen, day: str | None) -> None:
    """日结：今天卖了多少、谁出的钱、钱箱里该有多少。"""
    found = meals.get("/meal-counter/day-totals", on_day=_day(day))
    title = f"{found['canteen_name']}日结，{day_text(found['on_day'])}"
    if found["meals"]:
        rows = [
            (one["meal_name"], one["way_name"], f"{one['meals']}", yuan_text(one["list_fen"])) for one in found["meals"]
        ]
        rows.append(("合计", "", f"{found['meals_served']}", yuan_text(found["list_fen"])))
        screen.table(title, [("餐次", False), ("方式", False), ("份数", True), ("原价", True)], rows)
    drawer = f"钱箱里现在该有 {yuan_text(found['drawer_fen'])}，请点一点现金。"
    lines = [
        *share_lines(found),
        *_missed(found),
        _cash("今天收", found, _TAKEN),
        _cash("今天付", found, _GIVEN),
        drawer,
    ]
    if found["ties"]:
        screen.good("是，账目相符，一分不差", lines)
        return
    wrong = [misfit_text(one) for one in found["misfits"]]
    screen.sorry("否：账目不符", [*wrong, *lines, "下一步：不要动账，请马上告诉镇街管理员。"])


def _missed(found: dict[str, Any]) -> list[str]:
    return [f"没来取的收 {yuan_text(found['missed_fen'])}"] if found["missed_fen"] else []


def _cash(verb: str, found: dict[str, Any], kinds: tuple[tuple[str, str], ...]) -> str:
    """今天收现金 86 元：现卖 36 元，充值 50 元."""
    parts = "，".join(f"{name} {yuan_text(found[field])}" for name, field in kinds if found[field])
    return f"{verb}现金 {yuan_text(sum(found[field] for _, field in kinds))}" + (f"：{parts}" if parts else "")


def _day(typed: str | None) -> str | None:
    if typed is None:
        return None
    try:
        return date.fromisoformat(typed.strip()).isoformat()
    except ValueError:
        raise DeskTrouble(f"没有看懂日期「{typed}」。", "请这样写：2026-11-25") from None


COMMANDS = (purse, topup, payback, totals)
