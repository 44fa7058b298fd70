"""The HTTP side of the fake WeChat: one thread a request, on the loopback interface only."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from clients.fake_wechat import answers, control
from clients.fake_wechat.state import ApiError, Fault, State


class FakeWeChat:
    """A fake WeChat that runs in threads of this process; use as a context manager or with start and stop.

    ``appid`` and ``secret`` are checked when given. Raises OSError when ``port`` is taken.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        appid: str | None = None,
        secret: str | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = State(appid=appid, secret=secret, now=now)
        self._server = _Server(("127.0.0.1", port), _Exchange)
        self._server.state = self.state
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> FakeWeChat:
        """Begins to answer; returns itself."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stops answering and frees the port."""
        self.state.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> FakeWeChat:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    state: State


class _Exchange(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the request line carries the app's secret."""

    def _serve(self, method: str) -> None:
        url = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        state = self.server.state
        if url.path.startswith("/__fake__/"):
            self._control(method, url.path, raw)
            return
        state.note_call(url.path)
        fault = state.next_fault(url.path)
        if fault is not None and self._stumble(fault):
            return
        route = answers.ROUTES.get((method, url.path))
        if route is None:
            self._answer({"errcode": 43002 if _known(url.path) else 40066, "errmsg": "invalid url or method"})
            return
        try:
            body = json.loads(raw) if raw else {}
            self._answer(route(state, dict(parse_qsl(url.query)), body if isinstance(body, dict) else {}))
        except ApiError as refusal:
            self._answer({"errcode": refusal.errcode, "errmsg": refusal.errmsg})
        except ValueError:
            self._answer({"errcode": 47001, "errmsg": "data format error"})

    def _stumble(self, fault: Fault) -> bool:
        """Acts out ``fault``; False when the ordinary answer is still to come."""
        if fault.delay_s and self.server.state.stopping.wait(fault.delay_s):
            return True
        if fault.drop:
            return True
        if fault.status is not None:
            self._answer(fault.raw or "", status=fault.status)
        elif fault.raw is not None:
            self._answer(fault.raw)
        elif fault.errcode is not None:
            self._answer({"errcode": fault.errcode, "errmsg": "scripted"})
        else:
            return False
        return True

    def _control(self, method: str, path: str, raw: bytes) -> None:
        route = control.ROUTES.get((method, path))
        if route is None:
            self._answer({"error": "no such control"}, status=HTTPStatus.NOT_FOUND)
            return
        try:
            self._answer(route(self.server.state, json.loads(raw) if raw else {}))
        except (ValueError, TypeError, AttributeError) as wrong:
            self._answer({"error": str(wrong)}, status=HTTPStatus.BAD_REQUEST)

    def _answer(self, content: Any, *, status: int = HTTPStatus.OK) -> None:
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        body = text.encode()
        try:
            self.send_response(status)
            # WeChat labels its JSON as plain text on some calls, so nobody may rely on the label.
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


def _known(path: str) -> bool:
    return any(known == path for _, known in answers.ROUTES)
