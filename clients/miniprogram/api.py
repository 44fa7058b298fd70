"""The bank's API as a phone uses it: silent login, writes that survive a lost answer, lists page by page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clients.miniprogram.pending import PendingWrite, PendingWrites
from clients.miniprogram.problem import Problem, is_done, is_final, problem_of
from clients.miniprogram.session import Session
from clients.miniprogram.wx import Answer, RequestFailed, Wx

_READ_PAUSES_S = (0.5,)
_WRITE_PAUSES_S = (0.5, 1.0, 2.0)
REGISTER_PATH = "/auth/register"


class OutcomeUnknown(Exception):
    """A write got no final answer; it stays on the phone and is settled later with the same key."""

    def __init__(self, write: PendingWrite, cause: RequestFailed | Problem) -> None:
        super().__init__(f"{write.title}: {cause}")
        self.write = write
        self.cause = cause


@dataclass(frozen=True)
class Settled:
    """What became of a pending write: the bank's ``answer``, or the ``problem`` it refused with."""

    write: PendingWrite
    answer: dict[str, Any] | None
    problem: Problem | None


class Api:
    """The bank at ``base_url`` (scheme and host) for the phone ``wx``; safe to use from many threads."""

    def __init__(self, wx: Wx, base_url: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._wx = wx
        self._base_url = base_url.rstrip("/")
        self._sleep = sleep
        self._session = Session(wx, self._base_url)
        self._pending = PendingWrites(wx, self._base_url)

    def login(self) -> bool:
        """Logs in; whether the person is registered. Raises RequestFailed or Problem."""
        return self._session.login()

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What is at ``path`` (below /api/v1). Raises RequestFailed, or Problem for any refusal."""
        return self._read("GET", path, {name: value for name, value in (query or {}).items() if value is not None})

    def ask(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the bank says to ``body`` where asking changes nothing. Raises as ``get`` does."""
        return self._read("POST", path, body)

    def pages(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[list[dict[str, Any]]]:
        """The pages of a list, to the last. Raises as ``get`` does, and Problem when the list leads in a circle."""
        seen: set[str] = set()
        cursor: str | None = None
        while True:
            page = self.get(path, {**(query or {}), "cursor": cursor})
            yield list(page["items"])
            cursor = page.get("next_cursor")
            if not cursor:
                return
            if cursor in seen:
                raise Problem(200, "cursor_repeated", "服务器给出的清单首尾相接，无法翻完")
            seen.add(cursor)

    def items(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Everything in a list, over all its pages."""
        for page in self.pages(path, query):
            yield from page

    def write(self, path: str, body: dict[str, Any], *, title: str, method: str = "POST") -> dict[str, Any]:
        """Sends ``body`` once, however often it has to be sent; ``title`` is what people call this.

        Raises Problem for a final refusal, OutcomeUnknown when no final answer came, StorageError when the phone
        cannot keep the write (nothing is sent then).
        """
        earlier = self._pending.given_up_like(path, body, method)
        if earlier is not None:
            return self._deliver(earlier, _WRITE_PAUSES_S, in_doubt=True)
        return self._deliver(self._pending.keep(path, body, title, method), _WRITE_PAUSES_S, in_doubt=False)

    def register(self, *, name: str, id_number: str, phone: str, township_code: str) -> dict[str, Any]:
        """Registers the person who is logged in; raises as ``write`` does."""
        body = {"name": name, "id_number": id_number, "phone": phone, "township_code": township_code}
        return self.write(REGISTER_PATH, body, title="登记")

    def pending(self) -> list[PendingWrite]:
        """Writes whose outcome is not known, oldest first."""
        return self._pending.all()

    def settle_pending(self) -> list[Settled]:
        """Sends every pending write once more with its own key; what became of those that got a final answer."""
        settled = []
        for write in self._pending.all():
            try:
                settled.append(Settled(write, self._deliver(write, (), in_doubt=True), None))
            except Problem as problem:
                settled.append(Settled(write, None, problem))
            except OutcomeUnknown as unknown:
                if isinstance(unknown.cause, RequestFailed):
                    break
        return settled

    def _read(self, method: str, path: str, data: Mapping[str, Any]) -> dict[str, Any]:
        for pause_s in (*_READ_PAUSES_S, None):
            try:
                answer = self._exchange(method, path, data, {})
            except RequestFailed:
                if pause_s is None:
                    raise
            else:
                return _body(answer)
            self._sleep(pause_s)
        raise AssertionError("unreachable")

    def _deliver(self, write: PendingWrite, pauses_s: tuple[float, ...], *, in_doubt: bool) -> dict[str, Any]:
        """Sends ``write`` until its outcome is known; ``in_doubt``: an earlier sending may have arrived."""
        cause: RequestFailed | Problem
        about_login = False
        for pause_s in (*pauses_s, None):
            about_login = False
            try:
                answer = self._exchange(write.method, write.path, write.body, {"Idempotency-Key": write.key})
            except RequestFailed as failed:
                cause, in_doubt = failed, True
            except Problem as login_refused:
                cause, about_login = login_refused, True
            else:
                if is_done(answer):
                    return self._succeed(write, answer)
                cause, about_login = problem_of(answer), answer.status_code == 401
                in_doubt = in_doubt or not is_final(answer.status_code)
            if pause_s is None or (isinstance(cause, Problem) and is_final(cause.status)):
                break
            self._sleep(pause_s)
        self._conclude(write, cause, known=not in_doubt if about_login else _settles(cause))
        raise OutcomeUnknown(write, cause)

    def _conclude(self, write: PendingWrite, cause: RequestFailed | Problem, *, known: bool) -> None:
        """Raises ``cause`` when it is the write's outcome; otherwise keeps the write for later.

        A refused login speaks of the login alone: without doubt the write was not done, but an earlier sending
        whose answer was lost may have been.
        """
        if known:
            self._pending.settle(write)
            raise cause
        self._pending.give_up(write)

    def _succeed(self, write: PendingWrite, answer: Answer) -> dict[str, Any]:
        body = dict(answer.data)
        if write.path == REGISTER_PATH:
            # The old token still says "not registered".
            token = body.get("access_token")
            if token:
                self._session.keep(str(token))
            else:
                self._session.forget()
        self._pending.settle(write)
        return body

    def _exchange(self, method: str, path: str, data: Mapping[str, Any], header: Mapping[str, str]) -> Answer:
        """One exchange; a 401 is met with one silent login and the request again, never with a second."""
        token = self._session.token()
        answer = self._send(method, path, data, header, token)
        if answer.status_code != 401:
            return answer
        self._session.renew(stale=token)
        return self._send(method, path, data, header, self._session.token())

    def _send(self, method: str, path: str, data: Mapping[str, Any], header: Mapping[str, str], token: str) -> Answer:
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        return self._wx.request(f"{self._base_url}/api/v1{path}", method, data, {**header, **bearer})


def _settles(cause: RequestFailed | Problem) -> bool:
    return isinstance(cause, Problem) and is_final(cause.status)


def _body(answer: Answer) -> dict[str, Any]:
    if not is_done(answer):
        raise problem_of(answer)
    return dict(answer.data)
