"""Servers and the crowd at their door: processes that serve, and client processes with many connections each."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO

from scripts.bench.scene import SECRET

_CHECKOUT = Path(__file__).resolve().parents[2]
_PATIENCE_S = 120.0
_HEAD_START_S = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request, ready to be sent as it is; ``key`` says which it was."""

    key: str
    sent: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request was answered, and when, in seconds of the machine's monotonic clock."""

    key: str
    status: int
    body: bytes
    begin: float
    end: float

    @property
    def said(self) -> str:
        """The id of the order, or the code of the refusal."""
        found = json.loads(self.body)
        return str(found["order_id"] if self.status == 201 else found["code"])


@contextmanager
def serving(command: Sequence[str], port: int, log: Path, settings: Mapping[str, str] | None = None) -> Iterator[int]:
    """A server in a process of its own while the block runs, once it is ready; its port.

    Raises RuntimeError with what it printed where it does not start.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TIMEBANK_")}
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=_CHECKOUT,
            env=clean | dict(settings or {}),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(process, port, log)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def serving_bank(folder: Path, url: str, *, workers: int) -> Iterator[int]:
    """The bank of this database, served as ``timebank serve`` does it while the block runs; its port.

    Its settings are those of production, with a WeChat that nobody calls.
    """
    port = free_port()
    settings = {
        "TIMEBANK_HOME": str(folder / "bank"),
        "TIMEBANK_ENV": "production",
        "TIMEBANK_DATABASE_URL": url,
        "TIMEBANK_PORT": str(port),
        "TIMEBANK_SECRET_KEY": SECRET,
        "TIMEBANK_WECHAT_BASE_URL": "http://127.0.0.1:9",
        "TIMEBANK_WECHAT_APPID": "wx-bench",
        "TIMEBANK_WECHAT_SECRET": "not a secret",
    }
    command = ["app.cli.main", "serve", "--workers", str(workers), "--no-jobs"]
    with serving(command, port, folder / "bank.log", settings):
        yield port


@contextmanager
def serving_bare(folder: Path, *, answer_bytes: int, workers: int) -> Iterator[int]:
    """A server that answers so many bytes without doing anything, set up alike, while the block runs; its port."""
    port = free_port()
    with serving(["scripts.bench.bare", str(port), str(answer_bytes), str(workers)], port, folder / "bare.log"):
        yield port


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def order_request(port: int, token: str, key: str, body: bytes) -> Request:
    """An order as a phone sends it."""
    head = (
        f"POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return Request(key, head.encode() + body)


def rushing(port: int, requests: Sequence[Request], *, clients: int, connections: int) -> list[Reply]:
    """Send everything over so many connections of so many client processes, all from the same moment on.

    Each connection sends its next request as soon as it has its answer. Raises what stopped a client.
    """
    shares = [requests[number::clients] for number in range(clients)]
    with ProcessPoolExecutor(clients, mp_context=get_context("spawn")) as processes:
        list(processes.map(_warm, range(clients)))
        begin = time.monotonic() + _HEAD_START_S
        under_way = [processes.submit(_send, port, share, connections // clients, begin) for share in shares]
        return [reply for one in under_way for reply in one.result()]


def _warm(_number: int) -> None:
    """Wait a moment, so that every process has something to start for."""
    time.sleep(_HEAD_START_S / 10)


def _send(port: int, requests: Sequence[Request], connections: int, begin: float) -> list[Reply]:
    waiting = deque(requests)
    with ThreadPoolExecutor(connections) as threads:
        crowd = [threads.submit(_one_connection, port, waiting, begin) for _ in range(connections)]
        return [reply for one in crowd for reply in one.result()]


def _one_connection(port: int, waiting: deque[Request], begin: float) -> list[Reply]:
    replies: list[Reply] = []
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S) as line, line.makefile("rb") as answers:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        time.sleep(max(0.0, begin - time.monotonic()))
        while True:
            try:
                request = waiting.popleft()
            except IndexError:
                return replies
            sent_at = time.monotonic()
            line.sendall(request.sent)
            status, body = _read(answers)
            replies.append(Reply(request.key, status, body, sent_at, time.monotonic()))


def _read(answers: BinaryIO) -> tuple[int, bytes]:
    status, length = int(answers.readline().split()[1]), 0
    while (line := answers.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return status, answers.read(length)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    ends = time.monotonic() + _PATIENCE_S
    while not _ready(port):
        if process.poll() is not None or time.monotonic() > ends:
            raise RuntimeError(f"the server does not start: {log.read_text()}")
        time.sleep(0.1)


def _ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
