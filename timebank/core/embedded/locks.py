"""Locks between the processes of one bank 进程间锁: the kernel drops them with the process, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import weakref
from collections.abc import Iterator
from pathlib import Path


class FileLock:
    """An flock on a file of its own, shared or exclusive.

    It belongs to the process that opened it: programs it starts do not inherit the descriptor, and a forked child
    closes it at once, so that a child that lives on cannot keep the lock alive.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        _open_locks.add(self)

    def share(self) -> None:
        """Wait for a shared hold."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Wait for an exclusive hold, and give it up at the end of the block."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def is_last(self) -> bool:
        """Whether nobody else shares the lock; if so it is now held exclusively, else the shared hold is lost."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Give up whatever is held."""
        if self in _open_locks:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            self._drop()

    def _drop(self) -> None:
        _open_locks.discard(self)
        os.close(self._descriptor)


_open_locks: weakref.WeakSet[FileLock] = weakref.WeakSet()


def _forget_in_child() -> None:
    # Closed without unlocking: the lock is the parent's, who still holds it.
    for lock in list(_open_locks):
        lock._drop()


os.register_at_fork(after_in_child=_forget_in_child)
