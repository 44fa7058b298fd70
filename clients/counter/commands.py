"""How a command of the counter runs: whose counter it is, and one place where every trouble becomes a sentence."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import click

from clients.counter.bundle import NotTrusted
from clients.counter.desk import Desk, DeskTrouble, opened
from clients.counter.journal import JournalBroken
from clients.counter.line import LineDown, is_login_over
from clients.counter.meal_desk import MealDesk, NeedsLine, OutcomeUnknown
from clients.counter.meal_words import refusal_lines
from clients.miniprogram.problem import Problem
from clients.miniprogram.terminal.chinese import ChineseCommand, ChineseGroup
from clients.miniprogram.terminal.screen import Screen

P = ParamSpec("P")
_TROUBLES = (DeskTrouble, LineDown, NeedsLine, OutcomeUnknown, Problem, NotTrusted, JournalBroken, click.Abort)
_STILL_GOES = "断网时还能做：核销用餐券，timebank counter scan 二维码"


class CounterCommand(ChineseCommand):
    """A command of the counter."""

    program = "timebank counter"


class CounterGroup(CounterCommand, ChineseGroup):
    """The counter's commands, or those about one thing."""

    command_class = CounterCommand
    said_of_unknown = "柜台没有「{}」这一项"


def at_the_desk(command: Callable[Concatenate[Desk, Screen, P], None]) -> Callable[P, None]:
    """Gives ``command`` its counter; whatever goes wrong is shown as a sentence, with exit status 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        server, name = click.get_current_context().obj
        screen = Screen()
        try:
            if name is None:
                raise DeskTrouble("不知道是哪个助餐点。", "请写上登录名：timebank counter --as 登录名 …")
            with opened(Path(os.environ.get("TIMEBANK_HOME") or "var") / "counters", name, server) as desk:
                command(desk, screen, *args, **kwargs)
        except _TROUBLES as trouble:
            _show_trouble(screen, trouble)
            raise click.exceptions.Exit(1) from None

    return run


def at_meals(command: Callable[Concatenate[MealDesk, Screen, P], None]) -> Callable[P, None]:
    """Gives ``command`` the counter as it serves meals, once nothing done before is left in doubt."""

    def serve(desk: Desk, screen: Screen, /, *args: P.args, **kwargs: P.kwargs) -> None:
        meals = MealDesk(desk)
        for settled in meals.settle():
            if settled.problem is None:
                screen.good(f"刚才没有结果的「{settled.write.title}」：办成了")
            else:
                screen.sorry(f"刚才没有结果的「{settled.write.title}」：没有办成", [settled.problem.title])
        command(meals, screen, *args, **kwargs)

    run = at_the_desk(serve)
    functools.update_wrapper(run, command)
    return run


def done(meals: MealDesk, screen: Screen, path: str, body: dict[str, Any] | None, title: str) -> dict[str, Any]:
    """What the bank answers to something done once. Raises Problem or OutcomeUnknown."""
    answer, was_before = meals.write(path, body, title)
    if was_before:
        screen.show("就是上面这一笔", ["没有重复办理。还要再办一次，请再执行一次。"])
    return answer


def _show_trouble(screen: Screen, trouble: Exception) -> None:
    match trouble:
        case DeskTrouble():
            screen.sorry(trouble.sentence, [f"下一步：{trouble.next_step}"])
        case Problem() if is_login_over(trouble):
            screen.sorry(trouble.title, ["下一步：重新登录，timebank counter --as 登录名 login"])
        case Problem():
            title, *more = refusal_lines(trouble)
            screen.sorry(f"否：{title}", more, small=f"代码 {trouble.code}")
        case NeedsLine():
            said = ["取餐、卖餐、充值、退款、送餐要联网，断网时请先记在纸上。", _STILL_GOES]
            screen.sorry("【断网】这件事要联网才能办", [*said, "线路好了，下一步：timebank counter online"])
        case OutcomeUnknown():
            said = ["可能已经办成。线路好了，把同样的命令再执行一次：已办成的不会再办。", _STILL_GOES]
            screen.sorry(f"线路断了，不知道「{trouble.title}」办成没有", said)
        case NotTrusted():
            said = ["名单不是用本机认得的密钥签的，没有采用。", "下一步：请先问区民政局，确认后加 --afresh 再下载。"]
            screen.sorry("名单的签名不对", said)
        case JournalBroken():
            screen.sorry("扫码记录坏了，没有再记。", ["下一步：请找管理员看看这台机器。"], small=str(trouble))
        case LineDown():
            screen.sorry("没有连上服务器。", ["扫码记录都在本机，一张不少；联网后再试。", _STILL_GOES])
        case _:
            # The prompt that was broken off left its line unfinished.
            click.echo()
            screen.sorry("没有填完，没有办理。", ["下一步：准备好以后再来一次。"])
