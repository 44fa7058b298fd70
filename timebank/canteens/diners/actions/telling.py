"""What diners and stewards are told about files."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.diners.models import Diner
from timebank.notifications.actions import notify_person
from timebank.people.login_models import Login


def tell_diner(session: Session, diner: Diner, *, title: str, body: str) -> None:
    """Tell the diner, and the proxy who applied: the diner may have no phone."""
    notify_person(session, person_id=diner.person_id, title=title, body=body)
    proxy_id = _applicant(session, diner.applied_by)
    if proxy_id is not None and proxy_id != diner.person_id:
        notify_person(session, person_id=proxy_id, title=title, body=body)


def _applicant(session: Session, login_id: UUID) -> UUID | None:
    return session.scalar(select(Login.person_id).where(Login.id == login_id, Login.staff_role.is_(None)))
