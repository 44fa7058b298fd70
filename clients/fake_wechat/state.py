"""What the fake WeChat knows: codes, access tokens, scripted faults and the messages sent."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CODE_LIFETIME_S = 300.0
TOKEN_LIFETIME_S = 7200.0
TOKEN_OVERLAP_S = 300.0
DEMO_PREFIX = "demo:"


def openid_of(name: str) -> str:
    """The openid of the demo person ``name``: 28 characters, the same for ever."""
    digest = hashlib.sha256(f"fake-wechat openid {name}".encode()).digest()
    return "o" + base64.urlsafe_b64encode(digest).decode()[:27]


def phone_of(name: str) -> str:
    """The mobile number of the demo person ``name``: 11 digits, the same for ever."""
    digest = hashlib.sha256(f"fake-wechat phone {name}".encode()).digest()
    return f"199{int.from_bytes(digest[:8], 'big') % 10**8:08d}"


@dataclass(frozen=True)
class Fault:
    """One scripted answer for ``path`` (any path when None).

    ``delay_s`` waits first; then ``drop`` cuts the connection, ``status`` answers that HTTP status, ``raw`` answers
    that body, ``errcode`` answers that error; with a delay alone the ordinary answer follows late.
    """

    path: str | None = None
    delay_s: float = 0.0
    drop: bool = False
    status: int | None = None
    raw: str | None = None
    errcode: int | None = None


class ApiError(Exception):
    """WeChat's way to say no: an errcode in a body of status 200."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(f"{errcode} {errmsg}")
        self.errcode = errcode
        self.errmsg = errmsg


@dataclass
class _Code:
    facts: dict[str, str]
    expires_at: float
    used: bool = False


class State:
    """Everything the server remembers; safe to use from many threads. ``now`` answers seconds on a rising clock."""

    def __init__(
        self, *, appid: str | None = None, secret: str | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.appid = appid
        self.secret = secret
        self.stopping = threading.Event()
        self._now = now
        self._lock = threading.Lock()
        self._codes: dict[str, _Code] = {}
        self._token: tuple[str, float] | None = None
        self._token_ends: dict[str, float] = {}
        self._faults: list[Fault] = []
        self._messages: list[dict[str, Any]] = []
        self._calls: list[str] = []

    def mint_code(self, facts: dict[str, str], *, lifetime_s: float = CODE_LIFETIME_S) -> str:
        """A new single-use code for a login (facts ``openid``, ``unionid``) or a number (fact ``phone``)."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._codes[code] = _Code(dict(facts), self._now() + lifetime_s)
        return code

    def spend_code(self, code: str, fact: str) -> dict[str, str]:
        """The facts behind ``code``, once. Raises ApiError 40029 (unknown, old, other kind), 40163 (used before)."""
        if code.startswith(DEMO_PREFIX) and len(code) > len(DEMO_PREFIX):
            name = code.removeprefix(DEMO_PREFIX)
            return {"openid": openid_of(name), "phone": phone_of(name)}
        with self._lock:
            found = self._codes.get(code)
            if found is None or fact not in found.facts or self._now() >= found.expires_at:
                raise ApiError(40029, "invalid code")
            if found.used:
                raise ApiError(40163, "code been used")
            found.used = True
            return dict(found.facts)

    def stable_token(self, *, force_refresh: bool = False) -> tuple[str, int]:
        """The access token in force and the whole seconds it has left; a new one only near the old one's end."""
        with self._lock:
            now = self._now()
            if force_refresh or self._token is None or self._token[1] - now <= TOKEN_OVERLAP_S:
                value = secrets.token_urlsafe(48)
                if self._token is not None and not force_refresh:
                    self._token_ends[self._token[0]] = now + TOKEN_OVERLAP_S
                self._token = (value, now + TOKEN_LIFETIME_S)
                self._token_ends[value] = now + TOKEN_LIFETIME_S
            return self._token[0], int(self._token[1] - now)

    def check_token(self, token: str | None) -> None:
        """Raises ApiError 41001 (missing), 40001 (unknown) or 42001 (expired)."""
        if not token:
            raise ApiError(41001, "access_token missing")
        with self._lock:
            ends = self._token_ends.get(token)
            if ends is None:
                raise ApiError(40001, "invalid credential, access_token is invalid or not latest")
            if self._now() >= ends:
                raise ApiError(42001, "access_token expired")

    def expire_tokens(self) -> None:
        """Ends every token given out so far, as WeChat may do at any moment."""
        with self._lock:
            self._token = None
            self._token_ends = dict.fromkeys(self._token_ends, self._now())

    def script(self, faults: list[Fault]) -> None:
        """Adds faults, used up one by one in this order by the requests they fit."""
        with self._lock:
            self._faults.extend(faults)

    def next_fault(self, path: str) -> Fault | None:
        """Takes the first scripted fault that fits ``path``."""
        with self._lock:
            for place, fault in enumerate(self._faults):
                if fault.path in (None, path):
                    return self._faults.pop(place)
        return None

    def note_call(self, path: str) -> None:
        """Counts a request, for tests that ask how often WeChat was called."""
        with self._lock:
            self._calls.append(path)

    def calls(self) -> list[str]:
        """The paths called so far, in order."""
        with self._lock:
            return list(self._calls)

    def keep_message(self, message: dict[str, Any]) -> None:
        """Keeps a subscribe message that was accepted."""
        with self._lock:
            self._messages.append(message)

    def messages(self) -> list[dict[str, Any]]:
        """The subscribe messages accepted so far, in order."""
        with self._lock:
            return list(self._messages)
