"""Browsers that are signed in: opened, ended one by one or all at once, forgotten when they are long over.

By the machine's clock, as tokens are: moving the bank's clock signs nobody out.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.ids import new_id
from timebank.people.actions.web_tickets import void_web_tickets
from timebank.people.login_models import WebSession

KEPT_FOR = timedelta(days=7)
"""How long one is kept after its time, for whoever looks into what happened."""


def open_web_session(session: Session, *, login_id: UUID, lifetime: timedelta) -> WebSession:
    """A new session of a login that has just shown who it is."""
    now = clock.machine_now()
    opened = WebSession(id=new_id(), login_id=login_id, opened_at=now, expires_at=now + lifetime)
    session.add(opened)
    session.flush()
    return opened


def end_web_session(session: Session, *, session_id: UUID) -> None:
    """Sign one browser out; a copy of its cookie is worth nothing from now on."""
    session.execute(
        update(WebSession)
        .where(WebSession.id == session_id, WebSession.ended_at.is_(None))
        .values(ended_at=clock.machine_now())
    )


def end_all_web_sessions(session: Session, *, login_id: UUID) -> int:
    """Sign a login out of every browser, one that is about to come in among them; answers how many there were."""
    void_web_tickets(session, login_id=login_id)
    ended = session.scalars(
        update(WebSession)
        .where(WebSession.login_id == login_id, WebSession.ended_at.is_(None))
        .values(ended_at=clock.machine_now())
        .returning(WebSession.id)
    )
    return len(ended.all())


def forget_old_web_sessions(session: Session, *, limit: int) -> int:
    """Remove sessions that were over ``KEPT_FOR`` ago; answers how many."""
    old = select(WebSession.id).where(WebSession.expires_at < clock.machine_now() - KEPT_FOR)
    some = old.limit(limit).with_for_update(skip_locked=True).scalar_subquery()
    gone = session.scalars(delete(WebSession).where(WebSession.id.in_(some)).returning(WebSession.id))
    return len(gone.all())
