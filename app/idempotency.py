"""Idempotency-Key: the same key with the same body is answered as it was the first time.

The kept reply lies in the same transaction as the effect. A refusal is kept too, with its effects undone by a
savepoint, so that a phone that lost the answer hears the same one again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from flask import json, request
from sqlalchemy.orm import Session

from app.problems import problem_of
from timebank.core.actors import Actor
from timebank.core.crypto import keyring
from timebank.core.errors import BankError, Refused
from timebank.core.replies import claim_key, keep_reply

KeyRule = Literal["required", "optional"]
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: the operation, on which path, with which body."""

    operation: str
    path: str
    sent: Any


Outcome = tuple[int, Any, bool]
"""Status, body, and whether it was kept from an earlier time."""


def read_key(rule: KeyRule) -> str | None:
    """The request's key. Raises Refused ``idempotency_key_missing``, ``idempotency_key_invalid``."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key:
        if rule == "required":
            raise Refused("idempotency_key_missing", "缺少 Idempotency-Key 请求头")
        return None
    if len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Refused("idempotency_key_invalid", f"Idempotency-Key 须为不超过{LONGEST_KEY}个可见字符")
    return key


def once(session: Session, actor: Actor, key: str, asked: Asked, deed: Callable[[], tuple[int, Any]]) -> Outcome:
    """Do ``deed`` under ``key``, or answer what it was answered before. Raises Refused ``idempotency_key_reused``."""
    assert actor.login_id is not None
    kept = claim_key(
        session, login_id=actor.login_id, key=key, operation=asked.operation, request_hash=_fingerprint(asked)
    )
    if kept is not None:
        return kept.status or 500, kept.body, True
    refused = False
    try:
        with session.begin_nested():
            status, body = deed()
        if isinstance(body, BankError):
            raise body
    except BankError as refusal:
        body, refused = problem_of(refusal), True
        status = body["status"]
    # What is kept is what is sent: plain JSON, with ids and times already as text.
    body = json.loads(json.dumps(body))
    keep_reply(session, login_id=actor.login_id, key=key, status=status, body=body, refused=refused)
    return status, body, False


def _fingerprint(asked: Asked) -> bytes:
    """What makes two requests the same: the operation, its path and its body, key order and blanks aside."""
    canonical = json.dumps([asked.operation, asked.path, asked.sent], sort_keys=True)
    # Keyed: a plain digest would let whoever holds a copy of the database guess at what was sent.
    return keyring().blind_index(canonical)
