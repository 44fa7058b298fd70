"""The line to the bank, as a counter uses it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import urllib3

from clients.counter.journal import Kept
from clients.miniprogram.problem import Problem, is_done, problem_of
from clients.miniprogram.wx import Answer

TIMEOUT_S = 10.0
MOST_AT_ONCE = 1000
"""Scans in one batch; the bank takes no more."""
_PAGE = 100


class LineDown(Exception):
    """No answer came; what was asked may have been done or not."""


class Line:
    """The bank at ``server`` for one clerk; ``token`` is empty before ``log_in``."""

    def __init__(self, server: str, token: str = "") -> None:
        self._server = server.rstrip("/")
        self.token = token
        self._pool = urllib3.PoolManager(retries=False)

    def log_in(self, username: str, password: str) -> None:
        """Raises LineDown, or Problem for a wrong password."""
        answer = self._ask("POST", "/auth/staff-login", {"username": username, "password": password})
        self.token = str(answer["access_token"])

    def bundle(self, since: int) -> Mapping[str, Any]:
        """One page of what a counter downloads. Raises LineDown or Problem."""
        return self._ask("GET", f"/offline/bundle?{urlencode({'since': since})}")

    def redeem(self, text: str, nonce: str, scanned_at: str) -> dict[str, Any]:
        """One scan, answered at once. Raises LineDown or Problem."""
        return self._ask("POST", "/vouchers/redeem", {"code": text, "nonce": nonce, "scanned_at": scanned_at})

    def send(self, scans: Sequence[Kept]) -> list[dict[str, Any]]:
        """Scans made without a line, one final answer each, in order. Raises LineDown or Problem."""
        body = [
            {"code": scan.text, "nonce": scan.nonce, "scanned_at": scan.scanned_at, "offline": True} for scan in scans
        ]
        results = self._ask("POST", "/vouchers/redeem-batch", {"scans": body}).get("results")
        if not isinstance(results, list) or len(results) != len(scans):
            raise LineDown("the answer does not fit the batch")
        return results

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """What is at ``path`` (below /api/v1). Raises LineDown or Problem."""
        wanted = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", f"{path}?{urlencode(wanted)}" if wanted else path)

    def items(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Everything in a list, over all its pages. Raises LineDown or Problem."""
        cursor: str | None = None
        while True:
            page = self.get(path, **query, limit=_PAGE, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def post(self, path: str, body: Mapping[str, Any] | None, *, key: str | None = None) -> dict[str, Any]:
        """Ask for something to be done; the same ``key`` again is done once. Raises LineDown or Problem."""
        return self._ask("POST", path, body, key)

    def _ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> dict[str, Any]:
        headers = {
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {self.token}"} if self.token else {}),
            **({"Idempotency-Key": key} if key else {}),
        }
        try:
            raw = self._pool.request(
                method,
                f"{self._server}/api/v1{path}",
                body=None if body is None else json.dumps(body).encode(),
                headers=headers,
                timeout=urllib3.Timeout(total=TIMEOUT_S),
                redirect=False,
            )
            data = json.loads(raw.data)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as failure:
            raise LineDown(str(failure)) from failure
        answer = Answer(raw.status, data, raw.headers)
        if raw.status >= 500:
            raise LineDown(f"status {raw.status}")
        if not is_done(answer):
            raise problem_of(answer)
        return dict(answer.data)


def is_login_over(problem: Problem) -> bool:
    """Whether the clerk has to log in again."""
    return problem.status == 401
