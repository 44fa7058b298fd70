"""Processes that belong together end together."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog

STOP_PATIENCE_S = 20.0
_POLL_S = 1.0
_GRACE_S = 10.0
_RESTART_PAUSE_S = 3.0
_ROOT = Path(__file__).resolve().parents[1]

log = structlog.get_logger()


def end_with_parent(parent_pid: int) -> None:
    """End this process when the one that started it is gone, however it went: first asked, then without asking.

    A server killed outright leaves its workers behind, and they would hold its port for ever. Ctrl-C at a terminal
    from now on reaches the parent alone, which tells us in its own time.
    """
    if os.getsid(0) != os.getpid():
        os.setpgid(0, 0)
    threading.Thread(target=_watch, args=(parent_pid,), daemon=True, name="end-with-parent").start()


@contextmanager
def beside(command: Sequence[str], *, stdout: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process beside this one until the block ends; in a session of its own, so that Ctrl-C reaches only us."""
    process = _start(command, stdout)
    try:
        yield process
    finally:
        _stop(process)
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def kept_beside(command: Sequence[str]) -> Iterator[None]:
    """A process beside this one as ``beside``, started again after a pause whenever it ends before the block does."""
    over = threading.Event()
    running = [_start(command, None)]

    def keep() -> None:
        while not over.is_set():
            status = running[0].wait()
            if over.wait(_RESTART_PAUSE_S):
                return
            log.error("process_started_again", command=" ".join(command[-2:]), exit_status=status)
            running[0] = _start(command, None)

    keeper = threading.Thread(target=keep, daemon=True, name="kept-beside")
    keeper.start()
    try:
        yield
    finally:
        over.set()
        _stop(running[0])
        # One may have been started in that very moment.
        keeper.join()
        _stop(running[0])


def _start(command: Sequence[str], stdout: int | None) -> subprocess.Popen[str]:
    return subprocess.Popen(command, cwd=_ROOT, stdout=stdout, text=True, start_new_session=True)


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_PATIENCE_S)
    except subprocess.TimeoutExpired:
        log.error("process_killed", pid=process.pid, waited_s=STOP_PATIENCE_S)
        process.kill()
        process.wait()


def _watch(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(_POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os._exit(1)
