"""One counter: whose it is, what it holds, and whether it works with the line or without."""

from __future__ import annotations

import fcntl
import json
import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clients.counter.bundle import Bundle, download
from clients.counter.check import Answer, check
from clients.counter.journal import Journal, Kept
from clients.counter.line import MOST_AT_ONCE, Line, LineDown

_NAME = re.compile(r"[\w-]{1,64}")


class DeskTrouble(Exception):
    """The counter cannot go on: a sentence, and what to do next."""

    def __init__(self, sentence: str, next_step: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.next_step = next_step


@dataclass(frozen=True)
class Scanned:
    """What came of one scan: the bank's answer, or where there was no line the counter's own."""

    bank: dict[str, Any] | None
    own: Answer | None
    line_fell: bool = False


def machine_now() -> datetime:
    """This machine's clock."""
    return datetime.now(UTC)


class Desk:
    """A counter with its folder. Off the line it stays until somebody says otherwise, even if the line is back."""

    def __init__(self, folder: Path, server: str, now: Callable[[], datetime] = machine_now) -> None:
        self._folder, self._now = folder, now
        self._state = _read_json(folder / "state.json") or {}
        self.journal = Journal(folder / "scans.jsonl")
        kept = _read_json(folder / "bundle.json")
        self.bundle = Bundle.from_json(kept) if kept else None
        self.line = Line(server, str(self._state.get("token") or ""))

    @property
    def offline_since(self) -> str | None:
        """Since when the counter has worked without a line; None on the line."""
        since = self._state.get("offline_since")
        return str(since) if since else None

    @property
    def bank_now(self) -> datetime:
        """What the bank's clock shows, as far as was seen at the last download."""
        return self.bundle.bank_time(self._now()) if self.bundle else self._now()

    def kept(self, name: str) -> dict[str, Any]:
        """What was kept under this name on the counter's disk; empty where nothing was. Raises DeskTrouble."""
        return _read_json(self._folder / f"{name}.json") or {}

    def keep(self, name: str, content: dict[str, Any]) -> None:
        """Keep this on the counter's disk, in the place of what was there under the name."""
        _write_json(self._folder / f"{name}.json", content)

    def log_in(self, username: str, password: str) -> None:
        """Raises LineDown or Problem."""
        self.line.log_in(username, password)
        self._keep_state(token=self.line.token)

    def go_offline(self) -> None:
        """Work without a line from now on. Raises DeskTrouble where there is nothing to work with."""
        if self.bundle is None:
            raise DeskTrouble("本机还没有下载名单，断网时不能核销。", "请在联网时先下载：timebank counter bundle")
        if self.offline_since is None:
            self._keep_state(offline_since=self._now().isoformat())

    def go_online(self, *, afresh: bool = False) -> None:
        """Work with the line again; what waits is to be sent first. Raises what ``refresh`` does, and stays off it."""
        self.refresh(afresh=afresh)
        self._keep_state(offline_since=None)

    def refresh(self, *, afresh: bool = False) -> Bundle:
        """Download what is new. Raises LineDown, Problem or NotTrusted; ``afresh`` trusts the line anew."""
        self.bundle = download(self.line.bundle, self._now, None if afresh else self.bundle)
        _write_json(self._folder / "bundle.json", self.bundle.as_json())
        return self.bundle

    def scan(self, text: str) -> Scanned:
        """Answer one scan. When the line falls in the middle, the counter goes off it. Raises Problem, DeskTrouble."""
        nonce, fell = str(uuid.uuid4()), False
        if self.offline_since is None:
            try:
                return self._ask_the_bank(text, nonce)
            except LineDown:
                self.go_offline()
                fell = True
        if self.bundle is None:
            raise DeskTrouble("本机还没有下载名单，断网时不能核销。", "请在联网时先下载：timebank counter bundle")
        at = self.bank_now
        own = check(text.strip(), self.bundle, at, self.journal.let_through)
        if own.good and own.code is not None:
            self.journal.keep(Kept(nonce, text.strip(), at.isoformat(), own.code))
        return Scanned(None, own, fell)

    def send(self) -> list[tuple[Kept, dict[str, Any]]]:
        """Send what waits, a thousand at once, each kept until its answer is; the answers of this time.

        Raises LineDown or Problem; what was answered before is settled then.
        """
        told: list[tuple[Kept, dict[str, Any]]] = []
        while waiting := self.journal.waiting[:MOST_AT_ONCE]:
            answers = self.line.send(waiting)
            self.journal.settle([(scan.nonce, answer) for scan, answer in zip(waiting, answers, strict=True)])
            told += zip(waiting, answers, strict=True)
        return told

    def _ask_the_bank(self, text: str, nonce: str) -> Scanned:
        at = self.bank_now
        answer = self.line.redeem(text, nonce, at.isoformat())
        if answer["result"] == "accepted" and self.bundle is not None:
            own = check(text.strip(), self.bundle, at, ())
            if own.code is not None:
                # So that the same QR is known here, should the line fall before the next download.
                self.journal.keep(Kept(nonce, text.strip(), at.isoformat(), own.code))
                self.journal.settle([(nonce, answer)])
        return Scanned(answer, None)

    def _keep_state(self, **changes: Any) -> None:
        self._state.update(changes)
        _write_json(self._folder / "state.json", self._state)


@contextmanager
def opened(counters: Path, name: str, server: str) -> Iterator[Desk]:
    """The counter ``name``, for one command; a second command of the same counter waits for the first."""
    if not _NAME.fullmatch(name):
        raise DeskTrouble("登录名只能用字母、数字、- 和 _。", "请换一个登录名。")
    folder = counters / name
    counters.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    turn = os.open(folder / "turn", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield Desk(folder, server)
    finally:
        os.close(turn)


def _read_json(file: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise DeskTrouble(f"本机的文件坏了：{file.name}", "请找管理员看看这台机器。") from None


def _write_json(file: Path, content: dict[str, Any]) -> None:
    draft = file.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(content, out, ensure_ascii=False)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
