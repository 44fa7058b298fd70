"""The system user that the database server runs as 数据库的系统用户.

An ordinary user runs the server as himself. PostgreSQL refuses to run as root, so root hands it to a system
user of its own; whatever happens inside that user's folders is done *as* that user, so that root never follows
a link that somebody else has laid there.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SYSTEM_USER = "timebank-db"

# Nothing of the caller's surroundings (PGDATA, PGPORT, LC_ALL, LD_LIBRARY_PATH …) reaches the server.
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class EmbeddedRefused(Exception):
    """The embedded PostgreSQL cannot be used; the message is one sentence for the person at the terminal."""


@dataclass(frozen=True)
class Owner:
    """The system user who owns the data folder and runs the server."""

    name: str
    uid: int
    gid: int
    is_another: bool
    """True when the bank runs as root and the server as somebody else."""

    def run(self, command: Sequence[str | Path], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run ``command`` as this user, in a session of its own, and wait for its end even when interrupted.

        The output (both streams) is in ``stdout``. Raises EmbeddedRefused when it cannot be started at all.
        """
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                cwd="/",
                env=_ENVIRONMENT,
                umask=0o077,
                start_new_session=True,
                user=self.uid if self.is_another else None,
                group=self.gid if self.is_another else None,
                extra_groups=[] if self.is_another else None,
            )
        except OSError as problem:
            raise EmbeddedRefused(f"{command[0]} cannot be run as {self.name}: {problem.strerror}.") from problem
        with process:
            try:
                output, _ = process.communicate(stdin)
            except BaseException:
                # Ctrl-C: what was begun (a server starting) is finished first, so that it can be undone.
                process.communicate()
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, output)

    def must(self, command: Sequence[str | Path], *, stdin: str = "") -> str:
        """Run ``command`` as this user and return its output; raises EmbeddedRefused when it fails."""
        done = self.run(command, stdin=stdin)
        if done.returncode != 0:
            said = done.stdout.strip().splitlines() or ["no message"]
            raise EmbeddedRefused(f"{Path(command[0]).name} failed: {said[-1]}")
        return done.stdout

    def first_closed(self, *paths: Path) -> Path | None:
        """The first folder on the way to any of ``paths`` (themselves included) that this user may not enter.

        The system itself is asked, as this user, so that access lists and the like count too.
        """
        way = dict.fromkeys(step for path in paths for step in (*reversed(path.parents), path))
        there = [str(step) for step in way if os.path.exists(step)]
        script = 'for step; do test -x "$step" || { printf %s "$step"; exit 0; }; done'
        closed = self.must(["/bin/sh", "-c", script, "sh", *there])
        return Path(closed) if closed else None


def database_owner() -> Owner:
    """The user the server runs as: ourselves, or as root the system user ``timebank-db``, made when missing.

    Raises EmbeddedRefused when that user cannot be made.
    """
    if os.geteuid() != 0:
        uid = os.geteuid()
        return Owner(_user_name(uid), uid, os.getegid(), is_another=False)
    try:
        found = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        found = _make_system_user()
    return Owner(found.pw_name, found.pw_uid, found.pw_gid, is_another=True)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run under a number that has no name
        return str(uid)


def _make_system_user() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        done = subprocess.run(command, env=_ENVIRONMENT, capture_output=True, text=True, check=False)
        said = done.stderr.strip()
    except FileNotFoundError:
        said = "useradd is not installed"
    try:
        # Asked for anew rather than trusting useradd's verdict: another bank may have made the user meanwhile.
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise EmbeddedRefused(
            f"PostgreSQL does not run as root and its own user {SYSTEM_USER} could not be made ({said}): start the "
            "bank as an ordinary user, or name another database in TIMEBANK_DATABASE_URL. "
            "PostgreSQL 不能以 root 运行，请改用普通用户启动，或用 TIMEBANK_DATABASE_URL 指定数据库。"
        ) from None
