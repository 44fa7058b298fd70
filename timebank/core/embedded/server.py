"""Starting, sharing and stopping the embedded server 启动、共用与停止.

Several processes of one bank may use it at once: the first starts the server, the others join, the last one out
stops it. Each holds a shared lock while it uses the server, and starting and stopping happen under another lock,
one process at a time. A killed process loses its locks, so the next to come finds the server and takes it over.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
import time
from pathlib import Path
from types import TracebackType

from sqlalchemy import URL

from timebank.core.embedded.binaries import server_major, server_programs
from timebank.core.embedded.cluster import DATABASE, ROLE, Cluster
from timebank.core.embedded.homes import make_home
from timebank.core.embedded.locks import FileLock
from timebank.core.embedded.owner import EmbeddedRefused, database_owner
from timebank.core.embedded.postmaster import clear_stale, find_postmaster

_PORT = "5432"  # names the socket's file; nothing listens on the network
_SOCKET = f".s.PGSQL.{_PORT}"
_LONGEST_SOCKET_PATH = 107  # bytes, what the system's socket addresses hold
_PRIVATE_SOCKETS = Path("/tmp/timebank-sockets-")  # and random letters
# Recovery after a crash may take minutes.
_PATIENCE_S = 300
_ORPHANS_PATIENCE_S = 30


class EmbeddedPostgres:
    """A running embedded PostgreSQL, used by this process until ``close``."""

    def __init__(self, home: Path, *, durable: bool) -> None:
        self.home = home
        self._durable = durable
        self._process = os.getpid()
        self._closed = False
        self._owner = database_owner()
        make_home(home, self._owner)
        self._cluster = Cluster(home, self._owner)
        self._users = FileLock(home / "postgres.users.lock")
        self._turn = FileLock(home / "postgres.turn.lock")
        self._socket_folder = Path()
        self._password = ""

    @classmethod
    def start(cls, home: Path, *, durable: bool = True) -> EmbeddedPostgres:
        """Start the server whose data lie in ``home/postgres``, made when missing, or join it when it runs.

        ``durable=False`` is for tests: a crash of the machine may then lose everything, and the bank's role may
        create databases. Raises EmbeddedRefused, with a sentence for the person at the terminal.
        """
        try:
            server = cls(home.resolve(), durable=durable)
            try:
                with server._turn.alone():
                    server._users.share()
                    server._enter()
            except BaseException:
                server.close()
                raise
        except PermissionError as problem:
            raise _closed_to_us(problem) from problem
        return server

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the bank's database, password included; not for printing."""
        return self.url_for(DATABASE)

    def url_for(self, database: str) -> str:
        """The SQLAlchemy URL of another database of this server, password included; not for printing."""
        where = {"host": str(self._socket_folder), "port": _PORT}
        url = URL.create("postgresql+psycopg", username=ROLE, password=self._password, database=database, query=where)
        return url.render_as_string(hide_password=False)

    def client_environment(self, database: str = DATABASE) -> dict[str, str]:
        """What to add to the environment of ``binary("pg_dump")`` and its like, so that no password is on show."""
        return {
            "PGHOST": str(self._socket_folder),
            "PGPORT": _PORT,
            "PGUSER": ROLE,
            "PGDATABASE": database,
            "PGPASSFILE": str(self._cluster.password_file),
        }

    def close(self) -> None:
        """Stop using the server, and stop it when nobody else uses it; does nothing in a forked child.

        Raises EmbeddedRefused when the server does not stop.
        """
        if self._closed or os.getpid() != self._process:
            return
        self._closed = True
        try:
            with self._turn.alone():
                if self._users.is_last():
                    self._stop()
        finally:
            self._users.close()
            self._turn.close()

    def __enter__(self) -> EmbeddedPostgres:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _enter(self) -> None:
        self._cluster.make_folders()
        running = self._await_ready()
        if running is None:
            programs = server_programs(self._owner, self.home)
            major = server_major(programs, self._owner)
            self._cluster.make_data(programs, major=major, durable=self._durable)
            self._start(programs)
            running = self._await_ready()
            if running is None:
                raise EmbeddedRefused(f"The database server stopped at once: see {self._cluster.log}.")
        self._password = self._cluster.password()
        self._socket_folder = self._trusted(running)

    def _await_ready(self) -> Path | None:
        """The socket folder of the running server, waiting while it starts or stops; None when there is none."""
        patience_ends = time.monotonic() + _PATIENCE_S
        while (found := find_postmaster(self._cluster.data)) is not None:
            if found.is_ready and found.socket_folder is not None:
                return found.socket_folder
            if time.monotonic() > patience_ends:
                raise EmbeddedRefused(
                    f"The database server (process {found.pid}) has been starting or stopping for {_PATIENCE_S} s: "
                    f"see {self._cluster.log}. 数据库长时间未就绪，请查看日志。"
                )
            time.sleep(0.05)
        return None

    def _start(self, programs: Path) -> None:
        left_behind = clear_stale(self._cluster.data)
        if left_behind is not None:
            self._discard_private(left_behind)
        folder = self._make_socket_folder()
        options = {
            "listen_addresses": "",
            "port": _PORT,
            "unix_socket_directories": str(folder),
            "unix_socket_permissions": "0700",
        }
        if not self._durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        spelled = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in options.items())
        patience_ends = time.monotonic() + _ORPHANS_PATIENCE_S
        while (reason := self._try_start(programs, spelled)) is not None:
            if "shared memory block" not in reason or time.monotonic() > patience_ends:
                self._discard_private(folder)
                raise EmbeddedRefused(f"The database server did not start: {reason}")
            # A killed server's busy servants notice its death when their statement ends.
            time.sleep(0.2)

    def _try_start(self, programs: Path, options: str) -> str | None:
        """Start the server with ``options``; returns None, or why it did not start."""
        log = self._cluster.log / "start.log"
        self._owner.must(["rm", "-f", log])
        done = self._pg_ctl(programs, "start", "-l", log, "-o", options)
        if done.returncode == 0:
            return None
        newest = 'tail -q -n 20 "$(ls -t "$1"/postgresql-*.log | head -n 1)" "$1/start.log"'
        said = self._owner.run(["/bin/sh", "-c", newest, "sh", self._cluster.log]).stdout
        fatal = [line.partition("FATAL:")[2].strip() for line in said.splitlines() if "FATAL:" in line]
        return f"{fatal[-1]} (see {self._cluster.log})" if fatal else f"see {self._cluster.log}"

    def _stop(self) -> None:
        running = find_postmaster(self._cluster.data)
        if running is None:
            return
        done = self._pg_ctl(server_programs(self._owner, self.home), "stop", "-m", "fast")
        if done.returncode != 0:
            raise EmbeddedRefused(
                f"The database server (process {running.pid}) does not stop: see {self._cluster.log}."
            )
        if running.socket_folder is not None:
            self._discard_private(running.socket_folder)

    def _pg_ctl(self, programs: Path, verb: str, *more: str | Path) -> subprocess.CompletedProcess[str]:
        command: list[str | Path] = [programs / "pg_ctl", verb, "-D", self._cluster.data, *more]
        return self._owner.run([*command, "-w", "-s", "-t", str(_PATIENCE_S)])

    def _make_socket_folder(self) -> Path:
        """A folder that only the server's user can enter, with a name that every program takes as it stands."""
        beside = self._cluster.folder / "socket"
        length = len(os.fsencode(beside / _SOCKET))
        # A comma or a colon would read as two addresses; a short private folder has no such name.
        if length <= _LONGEST_SOCKET_PATH and re.fullmatch(r"[A-Za-z0-9/._+-]+", str(beside)):
            # A crashed server's socket lock would be believed while its process number belongs to anybody.
            script = 'mkdir -p "$1" && rm -f "$1/$2" "$1/$2.lock"'
            self._owner.must(["/bin/sh", "-c", script, "sh", beside, _SOCKET])
            return beside
        return Path(self._owner.must(["mktemp", "-d", f"{_PRIVATE_SOCKETS}XXXXXXXXXX"]).strip())

    def _trusted(self, folder: Path) -> Path:
        try:
            found = folder.lstat()
        except FileNotFoundError:
            raise EmbeddedRefused(
                f"The running database server has lost its socket folder {folder}: end every process of this bank, "
                "then start it again. 数据库的套接字目录已丢失，请先结束本系统的所有进程再启动。"
            ) from None
        if found.st_uid != self._owner.uid or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077:
            raise EmbeddedRefused(f"The socket folder {folder} is open to others, so the database is not used.")
        return folder

    def _discard_private(self, folder: Path) -> None:
        if folder.parent == _PRIVATE_SOCKETS.parent and folder.name.startswith(_PRIVATE_SOCKETS.name):
            script = 'rm -f "$1/$2" "$1/$2.lock"; rmdir "$1"'
            self._owner.run(["/bin/sh", "-c", script, "sh", folder, _SOCKET])


def _closed_to_us(problem: PermissionError) -> EmbeddedRefused:
    return EmbeddedRefused(
        f"{problem.filename} belongs to another user of this machine: start the bank as that user, or name another "
        "folder in TIMEBANK_HOME. 文件属于其他用户，请用该用户启动，或更换 TIMEBANK_HOME。"
    )
