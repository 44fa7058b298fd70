"""How a phone command runs: the options all of them share, and one place where every trouble becomes a sentence."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import click

from clients.miniprogram.api import OutcomeUnknown
from clients.miniprogram.problem import Problem
from clients.miniprogram.storage import StorageError
from clients.miniprogram.terminal.chinese import ChineseCommand, ChineseGroup
from clients.miniprogram.terminal.handset import Handset, PhoneTrouble, chosen_name, switched_on
from clients.miniprogram.terminal.screen import Screen
from clients.miniprogram.wx import RequestFailed

DEFAULT_SERVER = "http://127.0.0.1:8000"

_TROUBLES = (
    Problem,
    OutcomeUnknown,
    RequestFailed,
    StorageError,
    PhoneTrouble,
    click.Abort,
    KeyboardInterrupt,
)

P = ParamSpec("P")


@dataclass
class Choice:
    """Which bank and whose phone the command is for."""

    server: str = DEFAULT_SERVER
    name: str | None = None


def phones_folder() -> Path:
    """Where the phones' storages lie."""
    return Path(os.environ.get("TIMEBANK_HOME") or "var") / "phones"


def shared_options() -> list[click.Option]:
    """``--server`` and ``--as``, taken before or after the command's name; the later one wins."""
    return [
        click.Option(["--server"], metavar="网址", expose_value=False, callback=_choose, help="服务器地址"),
        click.Option(["--as", "whose"], metavar="名字", expose_value=False, callback=_choose, help="用谁的手机"),
    ]


class _OfThePhone(ChineseCommand):
    """With the options that all commands of the phone share."""

    program = "timebank phone"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(shared_options())


class PhoneCommand(_OfThePhone):
    """A command of the phone, with the shared options."""


class PhoneGroup(_OfThePhone, ChineseGroup):
    """The phone's commands, or those about one thing."""

    command_class = PhoneCommand
    said_of_unknown = "手机里没有「{}」这一项"


def on_phone(command: Callable[Concatenate[Handset, P], None]) -> Callable[P, None]:
    """Gives ``command`` the phone it runs on; whatever goes wrong is shown as a sentence, with exit status 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        choice = choice_of(click.get_current_context())
        with troubles_shown():
            name = chosen_name(phones_folder(), choice.name)
            with switched_on(phones_folder(), name, choice.server) as handset:
                handset.come_on()
                command(handset, *args, **kwargs)

    return run


def choice_of(ctx: click.Context) -> Choice:
    """The choice made so far; starts with the environment's."""
    found = ctx.find_object(Choice)
    if found is None:
        server, name = os.environ.get("TIMEBANK_PHONE_SERVER"), os.environ.get("TIMEBANK_PHONE")
        found = ctx.obj = Choice(server or DEFAULT_SERVER, name or None)
    return found


@contextmanager
def troubles_shown() -> Iterator[None]:
    """Shows a trouble of the block on the screen and ends with exit status 1."""
    try:
        yield
    except _TROUBLES as trouble:
        _show(Screen(), trouble)
        raise click.exceptions.Exit(1) from None


def _show(screen: Screen, trouble: BaseException) -> None:
    match trouble:
        case Problem():
            screen.refusal(trouble)
        case OutcomeUnknown():
            screen.unknown(trouble)
        case RequestFailed():
            small = f"代码 {trouble.err_msg}"
            screen.sorry("网络不通，没有连上服务器。", ["下一步：请检查网络后再试一次。"], small=small)
        case StorageError():
            screen.sorry("手机存储出了问题，没有办理。", ["下一步：请找管理员看看这部手机。"], small=trouble.err_msg)
        case PhoneTrouble():
            screen.sorry(trouble.sentence, [f"下一步：{trouble.next_step}"])
        case KeyboardInterrupt():
            click.echo()
            screen.sorry("停下了。", ["正在办的事，下次打开会自动核对。"])
        case _:
            # The prompt that was broken off left its line unfinished.
            click.echo()
            screen.sorry("没有填完，没有办理。", ["下一步：准备好以后再来一次。"])


def _choose(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    choice = choice_of(ctx)
    if value is not None and param.name == "server":
        choice.server = value
    elif value is not None:
        choice.name = value
