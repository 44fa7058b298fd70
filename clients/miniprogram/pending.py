"""Writes whose outcome is not known yet, kept on the phone from before they leave until they are settled."""

from __future__ import annotations

import time
import uuid
from dataclasses import asdict, dataclass, replace
from typing import Any

from clients.miniprogram.wx import Wx

_PREFIX = "pending:"


@dataclass(frozen=True)
class PendingWrite:
    """One write: ``key`` is its Idempotency-Key, ``title`` what people call it, ``given_up`` that retries ended."""

    key: str
    base_url: str
    path: str
    body: dict[str, Any]
    title: str
    kept_at_ns: int
    given_up: bool = False
    method: str = "POST"

    def is_same_request(self, path: str, body: dict[str, Any], method: str = "POST") -> bool:
        """Whether it asks for exactly this."""
        return (self.path, self.body, self.method) == (path, body, method)


class PendingWrites:
    """The pending writes of one phone to one bank."""

    def __init__(self, wx: Wx, base_url: str) -> None:
        self._wx = wx
        self._base_url = base_url

    def keep(self, path: str, body: dict[str, Any], title: str, method: str = "POST") -> PendingWrite:
        """Keeps a new write, with a key of its own. Raises StorageError when the phone is full."""
        write = PendingWrite(str(uuid.uuid4()), self._base_url, path, body, title, time.time_ns(), method=method)
        self._store(write)
        return write

    def give_up(self, write: PendingWrite) -> None:
        """Marks that its sender stopped trying, so that a repeated wish takes up the same key."""
        self._store(replace(write, given_up=True))

    def settle(self, write: PendingWrite) -> None:
        """Forgets a write whose outcome is known."""
        self._wx.remove_storage_sync(_PREFIX + write.key)

    def all(self) -> list[PendingWrite]:
        """All that wait, oldest first."""
        keys = [key for key in self._wx.get_storage_info_sync()["keys"] if key.startswith(_PREFIX)]
        found = [PendingWrite(**entry) for key in keys if (entry := self._wx.get_storage_sync(key))]
        mine = [write for write in found if write.base_url == self._base_url]
        return sorted(mine, key=lambda write: (write.kept_at_ns, write.key))

    def given_up_like(self, path: str, body: dict[str, Any], method: str = "POST") -> PendingWrite | None:
        """A write of unknown outcome that asks for exactly this."""
        given_up = (write for write in self.all() if write.given_up)
        return next((write for write in given_up if write.is_same_request(path, body, method)), None)

    def _store(self, write: PendingWrite) -> None:
        self._wx.set_storage_sync(_PREFIX + write.key, asdict(write))
