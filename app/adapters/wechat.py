"""WeChat's server side: who logged in, their number, and messages to them, and what it may answer instead.

Login codes and phone codes work once, so a request that may have reached WeChat is sent again only when WeChat
itself says that it was too busy (-1). The session_key is dropped where the answer is read and goes no further.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import urllib3

_PAUSES_S = (0.2, 0.6)
_TOKEN_MARGIN_S = 60.0
_TOKEN_REFUSED = (40001, 42001)
_BUSY = -1


class WeChatError(Exception):
    """Root of WeChat's refusals and failures; ``errcode`` is WeChat's number where it gave one."""

    def __init__(self, what: str, errcode: int | None = None) -> None:
        super().__init__(what if errcode is None else f"{what} (errcode {errcode})")
        self.errcode = errcode


class WeChatCodeInvalid(WeChatError):
    """The login or phone code is unknown, over five minutes old or used before."""


class WeChatTooOften(WeChatError):
    """This user has asked more than WeChat allows in a minute."""


class WeChatBlocked(WeChatError):
    """WeChat holds this user for a risk and lets nobody log in as them."""


class WeChatRefusedByUser(WeChatError):
    """The user has not subscribed to this kind of message."""


class WeChatBadMessage(WeChatError):
    """A field of the message is missing or longer than WeChat takes."""


class WeChatUnavailable(WeChatError):
    """No usable answer: busy, silent, unreachable, broken, or an error that nobody here knows."""


_REFUSALS: dict[int, tuple[type[WeChatError], str]] = {
    40029: (WeChatCodeInvalid, "the code is not valid"),
    40163: (WeChatCodeInvalid, "the code has been used"),
    45011: (WeChatTooOften, "too many calls for this user"),
    40226: (WeChatBlocked, "this user is blocked"),
    43101: (WeChatRefusedByUser, "the user does not take this message"),
    47003: (WeChatBadMessage, "a field of the message is not valid"),
}


@dataclass(frozen=True)
class WeChatSession:
    """Who logged in: the person's id in this app, and across the apps of one owner where WeChat gives it."""

    openid: str
    unionid: str | None


@dataclass(frozen=True)
class _Token:
    value: str
    fresh_until: float


