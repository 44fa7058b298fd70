"""One database session a request; it ends with the application context."""

from __future__ import annotations

from flask import Flask, current_app, g
from sqlalchemy.orm import Session

from timebank.core.db import Database


def database() -> Database:
    """The bank's database of the running application."""
    found: Database = current_app.extensions["timebank_database"]
    return found


def request_session() -> Session:
    """The session of this request, made when first asked for."""
    if "session" not in g:
        g.session = database().session()
    session: Session = g.session
    return session


def register_session(app: Flask) -> None:
    """Close the session when the application context ends."""

    @app.teardown_appcontext
    def close(_error: BaseException | None) -> None:
        session = g.pop("session", None)
        if session is not None:
            session.close()
