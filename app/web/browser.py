"""The browser that asks: whom it is signed in as, the token of its forms, and what it is to be told once.

Its cookie holds a signed session id, nothing else that is worth reading; the session itself lies in the database, so
signing out ends it wherever the cookie was copied to.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from uuid import UUID

from flask import Flask, Request, session
from flask.sessions import NullSession, SecureCookieSession, SecureCookieSessionInterface
from sqlalchemy.orm import Session

from timebank.core.actors import Actor
from timebank.core.crypto import keyring
from timebank.people.actions import end_all_web_sessions, end_web_session, open_web_session, spend_web_ticket
from timebank.people.queries import actor_of, login_of_web_session

STAFF_LIFETIME = timedelta(hours=12)
PERSON_LIFETIME = timedelta(days=30)
"""Staff sign in for a day's work at a shared desk; a phone is one person's own."""

_SESSION, _FORMS, _TOLD = "session", "forms", "told"


class PagesOnly(SecureCookieSessionInterface):
    """Cookies are for pages; what is asked under ``/api/`` comes with a token, and a cookie beside it says nothing."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The browser's session; one that nothing can be written into where no page is asked for."""
        return NullSession() if request.path.startswith("/api/") else super().open_session(app, request)


def register_browser(app: Flask, *, development: bool) -> None:
    """Sign cookies with a key of the bank's own; over plain HTTP only in development."""
    app.secret_key = keyring().derive("sign browser cookies", 32)
    app.session_interface = PagesOnly()
    app.config.update(
        SESSION_COOKIE_NAME="timebank",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=not development,
        PERMANENT_SESSION_LIFETIME=PERSON_LIFETIME,
    )


def who_asks(database: Session) -> Actor | None:
    """The actor whom this browser is signed in as; None where it is not, or not any more."""
    try:
        session_id = UUID(str(session.get(_SESSION)))
    except ValueError:
        return None
    login_id = login_of_web_session(database, session_id)
    return actor_of(database, login_id) if login_id is not None else None


def sign_in(database: Session, login_id: UUID, lifetime: timedelta) -> None:
    """Sign this browser in; what was in its cookie before is gone."""
    opened = open_web_session(database, login_id=login_id, lifetime=lifetime)
    session.clear()
    session.permanent = True
    session[_SESSION] = str(opened.id)


def sign_in_by_ticket(database: Session, actor: Actor, ticket: str, lifetime: timedelta) -> Actor | None:
    """Sign this browser in as whose ticket it is; one that is so already goes on with the session it has.

    Raises NotAllowed ``web_ticket_spent``; Conflict ``web_ticket_of_another``.
    """
    login_id = spend_web_ticket(database, ticket=ticket, signed_in_as=actor.login_id)
    if login_id != actor.login_id:
        sign_in(database, login_id, lifetime)
    return actor_of(database, login_id)


def sign_out(database: Session, actor: Actor, *, everywhere: bool) -> None:
    """Sign this browser out, or every browser of this login."""
    if everywhere and actor.login_id is not None:
        end_all_web_sessions(database, login_id=actor.login_id)
    else:
        end_web_session(database, session_id=UUID(str(session[_SESSION])))
    session.clear()


def form_token() -> str:
    """What every form of this browser carries, and no other site can know."""
    if _FORMS not in session:
        session[_FORMS] = secrets.token_urlsafe(24)
    return str(session[_FORMS])


def is_own_form(token: str) -> bool:
    """Whether a form was made for this browser."""
    return _FORMS in session and hmac.compare_digest(str(session[_FORMS]).encode(), token.encode())


def tell(words: str) -> None:
    """Something to be shown once, at the top of the next page."""
    session[_TOLD] = [*session.get(_TOLD, []), words][-3:]


def told() -> list[str]:
    """What is to be shown now; it is not shown again."""
    return [str(words) for words in session.pop(_TOLD, [])]
