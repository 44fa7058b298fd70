"""The counter in the terminal: ``counter`` is the group of its commands, each answering large and clear in Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from clients.counter import cash, meals, rounds
from clients.counter.commands import CounterGroup, at_the_desk
from clients.counter.desk import Desk, Scanned
from clients.counter.journal import Kept
from clients.miniprogram.terminal.screen import Screen
from clients.miniprogram.terminal.words import code_in_groups, moment_text

_SHOWN = 50


@click.group("counter", cls=CounterGroup)
@click.option(
    "--server", metavar="网址", envvar="TIMEBANK_COUNTER_SERVER", default="http://127.0.0.1:8000", help="服务器"
)
@click.option("--as", "name", metavar="登录名", envvar="TIMEBANK_COUNTER", help="哪个助餐点的登录名")
@click.pass_context
def counter(ctx: click.Context, server: str, name: str | None) -> None:
    """助餐点柜台（终端里）：取餐、卖餐、充值；用餐券联网、断网都能核销。"""
    ctx.obj = (server, name)


_afresh = click.option("--afresh", is_flag=True, help="重新信任服务器，从头下载")


@counter.command("login")
@click.option("--password", prompt="密码", hide_input=True, help="密码；不写会问")
@at_the_desk
def login(desk: Desk, screen: Screen, password: str) -> None:
    """登录，并下载断网核销所需的名单。"""
    desk.log_in(click.get_current_context().obj[1], password)
    bundle = desk.refresh()
    screen.good(f"{bundle.canteen_name}，登录成功", _bundle_lines(desk))


@counter.command("bundle")
@_afresh
@at_the_desk
def bundle(desk: Desk, screen: Screen, afresh: bool) -> None:
    """更新密钥和失效券名单。"""
    desk.refresh(afresh=afresh)
    screen.good("名单已更新", _bundle_lines(desk))


@counter.command("scan")
@click.argument("code", metavar="二维码")
@at_the_desk
def scan(desk: Desk, screen: Screen, code: str) -> None:
    """核销一张券：二维码内容，联网时也可以是券码。"""
    came = desk.scan(code)
    if came.line_fell:
        screen.show("线路断了，已转为断网核销", ["联网后请执行：timebank counter online"])
    if came.bank is not None:
        _show_bank_answer(screen, came.bank)
    else:
        _show_own_answer(desk, screen, came)


@counter.command("queue")
@at_the_desk
def queue(desk: Desk, screen: Screen) -> None:
    """看断网时记下、还没有结果的扫码。"""
    waiting = desk.journal.waiting
    if not waiting:
        screen.show("没有等待补传的扫码", [_line_text(desk)])
        return
    columns = [("券码", False), ("扫码时间", False)]
    rows = [(code_in_groups(one.code), moment_text(one.scanned_at)) for one in waiting[:_SHOWN]]
    screen.table(f"等待补传：{len(waiting)} 张（{_line_text(desk)}）", columns, rows)
    if len(waiting) > _SHOWN:
        screen.show(f"另有 {len(waiting) - _SHOWN} 张没有列出", [])


@counter.command("send")
@at_the_desk
def send(desk: Desk, screen: Screen) -> None:
    """补传断网时的扫码，并列出与当时答复不同的。"""
    told = desk.send()
    _show_sent(screen, told)


@counter.command("offline")
@at_the_desk
def offline(desk: Desk, screen: Screen) -> None:
    """转为断网核销。"""
    desk.go_offline()
    screen.show("【断网】现在由本机核销", [*_bundle_lines(desk), "联网后请执行：timebank counter online"])


@counter.command("online")
@_afresh
@at_the_desk
def online(desk: Desk, screen: Screen, afresh: bool) -> None:
    """恢复联网：先补传，再更新名单。"""
    told = desk.send()
    desk.go_online(afresh=afresh)
    if told:
        _show_sent(screen, told)
    screen.good("已恢复联网", _bundle_lines(desk))


@counter.command("status")
@at_the_desk
def status(desk: Desk, screen: Screen) -> None:
    """看现在是联网还是断网，名单有多新，还有多少张没有补传。"""
    screen.show(_line_text(desk), [f"等待补传：{len(desk.journal.waiting)} 张", *_bundle_lines(desk)])
    if desk.journal.differing:
        _show_differing(screen, desk.journal.differing)


def _line_text(desk: Desk) -> str:
    since = desk.offline_since
    return "联网" if since is None else f"【断网】自 {moment_text(since)} 起"


def _bundle_lines(desk: Desk) -> list[str]:
    if desk.bundle is None:
        return ["本机还没有下载名单，断网时不能核销。"]
    behind = round(desk.bundle.clock_behind_s / 60)
    lines = [f"名单：{moment_text(desk.bundle.server_time)}，失效券 {len(desk.bundle.ended)} 张"]
    return lines if behind == 0 else [*lines, f"本机时钟{'慢' if behind > 0 else '快'} {abs(behind)} 分钟，已自动校正"]


def _show_bank_answer(screen: Screen, answer: dict[str, Any]) -> None:
    small = f"原因 {answer['reason']}"
    if answer["result"] == "accepted":
        screen.good(f"{answer['holder_name']}：{answer['message']}", small=small)
    else:
        screen.sorry(str(answer["message"]), ["请不要供餐，或请对方出示另一张券。"], small=small)


def _show_own_answer(desk: Desk, screen: Screen, came: Scanned) -> None:
    if came.own is None:
        return
    small = f"原因 {came.own.reason}"
    waiting = f"等待补传：{len(desk.journal.waiting)} 张"
    if came.own.good and came.own.code is not None:
        screen.good(f"【断网】{came.own.sentence}", [code_in_groups(came.own.code), waiting], small=small)
        return
    unknown = ["刚才的扫码可能已经到达银行；联网后请再扫一次核对。"] if came.line_fell else []
    screen.sorry(f"【断网】{came.own.sentence}", [*unknown, waiting], small=small)


def _show_sent(screen: Screen, told: Sequence[tuple[Kept, dict[str, Any]]]) -> None:
    if not told:
        screen.show("没有等待补传的扫码", [])
        return
    differing = [(kept, answer) for kept, answer in told if answer["result"] != "accepted"]
    screen.good(f"补传 {len(told)} 张：核销 {len(told) - len(differing)} 张，与当时答复不同 {len(differing)} 张")
    if differing:
        _show_differing(screen, differing)


def _show_differing(screen: Screen, differing: Sequence[tuple[Kept, dict[str, Any]]]) -> None:
    rows = [
        (
            f"{code_in_groups(kept.code)}\n{moment_text(kept.scanned_at)}",
            str(answer["message"]),
            "保障金支付" if answer.get("honoured") else "不支付，请联系镇街",
        )
        for kept, answer in differing[-_SHOWN:]
    ]
    screen.table(f"与断网时答复不同：{len(differing)} 张", [("券码", False), ("原因", False), ("这一餐", False)], rows)


for _command in (command for noun in (meals, cash, rounds) for command in noun.COMMANDS):
    counter.add_command(_command)
