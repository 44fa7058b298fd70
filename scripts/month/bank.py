"""A running bank and how the month speaks to it: operations by their name over HTTP, commands, and the clock."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import urllib3

from app.jobs.job import BATCH

_TIMEBANK = [sys.executable, "-m", "app.cli.main"]
_CHECKOUT = Path(__file__).parents[2]
_PATIENCE_S = 90
_SPARE_S = 20 * 60
"""No day of the month takes longer than this."""
AT_ONCE = 8
"""Requests on their way at the same moment."""


class Unexpected(Exception):
    """The bank refused what the month relies on, or a command failed."""


class MonthBank:
    """``timebank serve`` in a process of its own, without jobs: the month runs them when their time has come."""

    def __init__(self, home: Path, *, workers: int) -> None:
        self.home, self.port = home, _free_port()
        self._log = home.parent / "serve.log"
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("TIMEBANK_")}
        self._environment |= {"TIMEBANK_HOME": str(home), "TIMEBANK_PORT": str(self.port)}
        with self._log.open("a") as out:
            self._process = subprocess.Popen(
                [*_TIMEBANK, "serve", "--workers", str(workers), "--no-jobs"],
                env=self._environment,
                cwd=_CHECKOUT,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                process_group=0,
            )
        self._http = urllib3.PoolManager(maxsize=AT_ONCE, block=True, timeout=120.0, retries=False)
        self._tokens: dict[str, str] = {"": ""}
        self._until: dict[str, float] = {}
        self.requests, self._counting = 0, Lock()
        self._wait()
        self._operations = self._read_operations()

    def call(self, operation_id: str, who: str, body: Any = None, *, file: bytes | None = None, **given: Any) -> Any:
        """One operation as the login ``who``; path values by name, everything else is the query.

        Raises Unexpected where the bank refuses.
        """
        status, answer = self.try_call(operation_id, who, body, file=file, **given)
        if status >= 400:
            raise Unexpected(f"{operation_id} as {who}: {status} {answer}")
        return answer

    def try_call(
        self, operation_id: str, who: str, body: Any = None, *, file: bytes | None = None, **given: Any
    ) -> tuple[int, Any]:
        """The status and the answer, whatever they are."""
        method, path, wants_key = self._operations[operation_id]
        for name in [name for name in given if f"{{{name}}}" in path]:
            path = path.replace(f"{{{name}}}", quote(str(given.pop(name)), safe=""))
        headers = {"Authorization": f"Bearer {self._tokens[who]}"} if who else {}
        if wants_key:
            headers["Idempotency-Key"] = str(uuid4())
        sent: bytes | None = file
        if body is not None:
            headers["Content-Type"], sent = "application/json", json.dumps(body).encode()
        elif file is not None:
            headers["Content-Type"] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        url = f"http://127.0.0.1:{self.port}{path}"
        if given:
            url += "?" + "&".join(f"{name}={quote(str(value), safe='')}" for name, value in given.items())
        answer = self._http.request(method, url, body=sent, headers=headers)
        with self._counting:
            self.requests += 1
        is_json = "json" in answer.headers.get("Content-Type", "")
        return answer.status, answer.json() if is_json and answer.data else answer.data

    def all_of(self, operation_id: str, who: str, **given: Any) -> list[dict[str, Any]]:
        """Everything in a list, page by page."""
        items: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self.call(operation_id, who, **given, **({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items

    def many(self, calls: list[tuple[str, str, Any, dict[str, Any]]]) -> list[tuple[int, Any]]:
        """Many calls, several on their way at once; the answers in order."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return list(threads.map(lambda c: self.try_call(c[0], c[1], c[2], **c[3]), calls))

    def sign_in(self, username: str, password: str) -> None:
        """Sign a member of staff in, unless the last token holds for a good while yet, on the machine's clock."""
        if not self._holds(username):
            answer = self.call("auth.staff_login", "", {"username": username, "password": password})
            self.take_token(username, answer)

    def sign_in_person(self, name: str) -> None:
        """Log the holder of NAME's WeChat in, unless the last token holds for a good while yet."""
        if not self._holds(name):
            self.take_token(name, self.call("auth.wechat_login", "", {"code": f"demo:{name}"}))

    def take_token(self, who: str, answer: dict[str, Any]) -> None:
        """Go on as ``who`` with the token of this answer."""
        self._tokens[who] = answer["access_token"]
        self._until[who] = time.monotonic() + int(answer["expires_in"])

    def _holds(self, who: str) -> bool:
        return self._until.get(who, 0.0) - time.monotonic() > _SPARE_S

    def set_clock(self, moment: datetime) -> None:
        """Move the bank's clock forward."""
        self.call("dev.set_clock", "", {"now": moment.isoformat()})

    def command(self, *words: str, stdin: str = "") -> str:
        """Run a command of the bank; what it printed. Raises Unexpected where it fails."""
        done = subprocess.run(
            [*_TIMEBANK, *words],
            env=self._environment,
            cwd=_CHECKOUT,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Unexpected(f"timebank {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def job(self, name: str) -> None:
        """Run one job until it finds less than it looks for at once."""
        while True:
            said = self.command("run-job", name)
            done = re.search("完成 ([0-9]+) 项", said)
            if done is None or int(done[1]) < BATCH:
                return

    def close(self) -> None:
        """Stop the bank and its database."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(_PATIENCE_S)

    def _wait(self) -> None:
        ends = time.monotonic() + _PATIENCE_S
        while True:
            try:
                if self._http.request("GET", f"http://127.0.0.1:{self.port}/readyz").status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                pass
            if self._process.poll() is not None or time.monotonic() > ends:
                raise Unexpected(f"the bank does not start: {self._log.read_text()}")
            time.sleep(0.1)

    def _read_operations(self) -> dict[str, tuple[str, str, bool]]:
        described = self._http.request("GET", f"http://127.0.0.1:{self.port}/openapi.json").json()
        found = {}
        for path, methods in described["paths"].items():
            for method, one in methods.items():
                if "operationId" in one:
                    wants_key = any(p.get("name") == "Idempotency-Key" for p in one.get("parameters", []))
                    found[one["operationId"]] = (method.upper(), path, wants_key)
        return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
