"""The phone's login: one access token in storage, renewed by one silent login however many ask at once."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from clients.miniprogram.problem import problem_of
from clients.miniprogram.wx import Answer, Wx

_TOKEN_KEY = "access_token"


class Session:
    """Holds the access token for the bank at ``base_url``."""

    def __init__(self, wx: Wx, base_url: str) -> None:
        self._wx = wx
        self._base_url = base_url
        self._lock = threading.Lock()
        self._login: Future[bool] | None = None

    def token(self) -> str:
        """The access token, or the empty string."""
        kept = self._wx.get_storage_sync(_TOKEN_KEY)
        # A token is only ever shown to the bank that gave it.
        return str(kept["token"]) if kept and kept["base_url"] == self._base_url else ""

    def keep(self, token: str) -> None:
        """Keeps a token that the bank gave."""
        self._wx.set_storage_sync(_TOKEN_KEY, {"base_url": self._base_url, "token": token})

    def forget(self) -> None:
        """Drops the token; the next request logs in again."""
        self._wx.remove_storage_sync(_TOKEN_KEY)

    def renew(self, stale: str) -> None:
        """Replaces the token ``stale``; who comes while a login is on its way shares its outcome.

        Raises RequestFailed when no answer came and Problem when the bank refused.
        """
        with self._lock:
            login = self._login
            if login is None:
                if self.token() not in ("", stale):
                    return
                login = self._login = Future()
                mine = True
            else:
                mine = False
        if mine:
            self._carry_out(login)
        login.result()

    def login(self) -> bool:
        """Logs in anew; whether the person is registered. Raises RequestFailed or Problem."""
        code = self._wx.login()
        url = f"{self._base_url}/api/v1/auth/wechat-login"
        answer: Answer = self._wx.request(url, "POST", {"code": code})
        body = answer.data
        if answer.status_code != 200 or not isinstance(body, dict) or not body.get("access_token"):
            raise problem_of(answer)
        self.keep(str(body["access_token"]))
        return bool(body.get("registered"))

    def _carry_out(self, login: Future[bool]) -> None:
        try:
            registered = self.login()
        except BaseException as trouble:
            self._clear()
            login.set_exception(trouble)
        else:
            self._clear()
            login.set_result(registered)

    def _clear(self) -> None:
        with self._lock:
            self._login = None
