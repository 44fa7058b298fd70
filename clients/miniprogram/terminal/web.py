"""The pages in the web view: the address that opens them, signed in already."""

from __future__ import annotations

import click

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.commands import PhoneCommand, choice_of, on_phone
from clients.miniprogram.terminal.handset import Handset


@click.command("web", cls=PhoneCommand)
@click.argument("page", metavar="页面", default="")
@on_phone
def web(handset: Handset, page: str) -> None:
    """打开网页，不用再登录；可写要去的页面的路径。"""
    # Asked for anew whenever an answer is lost: an unused ticket is worth nothing after a minute.
    issued = handset.api.ask("/web-tickets", {"next": page} if page else {})
    server = choice_of(click.get_current_context()).server.rstrip("/")
    until = words.moment_text(issued["expires_at"])
    handset.screen.show("请打开下面的网址", ["打开就进去了，不用再登录。"], small=f"只能用一次，{until} 以前有效")
    # On a line of its own and unbroken, to be taken over by whatever opens it.
    click.echo(f"{server}{issued['address']}")


COMMANDS = (web,)
