"""A real ``timebank serve`` in a process of its own, and people and staff who use it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode

from timebank.core.ids import new_id

CHECKOUT = Path(__file__).parents[2]
TIMEBANK = [sys.executable, "-m", "app.cli.main"]
PASSWORD = "timebank-demo"
PATIENCE_S = 120
PRODUCTION = {
    "TIMEBANK_ENV": "production",
    "TIMEBANK_SECRET_KEY": "ab3f9c5e71d2846ab3f9c5e71d2846aa",
    "TIMEBANK_WECHAT_BASE_URL": "http://127.0.0.1:9",
    "TIMEBANK_WECHAT_APPID": "wx-test",
    "TIMEBANK_WECHAT_SECRET": "not a secret",
}


@contextmanager
def reachable_home() -> Iterator[Path]:
    """A data folder that the database's user can reach; pytest's own tmp_path is closed to it for root."""
    folder = Path(tempfile.mkdtemp(prefix="timebank-story-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder / "home"
    finally:
        shutil.rmtree(folder)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether anybody listens on this port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def environment(home: Path | None = None, **more: str) -> dict[str, str]:
    """The environment of a command: none of the caller's own settings, and those given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TIMEBANK_")}
    return clean | ({} if home is None else {"TIMEBANK_HOME": str(home)}) | more


def timebank(home: Path | None, *words: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end; standard output and error apart."""
    return subprocess.run(
        [*TIMEBANK, *words],
        env=environment(home, **more),
        cwd=CHECKOUT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


class Answer(dict[str, Any]):
    """A JSON answer with its status."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(body)
        self.status = status


class RunningBank:
    """A bank that serves on a port of its own."""

    def __init__(
        self, home: Path, *options: str, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self.home, self.port, self.settings = home, port or free_port(), dict(settings or {})
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home.parent / f"serve-{self.port}.log"
        with self.log.open("a") as out:
            self.process = subprocess.Popen(
                [*TIMEBANK, "serve", *options],
                # What a killed server leaves behind goes with its folder.
                env=environment(home, TIMEBANK_PORT=str(self.port), TMPDIR=str(home.parent), **self.settings),
                cwd=CHECKOUT,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                # A group of its own, as a shell gives to what it starts.
                process_group=0,
            )

    def wait_until(self, path: str = "/readyz", status: int = 200) -> None:
        """Wait until ``path`` answers ``status``; fail when the server ends or takes too long."""
        self.wait_for(lambda: self.status_of(path) == status, f"{status} from {path}")

    def wait_for(self, met: Callable[[], bool], what: str) -> None:
        """Wait until ``met``; fail when the server ends or takes too long."""
        ends = time.monotonic() + PATIENCE_S
        while not met():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < ends, f"waited for {what}; {self.said()}"
            time.sleep(0.1)

    def status_of(self, path: str) -> int | None:
        """The status that ``path`` answers, None where nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return int(answer.status)
        except HTTPError as refused:
            refused.close()
            return refused.code
        except (URLError, OSError):
            return None

    def text_of(self, path: str) -> str:
        """What ``path`` answers."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return str(answer.read().decode())

    def said(self) -> str:
        """Everything the server and what belongs to it printed."""
        return self.log.read_text()

    def family(self) -> set[int]:
        """The process numbers of everything started by this server that is alive, the database's server included."""
        pids = {self.process.pid} | _descendants(self.process.pid)
        found = self.home / "postgres" / "data" / "postmaster.pid"
        return pids | ({int(found.read_text().split()[0])} if found.exists() else set())

    def stop(self, sign: signal.Signals = signal.SIGINT, *, group: bool = False) -> int:
        """Send the signal, to the whole group as a terminal does where asked, and wait for the end; the exit status."""
        (os.killpg if group else os.kill)(self.process.pid, sign)
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        """Whatever happened in the test: nothing of this bank stays alive."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def call(self, method: str, path: str, body: Any = None, *, token: str = "", key: str | None = None) -> Answer:
        """One call of the API; every POST carries an idempotency key of its own unless one is given."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        if method == "POST":
            headers["Idempotency-Key"] = key or str(new_id())
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, json.load(answer))
        except HTTPError as refused:
            with refused:
                return Answer(refused.code, json.load(refused))

    def get(self, path: str, token: str, **query: object) -> Answer:
        """A list or a thing."""
        return self.call("GET", path + (f"?{urlencode(query)}" if query else ""), token=token)

    def staff(self, username: str) -> str:
        """The token of a demo member of staff."""
        body = {"username": username, "password": PASSWORD}
        return str(self.call("POST", "/auth/staff-login", body)["access_token"])

    def person(self, name: str) -> str:
        """The token of whoever holds NAME's WeChat."""
        return str(self.call("POST", "/auth/wechat-login", {"code": f"demo:{name}"})["access_token"])

    def set_clock(self, moment: str) -> None:
        """Move the bank's development clock."""
        assert self.call("POST", "/dev/clock", {"now": moment}).status == 200

    def phone(self, name: str, *words: str, columns: int = 80, good: bool = True) -> str:
        """What the phone of NAME shows; fails when the command does not end as expected."""
        more = {"TIMEBANK_PHONE_SERVER": self.url, "TIMEBANK_PHONE": name, "COLUMNS": str(columns)}
        done = timebank(self.home.parent / "phones", "phone", *words, **more)
        assert (done.returncode == 0) is good, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout


def words_of(screen: str) -> str:
    """The text of a screen without its frame, one line for each line."""
    return "\n".join(line for one in screen.splitlines() if (line := re.sub("[━─-╿]", " ", one).strip()))


def _descendants(pid: int) -> set[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(after_name[1])
    found = {pid}
    while new := {child for child, parent in parents.items() if parent in found} - found:
        found |= new
    return found - {pid}


def alive(pid: int) -> bool:
    """Whether the process is there and not merely waiting to be noted as dead."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def all_gone(pids: set[int]) -> bool:
    """Whether these processes end, in good time."""
    ends = time.monotonic() + PATIENCE_S
    while any(map(alive, pids)):
        if time.monotonic() > ends:
            return False
        time.sleep(0.1)
    return True
