"""A phone's local storage: what wx.setStorageSync keeps, in one private file with WeChat's limits."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

KEY_LIMIT_BYTES = 1024 * 1024
TOTAL_LIMIT_BYTES = 10 * 1024 * 1024


class StorageError(Exception):
    """The storage cannot do this; ``err_msg`` is worded as WeChat words it."""

    def __init__(self, err_msg: str) -> None:
        super().__init__(err_msg)
        self.err_msg = err_msg


class Storage:
    """Key-value storage in ``file``, readable by its owner alone; every change is whole or not there."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock_file = file.with_name(f"{file.name}.lock")

    def get(self, key: str) -> Any:
        """The value of ``key``, or None. Raises StorageError when the file is damaged."""
        return self._read().get(key)

    def set(self, key: str, value: Any) -> None:
        """Keeps ``value`` (anything JSON holds). Raises StorageError beyond 1 MB a key or 10 MB in all."""
        if _size(key, value) > KEY_LIMIT_BYTES:
            raise StorageError("setStorage:fail exceed single key storage limit 1MB")
        with self._changing() as content:
            content[key] = value
            if _total(content) > TOTAL_LIMIT_BYTES:
                raise StorageError("setStorage:fail exceed storage limit 10MB")

    def remove(self, key: str) -> None:
        """Forgets ``key``; nothing happens when it is not there."""
        with self._changing() as content:
            content.pop(key, None)

    def info(self) -> dict[str, Any]:
        """``keys``, ``currentSize`` and ``limitSize``, both in KB rounded up, as WeChat answers."""
        content = self._read()
        used_kb = -(-_total(content) // 1024)
        return {"keys": list(content), "currentSize": used_kb, "limitSize": TOTAL_LIMIT_BYTES // 1024}

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """The content, to be changed; written back when the block ends well."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(self._lock_file):
            content = self._read()
            before = json.dumps(content)
            yield content
            after = json.dumps(content)
            if after != before:
                self._write(json.dumps(content, ensure_ascii=False))

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise StorageError(f"getStorage:fail {self._file.name} is damaged")
        return content

    def _write(self, text: str) -> None:
        draft = self._file.with_name(f"{self._file.name}.new")
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            # A pending write must be on the disk before it goes out, or a power cut could double it.
            os.fsync(out.fileno())
        draft.replace(self._file)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _size(key: str, value: Any) -> int:
    return len(key.encode()) + len(json.dumps(value, ensure_ascii=False).encode())


def _total(content: dict[str, Any]) -> int:
    return sum(_size(key, value) for key, value in content.items())
