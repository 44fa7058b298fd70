"""The current actor: who the request's bearer token stands for."""

from __future__ import annotations

from uuid import UUID

import structlog
from flask import request
from sqlalchemy.orm import Session

from app.auth.tokens import read_token
from timebank.core.actors import Actor
from timebank.core.errors import BankError, NotAllowed
from timebank.people.queries import actor_of


def signed_in_login() -> UUID:
    """The login that the request's token names; asks no database. Raises NotAllowed ``not_signed_in``."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    login_id = read_token(token.strip()) if scheme.lower() == "bearer" else None
    if login_id is None:
        raise not_signed_in()
    return login_id


def current_actor(session: Session, login_id: UUID) -> Actor:
    """Who stands behind the login now. Raises NotAllowed ``not_signed_in`` where it is gone or closed."""
    actor = actor_of(session, login_id)
    if actor is None:
        raise not_signed_in()
    known_as(actor)
    return actor


def known_as(actor: Actor) -> None:
    """Let the log's lines say which login this request is of."""
    structlog.contextvars.bind_contextvars(login_id=str(actor.login_id))


def not_signed_in() -> BankError:
    """The refusal for a token that names nobody who may come in."""
    return NotAllowed("not_signed_in", "请先登录")
