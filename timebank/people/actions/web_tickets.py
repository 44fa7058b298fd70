"""Tickets 进门票: how a phone that is signed in at the mini-program comes into its web view without a second sign-in.

Random, kept as a digest, good once and for a minute. By the machine's clock, as sessions are.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import BankError, Conflict, NotAllowed
from timebank.people.login_models import Login, WebTicket

LIFETIME = timedelta(seconds=60)
"""A web view is opened in the same moment; a minute is for a slow network."""
KEPT_FOR = timedelta(days=7)
"""How long one is kept after its time, for whoever looks into what happened."""

_BYTES = 32


@dataclass(frozen=True, slots=True)
class IssuedTicket:
    """A ticket as it is handed out, this once."""

    ticket: str
    expires_at: datetime


def issue_web_ticket(session: Session, *, actor: Actor) -> IssuedTicket:
    """A ticket for the asker's own login. Raises NotAllowed ``web_ticket_for_phones`` for staff."""
    if actor.login_id is None or actor.staff_role is not None:
        raise NotAllowed("web_ticket_for_phones", "只有小程序可以这样进入网页，工作人员请在网页上登录")
    ticket, now = secrets.token_urlsafe(_BYTES), clock.machine_now()
    kept = WebTicket(digest=_digest(ticket), login_id=actor.login_id, issued_at=now, expires_at=now + LIFETIME)
    session.add(kept)
    session.flush()
    return IssuedTicket(ticket, kept.expires_at)


def spend_web_ticket(session: Session, *, ticket: str, signed_in_as: UUID | None) -> UUID:
    """The login whose ticket this is; of several at once only one has it. The login may be closed by now.

    Raises NotAllowed ``web_ticket_spent`` for a ticket that is used, too old or nobody's, which of them is not said;
    Conflict ``web_ticket_of_another`` where the browser is signed in as somebody else: the ticket is good still, and
    nobody is changed into another without having signed out.
    """
    found = session.execute(
        update(WebTicket)
        .where(
            WebTicket.digest == _digest(ticket),
            WebTicket.spent_at.is_(None),
            WebTicket.expires_at > clock.machine_now(),
        )
        .values(spent_at=clock.machine_now())
        .returning(WebTicket.login_id)
    ).scalar_one_or_none()
    open_still = select(Login.id).where(Login.id == found, Login.disabled_at.is_(None))
    if found is None or session.scalar(open_still) is None:
        raise _spent()
    if signed_in_as not in (None, found):
        raise Conflict("web_ticket_of_another", "这台手机的网页上登录着另一个人，请先退出，再从小程序打开一次")
    return found


def void_web_tickets(session: Session, *, login_id: UUID) -> None:
    """Nobody comes in with what this login was handed out before."""
    session.execute(
        update(WebTicket)
        .where(WebTicket.login_id == login_id, WebTicket.spent_at.is_(None))
        .values(spent_at=clock.machine_now())
    )


def forget_old_web_tickets(session: Session, *, limit: int) -> int:
    """Remove tickets that were over ``KEPT_FOR`` ago; answers how many."""
    old = select(WebTicket.digest).where(WebTicket.expires_at < clock.machine_now() - KEPT_FOR)
    some = old.limit(limit).with_for_update(skip_locked=True).scalar_subquery()
    gone = session.scalars(delete(WebTicket).where(WebTicket.digest.in_(some)).returning(WebTicket.digest))
    return len(gone.all())


def _spent() -> BankError:
    return NotAllowed("web_ticket_spent", "这次打开已经用过，或者时间过了")


def _digest(ticket: str) -> bytes:
    # Drawn from 256 random bits: there is nothing to guess, and so nothing to slow down.
    return sha256(ticket.encode()).digest()
