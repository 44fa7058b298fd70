"""The four calls of WeChat's server side that the bank uses, answered as WeChat answers them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from clients.fake_wechat.state import ApiError, State

Query = dict[str, str]
Body = dict[str, Any]
Route = Callable[[State, Query, Body], Body]

# Longest value of each kind of template field, in characters.
FIELD_LIMITS = {"thing": 20, "name": 10, "phrase": 5, "character_string": 32}


def code_to_session(state: State, query: Query, _body: Body) -> Body:
    """GET /sns/jscode2session: a login code for openid and session_key; success carries no errcode."""
    _check_credentials(state, query.get("appid"), query.get("secret"))
    if query.get("grant_type") != "authorization_code":
        raise ApiError(40002, "invalid grant_type")
    if not query.get("js_code"):
        raise ApiError(41008, "missing code")
    facts = state.spend_code(query["js_code"], "openid")
    answer = {"openid": facts["openid"], "session_key": secrets.token_urlsafe(18)}
    if "unionid" in facts:
        answer["unionid"] = facts["unionid"]
    return answer


def stable_token(state: State, _query: Query, body: Body) -> Body:
    """POST /cgi-bin/stable_token: the access token in force; success carries no errcode."""
    if body.get("grant_type") != "client_credential":
        raise ApiError(40002, "invalid grant_type")
    _check_credentials(state, body.get("appid"), body.get("secret"))
    token, expires_in = state.stable_token(force_refresh=body.get("force_refresh") is True)
    return {"access_token": token, "expires_in": expires_in}


def phone_number(state: State, query: Query, body: Body) -> Body:
    """POST /wxa/business/getuserphonenumber: the button's own code for a number; success carries errcode 0."""
    state.check_token(query.get("access_token"))
    facts = state.spend_code(str(body.get("code", "")), "phone")
    number = facts["phone"]
    info = {"phoneNumber": number, "purePhoneNumber": number, "countryCode": "86"}
    return {"errcode": 0, "errmsg": "ok", "phone_info": info}


def send_message(state: State, query: Query, body: Body) -> Body:
    """POST /cgi-bin/message/subscribe/send: keeps the message when its fields are within WeChat's limits."""
    state.check_token(query.get("access_token"))
    if not body.get("touser"):
        raise ApiError(40003, "invalid openid")
    if not body.get("template_id"):
        raise ApiError(40037, "invalid template_id")
    data = body.get("data")
    if not isinstance(data, dict) or not data:
        raise ApiError(47003, "argument invalid! data is empty")
    for field, entry in data.items():
        _check_field(str(field), entry)
    state.keep_message(body)
    return {"errcode": 0, "errmsg": "ok", "msgid": secrets.randbelow(2**53)}


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/sns/jscode2session"): code_to_session,
    ("POST", "/cgi-bin/stable_token"): stable_token,
    ("POST", "/wxa/business/getuserphonenumber"): phone_number,
    ("POST", "/cgi-bin/message/subscribe/send"): send_message,
}


def _check_credentials(state: State, appid: object, secret: object) -> None:
    if state.appid is not None and appid != state.appid:
        raise ApiError(40013, "invalid appid")
    if state.secret is not None and secret != state.secret:
        raise ApiError(40125, "invalid appsecret")


def _check_field(field: str, entry: object) -> None:
    value = entry.get("value") if isinstance(entry, dict) else None
    limit = FIELD_LIMITS.get(field.rstrip("0123456789"))
    if not isinstance(value, str) or not value or (limit is not None and len(value) > limit):
        raise ApiError(47003, f"argument invalid! data.{field}.value invalid")