class _QueryHidden(logging.Filter):
    """Cuts the query off the URLs that urllib3 logs: secret, code and access token travel in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(a.partition("?")[0] if isinstance(a, str) else a for a in record.args)
        return True


_query_hidden = _QueryHidden()


class WeChat:
    """A line to WeChat at ``base_url`` for one app; safe to share between threads.

    ``timeout_s`` bounds one request, in seconds; ``sleep`` waits between tries when WeChat is busy;
    ``now`` answers seconds on a rising clock, for the token's age.
    """

    def __init__(
        self,
        base_url: str,
        appid: str,
        secret: str,
        *,
        timeout_s: float = 5.0,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._appid = appid
        self._secret = secret
        self._sleep = sleep
        self._now = now
        self._token: _Token | None = None
        self._token_lock = threading.Lock()
        self._pool = urllib3.PoolManager(maxsize=10, timeout=urllib3.Timeout(total=timeout_s), retries=False)
        logging.getLogger("urllib3.connectionpool").addFilter(_query_hidden)

    def __repr__(self) -> str:
        return f"WeChat({self._base_url!r}, appid={self._appid!r})"

    def session_of(self, code: str) -> WeChatSession:
        """Who stands behind the login ``code``.

        Raises WeChatCodeInvalid, WeChatTooOften, WeChatBlocked or WeChatUnavailable.
        """
        query = {"appid": self._appid, "secret": self._secret, "js_code": code, "grant_type": "authorization_code"}
        answer = self._call("GET", "/sns/jscode2session", query)
        unionid = answer.get("unionid")
        return WeChatSession(_text(answer, "openid"), unionid if isinstance(unionid, str) and unionid else None)

    def phone_number(self, code: str) -> str:
        """The mobile number, without country code, behind the phone button's own ``code``.

        Raises WeChatCodeInvalid or WeChatUnavailable.
        """
        answer = self._call_with_token("/wxa/business/getuserphonenumber", {"code": code})
        info = answer.get("phone_info")
        return _text(info if isinstance(info, dict) else {}, "purePhoneNumber")

    def send_subscribe_message(self, openid: str, template_id: str, page: str | None, data: Mapping[str, str]) -> None:
        """Sends one subscribe message; ``data`` maps the template's fields to texts.

        Raises WeChatRefusedByUser, WeChatBadMessage or WeChatUnavailable.
        """
        fields = {field: {"value": value} for field, value in data.items()}
        body: dict[str, Any] = {"touser": openid, "template_id": template_id, "data": fields}
        if page:
            body["page"] = page
        self._call_with_token("/cgi-bin/message/subscribe/send", body)

    def _call_with_token(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        token = self._access_token()
        try:
            return self._call("POST", path, {"access_token": token}, body)
        except WeChatUnavailable as refused:
            if refused.errcode not in _TOKEN_REFUSED:
                raise
        # WeChat ends tokens early when it likes; the call itself was not done, so it may go again with a new one.
        self._forget_token(token)
        return self._call("POST", path, {"access_token": self._access_token()}, body)

    def _access_token(self) -> str:
        with self._token_lock:
            if self._token is None or self._now() >= self._token.fresh_until:
                asked_at = self._now()
                body = {"grant_type": "client_credential", "appid": self._appid, "secret": self._secret}
                answer = self._call("POST", "/cgi-bin/stable_token", {}, body)
                lasts_s = answer.get("expires_in")
                if not isinstance(lasts_s, int):
                    raise WeChatUnavailable("WeChat's answer lacks expires_in")
                # A short-lived token is used for half its life, not thrown away at once.
                fresh_until = asked_at + max(lasts_s - _TOKEN_MARGIN_S, lasts_s / 2)
                self._token = _Token(_text(answer, "access_token"), fresh_until)
            return self._token.value

    def _forget_token(self, value: str) -> None:
        with self._token_lock:
            if self._token is not None and self._token.value == value:
                self._token = None

    def _call(
        self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        for pause_s in (*_PAUSES_S, None):
            answer = self._exchange(method, path, query, body)
            errcode = answer.get("errcode", 0)
            if errcode == 0:
                return answer
            if errcode != _BUSY or pause_s is None:
                break
            self._sleep(pause_s)
        refusal, what = _REFUSALS.get(errcode, (WeChatUnavailable, "WeChat cannot serve this call"))
        raise refusal(what, errcode)

    def _exchange(
        self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        url = f"{self._base_url}{path}" + (f"?{urlencode(query)}" if query else "")
        payload = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {} if payload is None else {"Content-Type": "application/json"}
        trouble = None
        try:
            answer = self._pool.request(method, url, body=payload, headers=headers, redirect=False)
        except urllib3.exceptions.NewConnectionError:
            # urllib3 counts a refused connection among the timeouts; to whoever reads the log it is none.
            trouble = "WeChat could not be reached"
        except urllib3.exceptions.TimeoutError:
            trouble = "WeChat did not answer in time"
        except urllib3.exceptions.HTTPError:
            trouble = "WeChat could not be reached"
        if trouble is not None:
            # Raised out here so that no chained exception carries the URL, and with it the secret, into a log.
            raise WeChatUnavailable(trouble)
        if answer.status != 200:
            raise WeChatUnavailable(f"WeChat answered HTTP {answer.status}")
        return _parsed(answer.data)


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(raw)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("errcode", 0), int):
        # Raised out here for the same reason: a decoding error quotes the answer it choked on.
        raise WeChatUnavailable("WeChat's answer is not the JSON it should be")
    return answer


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise WeChatUnavailable(f"WeChat's answer lacks {name}")
    return value
