"""What is found running on a data folder 已在运行的数据库进程: read from the server's own ``postmaster.pid``.

The file outlives a crash, and its process number may by then belong to anybody. It is never removed here: it also
names the shared memory by which PostgreSQL sees that servants of a killed server still write to the folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_PID_FILE = "postmaster.pid"
# Lines of the file, counted from 0.
_PID, _SOCKET_FOLDER, _STATUS = 0, 4, 7
# Above every process number that Linux gives out.
_NOBODYS_PID = 2**31 - 1


@dataclass(frozen=True)
class Postmaster:
    """A living server of the data folder."""

    pid: int
    socket_folder: Path | None
    """None while it is still starting."""
    is_ready: bool


def find_postmaster(data: Path) -> Postmaster | None:
    """The living server of the folder ``data``, or None; a file left behind by a dead one does not count."""
    lines = _lines(data)
    if not lines or not lines[_PID].isdigit():
        return None
    pid = int(lines[_PID])
    if not _serves(pid, data):
        return None
    folder = lines[_SOCKET_FOLDER].strip() if len(lines) > _SOCKET_FOLDER else ""
    status = lines[_STATUS].strip() if len(lines) > _STATUS else "starting"
    return Postmaster(pid, Path(folder) if folder else None, is_ready=status == "ready")


def clear_stale(data: Path) -> Path | None:
    """Prepare a start where no server lives; returns the socket folder that a crashed one left behind, if any.

    PostgreSQL overlooks a dead process itself, but refuses to start while the number belongs to any process of the
    same user. So the number is replaced by nobody's, and all else in the file stays for PostgreSQL to judge.
    """
    lines = _lines(data)
    if not lines:
        return None
    lines[_PID] = str(_NOBODYS_PID)
    # Written over, not replaced: the file stays its owner's.
    descriptor = os.open(data / _PID_FILE, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")
    folder = lines[_SOCKET_FOLDER].strip() if len(lines) > _SOCKET_FOLDER else ""
    return Path(folder) if folder else None


def _lines(data: Path) -> list[str]:
    try:
        return (data / _PID_FILE).read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _serves(pid: int, data: Path) -> bool:
    """Whether the process is alive and a server of ``data``; where the system does not tell, alive is enough."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False  # somebody else's: the server is ours, or we are root
    process = Path("/proc") / str(pid)
    try:
        # A dead process whose parent has not yet taken note of it has an empty command line.
        command = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return not Path("/proc/self").exists()
    if Path(os.fsdecode(command[0])).name != "postgres":
        return False
    return os.fsencode(data) in command or _works_in(process, data)


def _works_in(process: Path, data: Path) -> bool:
    # A server works in its data folder, also after that was given another name.
    try:
        return (process / "cwd").samefile(data)
    except OSError:
        return False
