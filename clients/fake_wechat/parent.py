"""Ends with the parent: a fake left over from a killed bank would hold its port for ever."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable

_POLL_S = 0.5


def call_when_gone(pid: int, act: Callable[[], None]) -> None:
    """Calls ``act`` once, from a thread of its own, when the process ``pid`` has ended (or never was)."""
    threading.Thread(target=_watch, args=(pid, act), daemon=True).start()


def _watch(pid: int, act: Callable[[], None]) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        act()
        return
    except (AttributeError, OSError):
        _watch_by_asking(pid)
        act()
        return
    try:
        # A process handle becomes readable when the process ends, and its number cannot be reused meanwhile.
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        waiting.poll()
    finally:
        os.close(handle)
    act()


def _watch_by_asking(pid: int) -> None:
    pause = threading.Event()
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        except PermissionError:
            pass
        pause.wait(_POLL_S)
