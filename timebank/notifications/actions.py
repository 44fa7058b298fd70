"""Writing notices into the outbox and noting how sending them went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.ids import new_id
from timebank.notifications.models import Notice
from timebank.people.login_models import Login

MOST_TRIES = 6


def notify_person(session: Session, *, person_id: UUID, title: str, body: str) -> None:
    """Tell one person; sent over WeChat where they have it, readable in the bank in any case."""
    session.add(_notice(audience="person", person_id=person_id, title=title, body=body))


def notify_stewards(session: Session, *, township_code: str | None, title: str, body: str) -> None:
    """Put a notice before the stewards of a township (None: of the district); there is nothing to send."""
    notice = _notice(audience="stewards", township_code=township_code, title=title, body=body)
    notice.sent_at = notice.written_at
    session.add(notice)


def unsent_notices(session: Session, *, limit: int) -> list[UUID]:
    """Notices whose time to be sent has come."""
    query = select(Notice.id).where(
        Notice.sent_at.is_(None), Notice.given_up_at.is_(None), Notice.next_try_at <= clock.now()
    )
    return list(session.scalars(query.order_by(Notice.next_try_at).limit(limit)))


def take_notice(session: Session, notice_id: UUID) -> tuple[Notice, str | None] | None:
    """Lock a notice whose time to be sent has come and find the openid it goes to.

    None where another process has it, has sent it, or has just failed and put it off.
    """
    notice = session.scalar(
        select(Notice)
        .where(
            Notice.id == notice_id,
            Notice.sent_at.is_(None),
            Notice.given_up_at.is_(None),
            Notice.next_try_at <= clock.now(),
        )
        .with_for_update(skip_locked=True)
    )
    if notice is None:
        return None
    openid = session.scalar(
        select(Login.openid).where(
            Login.person_id == notice.person_id, Login.openid.is_not(None), Login.disabled_at.is_(None)
        )
    )
    return notice, openid


def mark_sent(notice: Notice) -> None:
    """The message went out."""
    notice.sent_at = clock.now()


def mark_failed(notice: Notice, *, error: str, final: bool) -> None:
    """The message did not go out: tried again later with growing pauses, or given up."""
    notice.tries += 1
    notice.last_error = error[:200]
    if final or notice.tries >= MOST_TRIES:
        notice.given_up_at = clock.now()
    else:
        notice.next_try_at = clock.now() + timedelta(minutes=2**notice.tries)


def notices_for(
    session: Session,
    *,
    person_id: UUID | None = None,
    township_code: str | None = None,
    limit: int,
    before: UUID | None = None,
) -> Sequence[Notice]:
    """Notices of a person, or else of the stewards of a township (None: the district's); newest first."""
    if person_id is not None:
        query = select(Notice).where(Notice.person_id == person_id)
    else:
        query = select(Notice).where(Notice.audience == "stewards", Notice.township_code == township_code)
    if before is not None:
        query = query.where(Notice.id < before)
    return session.scalars(query.order_by(Notice.id.desc()).limit(limit)).all()


def _notice(
    *, audience: str, title: str, body: str, person_id: UUID | None = None, township_code: str | None = None
) -> Notice:
    now = clock.now()
    return Notice(
        id=new_id(),
        audience=audience,
        person_id=person_id,
        township_code=township_code,
        title=title,
        body=body,
        written_at=now,
        next_try_at=now,
        tries=0,
    )
