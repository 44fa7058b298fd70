"""Bearer tokens: JWT, HS256, two hours. They name a login; what the login may do is looked up at every request."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import jwt

from timebank.core import clock
from timebank.core.crypto import keyring

LIFETIME = timedelta(hours=2)
_ALGORITHM = "HS256"


def issue_token(login_id: UUID) -> str:
    """A token for a login, by the machine's clock: moving the bank's clock signs nobody out."""
    now = clock.machine_now()
    claims = {"sub": str(login_id), "iat": now, "exp": now + LIFETIME}
    return jwt.encode(claims, _key(), algorithm=_ALGORITHM)


def read_token(token: str) -> UUID | None:
    """The login that a token names; None where it is forged, broken or over."""
    try:
        claims = jwt.decode(token, _key(), algorithms=[_ALGORITHM], options={"require": ["sub", "exp", "iat"]})
        return UUID(claims["sub"])
    except (jwt.InvalidTokenError, ValueError):
        return None


def _key() -> bytes:
    return keyring().derive("sign tokens", 32)
