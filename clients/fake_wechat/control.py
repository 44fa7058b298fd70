"""Control endpoints under /__fake__/: what a test sets up beforehand and looks at afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clients.fake_wechat.state import CODE_LIFETIME_S, Fault, State

Route = Callable[[State, Any], Any]


def mint_code(state: State, body: Any) -> Any:
    """POST codes ``{openid, unionid?}`` or ``{phone}``, ``lifetime_s?`` → ``{code}``, single-use."""
    facts = {name: str(body[name]) for name in ("openid", "unionid", "phone") if body.get(name)}
    if "openid" not in facts and "phone" not in facts:
        raise ValueError("openid or phone is needed")
    return {"code": state.mint_code(facts, lifetime_s=float(body.get("lifetime_s", CODE_LIFETIME_S)))}


def script_faults(state: State, body: Any) -> Any:
    """POST faults: a list of ``{path?, delay_s?, drop?, status?, raw?, errcode?}`` for the next answers."""
    faults = [Fault(**entry) for entry in body]
    state.script(faults)
    return {"scripted": len(faults)}


def expire_tokens(state: State, _body: Any) -> Any:
    """POST tokens/expire: every access token given out so far is over."""
    state.expire_tokens()
    return {}


def messages(state: State, _body: Any) -> Any:
    """GET messages: the subscribe messages accepted so far."""
    return {"items": state.messages()}


def calls(state: State, _body: Any) -> Any:
    """GET calls: the paths called so far."""
    return {"items": state.calls()}


ROUTES: dict[tuple[str, str], Route] = {
    ("POST", "/__fake__/codes"): mint_code,
    ("POST", "/__fake__/faults"): script_faults,
    ("POST", "/__fake__/tokens/expire"): expire_tokens,
    ("GET", "/__fake__/messages"): messages,
    ("GET", "/__fake__/calls"): calls,
}
