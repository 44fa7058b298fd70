"""Giving people their place in the index of name and last four, who were entered before there was one."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.people.models import Person
from timebank.people.name_index import name_last4_index


def unindexed_people(session: Session, *, limit: int) -> list[UUID]:
    """People whom a clerk cannot find yet by name and last four."""
    return list(session.scalars(select(Person.id).where(Person.name_last4_index.is_(None)).limit(limit)))


def index_person(session: Session, *, person_id: UUID) -> bool:
    """Fill in one person's index; answers whether it was still to be done."""
    missing = select(Person).where(Person.id == person_id, Person.name_last4_index.is_(None))
    person = session.scalar(missing.with_for_update(key_share=True, skip_locked=True))
    if person is None:
        return False
    person.name_last4_index = name_last4_index(person.name, person.id_number)
    session.flush()
    return True
