"""Every screen of the phone at every width: within the terminal, nothing cut, and nothing that is not Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
import pytest
from rich.cells import cell_len

from clients.miniprogram.phone import phone
from tests.clients.answers import BOOKING, LOAN, everything
from tests.clients.shown import Phone

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

WIDTHS = ["60", "80", "100"]
SCREENS = [
    ("care", "services"),
    ("care", "providers"),
    ("care", "list"),
    ("care", "show", "1"),
    ("care", "cancel", "1"),
    ("care", "book", "--at", "2026-11-25 09:00", "--minutes", "60"),
    ("aids",),
    ("aids", "kinds"),
    ("aids", "mine"),
    ("aids", "reserve", "1", "--days", "7"),
    ("gifts",),
    ("pool", "--lines"),
    ("family",),
    ("proxies",),
    ("honours",),
    ("allotments",),
    ("leave", "--preview"),
    ("notices",),
    ("reissue",),
    ("care", "list", "--for", "没有这位"),
]
# What a person types is as it is, and so are ids.
_TYPED = re.compile(r"timebank phone( [a-z-]+)*|--[a-z-]+|[0-9a-f]{8}-[0-9a-f-]+|编号 \S+|代码 \S+")


def paths(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield before
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from paths(command, (*before, name))
        else:
            yield (*before, name)


def english(text: str) -> list[str]:
    return re.findall(r"[A-Za-z]{2,}", _TYPED.sub("", text))


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("words", SCREENS, ids=" ".join)
def test_a_screen_fits_and_is_chinese(
    of_wang: Phone, bank: ScriptedBank, monkeypatch: pytest.MonkeyPatch, columns: str, words: tuple[str, ...]
) -> None:
    everything(bank)
    bank.on("POST", "/care-bookings", bank.reply(201, BOOKING))
    bank.on("POST", "/aid-loans", bank.reply(201, LOAN))
    bank.on("POST", f"/care-bookings/{BOOKING['booking_id']}/cancel", bank.reply(200, BOOKING))
    monkeypatch.setenv("COLUMNS", columns)
    of_wang("care", "list")
    of_wang("aids")
    lines = of_wang(*words).output.splitlines()
    assert max(cell_len(line) for line in lines) <= int(columns)
    # A panel fills the width, so that a narrower one would be a mistake in counting.
    assert {cell_len(line) for line in lines if line.startswith(("┃", "┏"))} == {int(columns)}
    joined = " ".join(line.strip("┃ ") for line in lines)
    assert "…" not in joined
    assert english(joined) == []


@pytest.mark.parametrize("path", list(paths(phone)), ids=" ".join)
def test_every_command_explains_itself_in_chinese(of_wang: Phone, path: tuple[str, ...]) -> None:
    output = of_wang(*path, "--help").output
    names = "|".join(re.escape(name) for one in paths(phone) for name in one)
    assert english(re.sub(rf"(?<![a-z-])({names})(?= )", "", _TYPED.sub("", output))) == []
    assert " ".join(["这样写：timebank phone", *path]) in " ".join(output.replace("┃", " ").split())
