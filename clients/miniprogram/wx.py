"""Stands in for wx.* on a phone, with the semantics that WeChat documents and that a program must live with.

``request`` succeeds for any HTTP status and fails only when no answer came; ten requests run at once and the
eleventh waits; a phone that goes to the background has its unfinished requests interrupted, outcome unknown.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import urllib3

from clients.miniprogram.storage import Storage

REQUESTS_AT_ONCE = 10
REQUEST_TIMEOUT_S = 60.0
BACKGROUND_GRACE_S = 5.0


class RequestFailed(Exception):
    """No answer came; ``err_msg`` is ``request:fail``, ``request:fail timeout`` or ``request:fail interrupted``.

    The request may have been carried out or not.
    """

    def __init__(self, err_msg: str) -> None:
        super().__init__(err_msg)
        self.err_msg = err_msg


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of any status; ``data`` is parsed JSON, or the text where it is no JSON."""

    status_code: int
    data: Any
    header: Mapping[str, str]


@dataclass(frozen=True)
class _Order:
    url: str
    method: str
    body: bytes | None
    header: dict[str, str]
    timeout_s: float


class _Flight:
    """One request on its way; the first ending it meets is its only one."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._ending: Answer | str = "request:fail"

    def end(self, ending: Answer | str) -> None:
        with self._lock:
            if not self._over.is_set():
                self._ending = ending
                self._over.set()
                self.started.set()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def outcome(self, timeout_s: float) -> Answer:
        self.started.wait()
        if not self._over.wait(timeout_s):
            self.end("request:fail timeout")
        if isinstance(self._ending, str):
            raise RequestFailed(self._ending)
        return self._ending


class Wx:
    """One phone's wx object.

    ``code_source`` gives a fresh login code; ``background_grace_s`` is how long, in seconds, requests may still
    run after the phone went to the background.
    """

    def __init__(
        self, *, code_source: Callable[[], str], storage: Storage, background_grace_s: float = BACKGROUND_GRACE_S
    ) -> None:
        self._code_source = code_source
        self._storage = storage
        self._grace_s = background_grace_s
        self._slots = threading.Semaphore(REQUESTS_AT_ONCE)
        self._lock = threading.Lock()
        self._flights: set[_Flight] = set()
        self._asleep = False
        self._falling_asleep: threading.Timer | None = None
        self._pool = urllib3.PoolManager(maxsize=REQUESTS_AT_ONCE, retries=False)

    def login(self) -> str:
        """A login code, good for five minutes and one use."""
        return self._code_source()

    def request(
        self,
        url: str,
        method: str = "GET",
        data: Any = None,
        header: Mapping[str, str] | None = None,
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> Answer:
        """The answer, whatever its status; ``data`` is the query of a GET and the JSON body of anything else.

        ``timeout_s`` counts from when the request leaves, not from when it starts to wait for its turn.
        Raises RequestFailed when no answer came.
        """
        order = _order(url, method.upper(), data, header or {}, timeout_s)
        flight = _Flight()
        with self._lock:
            if self._asleep:
                raise RequestFailed("request:fail interrupted")
            self._flights.add(flight)
        try:
            threading.Thread(target=self._fly, args=(flight, order), daemon=True).start()
            return flight.outcome(timeout_s)
        finally:
            with self._lock:
                self._flights.discard(flight)

    def enter_background(self) -> None:
        """The person looks at something else: after the grace, requests are interrupted until the return."""
        with self._lock:
            if self._falling_asleep is None:
                self._falling_asleep = threading.Timer(self._grace_s, self._fall_asleep)
                self._falling_asleep.daemon = True
                self._falling_asleep.start()

    def enter_foreground(self) -> None:
        """The person is back: requests work again."""
        with self._lock:
            if self._falling_asleep is not None:
                self._falling_asleep.cancel()
            self._falling_asleep = None
            self._asleep = False

    def set_storage_sync(self, key: str, data: Any) -> None:
        """Keeps ``data`` under ``key``. Raises StorageError beyond 1 MB a key or 10 MB in all."""
        self._storage.set(key, data)

    def get_storage_sync(self, key: str) -> Any:
        """What is kept under ``key``; the empty string when there is nothing, as in WeChat."""
        found = self._storage.get(key)
        return "" if found is None else found

    def remove_storage_sync(self, key: str) -> None:
        """Forgets ``key``."""
        self._storage.remove(key)

    def get_storage_info_sync(self) -> dict[str, Any]:
        """``keys``, ``currentSize`` and ``limitSize`` (KB)."""
        return self._storage.info()

    def _fall_asleep(self) -> None:
        with self._lock:
            # A cancelled timer may already be past its wait; the phone is awake then and stays so.
            if self._falling_asleep is not threading.current_thread():
                return
            self._asleep = True
            flights = list(self._flights)
        for flight in flights:
            flight.end("request:fail interrupted")

    def _fly(self, flight: _Flight, order: _Order) -> None:
        with self._slots:
            if flight.is_over:
                return
            flight.started.set()
            try:
                flight.end(self._exchange(order))
            finally:
                flight.end("request:fail")

    def _exchange(self, order: _Order) -> Answer | str:
        try:
            answer = self._pool.request(
                order.method,
                order.url,
                body=order.body,
                headers=order.header,
                timeout=urllib3.Timeout(total=order.timeout_s),
                redirect=False,
            )
        except urllib3.exceptions.NewConnectionError:
            # A refused connection, which urllib3 counts among the timeouts.
            return "request:fail"
        except urllib3.exceptions.TimeoutError:
            return "request:fail timeout"
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            return "request:fail"
        return Answer(answer.status, _parsed(answer.data), answer.headers)


def _order(url: str, method: str, data: Any, header: Mapping[str, str], timeout_s: float) -> _Order:
    headers = {"content-type": "application/json"} | {name.lower(): value for name, value in header.items()}
    if method == "GET":
        query = urlencode(data or {})
        return _Order(f"{url}?{query}" if query else url, method, None, headers, timeout_s)
    body = None if data is None else json.dumps(data, ensure_ascii=False).encode()
    return _Order(url, method, body, headers, timeout_s)


def _parsed(raw: bytes) -> Any:
    text = raw.decode("utf-8", errors="replace")
    try:
        return json.loads(text)
    except ValueError:
        return text
