"""Browsers that were signed in long ago, and tickets into them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories.people import XIWU, add_elder
from timebank.core.db import Database
from timebank.people.actions import issue_web_ticket, open_web_session
from timebank.people.login_models import WebSession, WebTicket

Look = Callable[[Session], object]


def signed_in_long_ago(bank: Database) -> Look:
    """One session whose time was over a month ago, and one of today."""
    with bank.unit_of_work() as session:
        login_id = add_elder(session, XIWU).login_id
        assert login_id is not None
        old = open_web_session(session, login_id=login_id, lifetime=timedelta(hours=12))
        old.opened_at, old.expires_at = (at - timedelta(days=30) for at in (old.opened_at, old.expires_at))
        open_web_session(session, login_id=login_id, lifetime=timedelta(hours=12))
    return lambda session: session.scalar(select(func.count()).select_from(WebSession))


def opened_long_ago(bank: Database) -> Look:
    """One ticket whose time was over a month ago, and one of now."""
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        issue_web_ticket(session, actor=elder)
        old = session.scalars(select(WebTicket)).one()
        old.issued_at, old.expires_at = (at - timedelta(days=30) for at in (old.issued_at, old.expires_at))
        issue_web_ticket(session, actor=elder)
    return lambda session: session.scalar(select(func.count()).select_from(WebTicket))
