"""One phone: whose it is, where its storage lies, and what its last list showed."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clients.miniprogram.api import Api, Settled
from clients.miniprogram.storage import Storage
from clients.miniprogram.terminal.screen import Screen
from clients.miniprogram.wx import Wx

_NAME = re.compile(r"[\w-]{1,32}")


class PhoneTrouble(Exception):
    """The phone itself cannot go on: a sentence, and what to do next."""

    def __init__(self, sentence: str, next_step: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.next_step = next_step


class Handset:
    """A phone that is switched on: its API, its screen, and what was settled when it came on."""

    def __init__(self, name: str, wx: Wx, api: Api, screen: Screen) -> None:
        self.name = name
        self.api = api
        self.screen = screen
        self._wx = wx
        self._settled: list[Settled] = []

    def come_on(self) -> None:
        """Settles the writes whose outcome was unknown, and says what became of them."""
        self._settled = self.api.settle_pending()
        for settled in self._settled:
            if settled.problem is None:
                self.screen.good(f"上次未知结果的「{settled.write.title}」已核对：办成了")
            else:
                self.screen.sorry(
                    f"上次未知结果的「{settled.write.title}」已核对：没有办成",
                    [settled.problem.title],
                    small=f"代码 {settled.problem.code}",
                )
        for write in self.api.pending():
            self.screen.show(f"「{write.title}」还没有结果", ["结果未知，联网后会自动核对。"])

    def write(self, path: str, body: dict[str, Any], *, title: str, method: str = "POST") -> dict[str, Any]:
        """Does a write once. One that was settled a moment ago is what the person asks for again: not done twice."""
        for settled in self._settled:
            if settled.answer is not None and settled.write.is_same_request(path, body, method):
                self.screen.show("就是上面核对好的这一笔", ["没有重复办理。还要再办，请再操作一次。"])
                return settled.answer
        return self.api.write(path, body, title=title, method=method)

    def remember_list(self, kind: str, ids: Sequence[str]) -> None:
        """Keeps the order of the list just shown, so that its numbers can be used."""
        self._wx.set_storage_sync(f"last_{kind}", list(ids))

    def last_list(self, kind: str) -> list[str]:
        """The ids of the list shown last, in order."""
        return list(self._wx.get_storage_sync(f"last_{kind}") or [])


def make_last_used(phones: Path, name: str) -> None:
    """Makes ``name`` the phone that is meant when none is named."""
    draft = phones / f".last.{os.getpid()}"
    draft.write_text(name, encoding="utf-8")
    draft.replace(phones / ".last")


def chosen_name(phones: Path, name: str | None) -> str:
    """The phone to use: ``name``, else the one that logged in last. Raises PhoneTrouble."""
    if name is None:
        try:
            name = (phones / ".last").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise PhoneTrouble("这里还没有人登录过。", "请先登录：timebank phone login 名字") from None
    if not _NAME.fullmatch(name):
        raise PhoneTrouble("名字只能用汉字、字母、数字、- 和 _，最多 32 个字。", "请换一个名字。")
    return name


@contextmanager
def switched_on(phones: Path, name: str, server: str) -> Iterator[Handset]:
    """The phone ``name``, for one command; a second command of the same phone waits for the first."""
    folder = phones / name
    # A phone's folder bears a person's name, so the folder above it is private as well.
    phones.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    turn = os.open(folder / "turn", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        wx = Wx(code_source=lambda: f"demo:{name}", storage=Storage(folder / "storage.json"))
        yield Handset(name, wx, Api(wx, server), Screen())
    finally:
        os.close(turn)
