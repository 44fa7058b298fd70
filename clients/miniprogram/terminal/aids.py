"""Rehabilitation aids on the phone: what can be borrowed near, reserving, extending, cancelling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.choosing import chosen_aid, chosen_by_code_or_name, chosen_loan, for_elder
from clients.miniprogram.terminal.commands import PhoneGroup, on_phone
from clients.miniprogram.terminal.handset import Handset, PhoneTrouble

_ITEMS, _LOANS = "aid-items", "aid-loans"
_HINTS = {
    "reserved": "不借了：timebank phone aids cancel 序号",
    "lent": "还要用：timebank phone aids extend 序号 --days 天数",
}


@click.group("aids", cls=PhoneGroup, invoke_without_command=True)
@click.pass_context
def aids(ctx: click.Context) -> None:
    """康复辅具；不写别的，就看现在能借的。"""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_items)


@aids.command("list")
@click.option("--kind", metavar="种类", help="只看这一种，如 轮椅")
@click.option("--township", metavar="代码或名称", help="只看在这个镇街的")
@on_phone
def list_items(handset: Handset, kind: str | None, township: str | None) -> None:
    """现在能借的辅具，本镇街的在前。"""
    townships = {one["code"]: one["name"] for one in handset.api.items("/townships")}
    kinds = {one["code"]: one for one in handset.api.items(f"/{_ITEMS}/kinds")}
    query = {"available": "true", "kind": chosen_by_code_or_name(kinds.values(), kind, "辅具种类") if kind else None}
    if township:
        named = [{"code": code, "name": name} for code, name in townships.items()]
        query["township_code"] = chosen_by_code_or_name(named, township, "镇街")
    home = handset.api.get("/me")["township_code"]
    found = sorted(handset.api.items(f"/{_ITEMS}", query), key=lambda one: bool(one["at_township_code"] != home))
    handset.remember_list(_ITEMS, [one["item_id"] for one in found])
    if not found:
        handset.screen.show("现在没有能借的辅具", ["可以过几天再看，或问镇街管理员。"])
        return
    for number, one in enumerate(found, start=1):
        where = townships.get(one["at_township_code"], one["at_township_code"])
        lines = [f"种类：{one['kind_name']}", f"在：{where}", f"成色：{one['condition_name']}"]
        if one["kind"] in kinds:
            lines.append(f"每天扣：{words.minutes_text(kinds[one['kind']]['price_minutes_per_day'])}")
        handset.screen.show(f"{number}．{one['name']}", lines, small=f"辅具编号 {one['serial']}")
    handset.screen.hint("要借：timebank phone aids reserve 序号 --days 天数")


@aids.command("kinds")
@on_phone
def kinds(handset: Handset) -> None:
    """有哪些种类，一天扣多少。"""
    found = list(handset.api.items(f"/{_ITEMS}/kinds"))
    if not found:
        handset.screen.show("现在没有辅具", ["请问镇街管理员。"])
        return
    lines = [f"{one['name']}：一天扣 {words.minutes_text(one['price_minutes_per_day'])}" for one in found]
    handset.screen.show("辅具种类", lines)


@aids.command("reserve")
@click.argument("aid", metavar="序号", required=False)
@click.option("--kind", metavar="种类", help="不挑哪一件，这一种的就行，如 轮椅")
@click.option("--days", required=True, type=click.IntRange(1), metavar="天数", help="借几天")
@click.option("--for", "elder", metavar="名字或序号", help="替哪位老人借")
@on_phone
def reserve(handset: Handset, aid: str | None, kind: str | None, days: int, elder: str | None) -> None:
    """预约一件辅具。"""
    if (aid is None) == (kind is None):
        raise PhoneTrouble(
            "请写明借哪一件，或借哪一种。",
            "timebank phone aids reserve 序号 --days 天数\n不挑哪一件，就把序号换成 --kind 轮椅",
        )
    body: dict[str, Any] = {"days": days, **for_elder(handset, elder)}
    if aid is not None:
        body["item_id"] = chosen_aid(handset, aid)
    else:
        body["kind"] = chosen_by_code_or_name(handset.api.items(f"/{_ITEMS}/kinds"), str(kind), "辅具种类")
    loan = handset.write(f"/{_LOANS}", body, title="预约辅具")
    handset.remember_list(_LOANS, [loan["loan_id"]])
    _done(handset, f"已预约{loan['item_name']}，请来取", loan)


@aids.command("mine")
@click.option("--for", "elder", metavar="名字或序号", help="只看这位老人的")
@on_phone
def mine(handset: Handset, elder: str | None) -> None:
    """我预约和借用的辅具，新的在前。"""
    found = list(handset.api.items(f"/{_LOANS}", for_elder(handset, elder)))
    handset.remember_list(_LOANS, [one["loan_id"] for one in found])
    if not found:
        handset.screen.show("还没有借过辅具", ["看看能借什么：timebank phone aids"])
    names = _township_names(handset) if found else {}
    for number, loan in enumerate(found, start=1):
        handset.screen.show(
            f"{number}．{loan['item_name']}", list(_lines(loan, names)), small=f"编号 {loan['loan_id']}"
        )
    for status, hint in _HINTS.items():
        if any(loan["status"] == status for loan in found):
            handset.screen.hint(hint)


@aids.command("extend")
@click.argument("loan", metavar="序号")
@click.option("--days", required=True, type=click.IntRange(1), metavar="天数", help="再借几天")
@on_phone
def extend(handset: Handset, loan: str, days: int) -> None:
    """续借。"""
    loan_id = chosen_loan(handset, loan)
    _done(handset, "已续借", handset.write(f"/{_LOANS}/{loan_id}/extend", {"days": days}, title="续借辅具"))


@aids.command("cancel")
@click.argument("loan", metavar="序号")
@click.option("--reason", metavar="原因", help="为什么不借了")
@on_phone
def cancel(handset: Handset, loan: str, reason: str | None) -> None:
    """取消预约，冻结的时长全部退回。"""
    loan_id = chosen_loan(handset, loan)
    body = {"reason": reason} if reason else {}
    _done(handset, "已取消预约", handset.write(f"/{_LOANS}/{loan_id}/cancel", body, title="取消辅具预约"))


COMMANDS = (aids,)


def _done(handset: Handset, title: str, loan: dict[str, Any]) -> None:
    lines = [f"辅具：{loan['item_name']}", *_lines(loan, _township_names(handset))]
    handset.screen.good(title, lines, small=f"编号 {loan['loan_id']}")


def _township_names(handset: Handset) -> dict[str, str]:
    return {one["code"]: one["name"] for one in handset.api.items("/townships")}


def _lines(loan: dict[str, Any], townships: dict[str, str]) -> Iterator[str]:
    """What a borrower wants to know."""
    yield f"状态：{loan['status_name']}"
    yield f"借用人：{loan['holder_name']}"
    where = townships.get(loan["at_township_code"], loan["at_township_code"])
    if loan["status"] == "reserved":
        yield f"到哪里取：{where}"
        yield f"请在 {words.day_and_time_text(loan['reserved_until'])} 以前取"
        if loan["code"]:
            yield f"取用码：{words.digits_in_groups(loan['code'])}（取的时候给管理员看）"
    yield f"借：{loan['days']} 天，每天扣 {words.minutes_text(loan['price_minutes'])}"
    if loan["due_on"] and loan["status"] == "lent":
        yield f"归还：{words.day_text(loan['due_on'])}当天以前，还到任一镇街"
    if loan["overdue_days"]:
        yield f"已经逾期 {loan['overdue_days']} 天，请尽快归还"
    if loan["held_minutes"]:
        yield f"冻结：{words.minutes_text(loan['held_minutes'])}"
    if loan["used_days"]:
        yield f"已用 {loan['used_days']} 天，扣 {words.minutes_text(loan['charged_minutes'])}"
    if loan["owed_days"]:
        yield f"没有扣到 {loan['owed_days']} 天：{words.minutes_text(loan['owed_minutes'])}，先记着"
    yield from words.acted_lines(loan["reserved_by_name"], "预约")
