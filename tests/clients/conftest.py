"""A scripted bank on loopback: answers, cuts the line after having done its work, or keeps people waiting."""

from __future__ import annotations

import json
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from clients.miniprogram.api import Api
from clients.miniprogram.phone import phone
from clients.miniprogram.storage import Storage
from clients.miniprogram.wx import Wx
from tests.clients.shown import BALANCE, TOWNSHIPS, TYPES, Phone


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    body: Any
    header: dict[str, str]

    @property
    def key(self) -> str | None:
        return self.header.get("idempotency-key")


@dataclass(frozen=True)
class Reply:
    """An answer; ``cut`` closes the line without one."""

    status: int = 200
    body: Any = field(default_factory=dict)
    header: dict[str, str] = field(default_factory=dict)
    cut: bool = False


Step = Reply | Callable[[Request], Reply]


class ScriptedBank(ThreadingHTTPServer):
    """Answers each path with its steps in order, the last one for ever."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._steps: dict[tuple[str, str], list[Step]] = defaultdict(list)

    def on(self, method: str, path: str, *steps: Step) -> None:
        self._steps[method, f"/api/v1{path}"] = list(steps)

    def reply_to(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            steps = self._steps[request.method, request.path]
            step = steps.pop(0) if len(steps) > 1 else steps[0] if steps else self.problem(404, "not_found", "没有")
        return step if isinstance(step, Reply) else step(request)

    @staticmethod
    def reply(status: int = 200, body: Any = None, **header: str) -> Reply:
        return Reply(status, {} if body is None else body, header)

    @staticmethod
    def cut() -> Reply:
        return Reply(cut=True)

    @staticmethod
    def problem(status: int, code: str, title: str, **facts: Any) -> Reply:
        return Reply(status, {"type": "about:blank", "status": status, "code": code, "title": title, **facts})

    @staticmethod
    def logged_in(token: str = "t1", registered: bool = True) -> Reply:
        return Reply(200, {"access_token": token, "expires_in": 7200, "registered": registered})

    def asked(self, method: str, path: str) -> list[Request]:
        return [r for r in self.requests if (r.method, r.path) == (method, f"/api/v1{path}")]


class _Exchange(BaseHTTPRequestHandler):
    server: ScriptedBank

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _serve(self) -> None:
        url = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        header = {name.lower(): value for name, value in self.headers.items()}
        body = json.loads(raw) if raw else None
        reply = self.server.reply_to(Request(self.command, url.path, dict(parse_qsl(url.query)), body, header))
        if reply.cut:
            return
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        try:
            self.send_response(reply.status)
            for name, value in reply.header.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            pass


@pytest.fixture
def bank() -> Iterator[ScriptedBank]:
    server = ScriptedBank()
    server.on("POST", "/auth/wechat-login", server.logged_in())
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "phone" / "storage.json")


@pytest.fixture
def wx(storage: Storage) -> Wx:
    return Wx(code_source=lambda: "demo:wang", storage=storage)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def api(wx: Wx, bank: ScriptedBank, pauses: list[float]) -> Api:
    return Api(wx, bank.url, sleep=pauses.append)


@pytest.fixture
def dial(bank: ScriptedBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Phone:
    monkeypatch.setattr("clients.miniprogram.api._WRITE_PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr("clients.miniprogram.api._READ_PAUSES_S", ())
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TIMEBANK_HOME", str(tmp_path))
    monkeypatch.setenv("TIMEBANK_PHONE_SERVER", bank.url)
    monkeypatch.delenv("TIMEBANK_PHONE", raising=False)

    def run(*words: str, answers: str | None = None) -> Result:
        result = CliRunner().invoke(phone, list(words), input=answers)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        assert result.exit_code in (0, 1), result.output
        # An address is taken over whole, and so not broken.
        lines = [line for line in result.output.splitlines() if not line.startswith("http")]
        assert all(cell_len(line) <= int(os.environ["COLUMNS"]) for line in lines)
        return result

    for path, listed in (("/townships", TOWNSHIPS), ("/service-types", TYPES)):
        bank.on("GET", path, bank.reply(200, {"items": listed, "next_cursor": None}))
    bank.on("GET", "/me/balance", bank.reply(200, BALANCE))
    return run


@pytest.fixture
def of_wang(dial: Phone) -> Phone:
    dial("login", "wang")
    return dial
