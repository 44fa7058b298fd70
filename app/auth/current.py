"""The current actor: who the request's bearer token stands for."""

from __future__ import annotations

import structlog
from flask import g, request
from sqlalchemy.orm import Session

from app.auth.tokens import read_token
from timebank.core.actors import Actor
from timebank.core.errors import NotAllowed
from timebank.people.queries import actor_of


def current_actor(session: Session) -> Actor:
    """The actor of this request. Raises NotAllowed ``not_signed_in``."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    login_id = read_token(token.strip()) if scheme.lower() == "bearer" else None
    actor = actor_of(session, login_id) if login_id is not None else None
    if actor is None:
        raise NotAllowed("not_signed_in", "请先登录")
    g.login_id = actor.login_id
    structlog.contextvars.bind_contextvars(login_id=str(actor.login_id))
    return actor
