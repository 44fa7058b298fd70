"""Processes that belong together end together."""

from __future__ import annotations

import os
import signal
import threading
import time

_POLL_S = 1.0
_GRACE_S = 10.0


def end_with_parent(parent_pid: int) -> None:
    """End this process when the one that started it is gone, however it went: first asked, then without asking.

    A server killed outright leaves its workers behind, and they would hold its port for ever.
    """
    threading.Thread(target=_watch, args=(parent_pid,), daemon=True, name="end-with-parent").start()


def _watch(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(_POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os._exit(1)
