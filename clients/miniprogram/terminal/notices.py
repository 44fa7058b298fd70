"""What the bank has told a person: reminders, visits, gifts."""

from __future__ import annotations

from itertools import islice

import click

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.commands import PhoneCommand, on_phone
from clients.miniprogram.terminal.handset import Handset


@click.command("notices", cls=PhoneCommand)
@click.option("--pages", type=click.IntRange(1), default=1, metavar="页数", help="看几页")
@on_phone
def notices(handset: Handset, pages: int) -> None:
    """给我的通知和提醒，最近的在前。"""
    found = [one for page in islice(handset.api.pages("/notices"), pages) for one in page]
    if not found:
        handset.screen.show("还没有通知", ["有提醒的时候，这里会看到。"])
    for one in found:
        handset.screen.show(one["title"], [one["body"]], small=words.moment_text(one["written_at"]))


COMMANDS = (notices,)
