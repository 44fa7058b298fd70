"""Bearer tokens: JWT, HS256, two hours. They name a login; what the login may do is looked up at every request."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

import jwt

from timebank.core import clock
from timebank.core.crypto import keyring

LIFETIME = timedelta(hours=2)
_ALGORITHM = "HS256"


def issue_token(login_id: UUID, issued_at: datetime | None = None) -> str:
    """A token for a login, by the machine's clock: moving the bank's clock signs nobody out.

    The same login and the same moment make the same token, so a kept answer need not keep it.
    """
    issued_at = issued_at or clock.machine_now()
    claims = {"sub": str(login_id), "iat": issued_at, "exp": issued_at + LIFETIME}
    return jwt.encode(claims, _key(), algorithm=_ALGORITHM)


def read_token(token: str) -> UUID | None:
    """The login that a token names; None where it is forged, broken or over."""
    try:
        login_id, over_at = _verified(token, _key())
    except (jwt.InvalidTokenError, ValueError):
        return None
    return login_id if clock.machine_now().timestamp() < over_at else None


@lru_cache(maxsize=4096)
def _verified(token: str, key: bytes) -> tuple[UUID, int]:
    """Whom a token names, and when it is over, in seconds of the epoch; a signature is checked once, not at every call.

    Raises what ``jwt.decode`` raises, and ValueError; neither is kept.
    """
    claims = jwt.decode(token, key, algorithms=[_ALGORITHM], options={"require": ["sub", "exp", "iat"]})
    return UUID(claims["sub"]), int(claims["exp"])


def _key() -> bytes:
    return keyring().derive("sign tokens", 32)
