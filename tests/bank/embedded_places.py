"""Places and processes for the tests of the embedded PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from timebank.core.embedded import EmbeddedPostgres
from timebank.core.embedded.postmaster import Postmaster, find_postmaster

CHECKOUT = Path(__file__).parents[2]

# A bank in another process: says when it is up, does what it is told a line at a time, closes at the end of input.
_OTHER_BANK = """
import os, signal, sys
from pathlib import Path
from timebank.core.embedded import EmbeddedPostgres

# Whoever runs the suite in the background hands an ignored SIGINT down.
signal.signal(signal.SIGINT, signal.default_int_handler)

def fork_a_child_that_closes():
    child = os.fork()
    if child == 0:
        server.close()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def fork_a_child_that_stays():
    child = os.fork()
    if child == 0:
        signal.pause()
    return child

def wait_for_ctrl_c():
    try:
        print("waiting", flush=True)
        while True:
            signal.pause()
    except KeyboardInterrupt:
        return "interrupted"

server = EmbeddedPostgres.start(Path(sys.argv[1]), durable=False)
print("up", flush=True)
for line in sys.stdin:
    print(eval(line), flush=True)
server.close()
print("closed", flush=True)
"""


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A new folder that every user can enter; pytest's own tmp_path is closed to the server's user for root."""
    folder = Path(tempfile.mkdtemp(prefix="timebank-embedded-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class OtherBank:
    """A process of its own that uses the embedded server of ``home``."""

    def __init__(self, home: Path) -> None:
        command = [sys.executable, "-c", _OTHER_BANK, str(home)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT, start_new_session=True
        )
        assert self.line() == "up"

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def tell(self, order: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()
        return self.line()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.line() == "closed"
        assert self.process.wait() == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def other_bank(home: Path) -> Iterator[OtherBank]:
    bank = OtherBank(home)
    with bank.process:
        try:
            yield bank
        finally:
            if bank.process.poll() is None:
                bank.process.kill()


def postmaster_of(home: Path) -> Postmaster | None:
    return find_postmaster(home / "postgres" / "data")


def connect(server: EmbeddedPostgres, database: str = "timebank", **other: str | None) -> psycopg.Connection:
    """A plain connection to the server, with parts of its URL replaced by ``other``."""
    url = make_url(server.url_for(database))
    parts = {"user": url.username, "password": url.password, "dbname": url.database, **url.query, **other}
    return psycopg.connect(**{name: value for name, value in parts.items() if value is not None}, autocommit=True)


def ask(server: EmbeddedPostgres, question: str) -> object:
    """The first value that the bank's database answers."""
    with connect(server) as connection:
        row = connection.execute(question).fetchone()
        return None if row is None else row[0]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


am_root = os.geteuid() == 0
