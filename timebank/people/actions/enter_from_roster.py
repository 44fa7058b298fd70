"""Entering people from an office's roster 名册: of all townships, as many as there are, in a few statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.crypto import keyring
from timebank.core.ids import new_id
from timebank.people.actions.enrol import ENTERING_LOCK
from timebank.people.id_numbers import IdNumber
from timebank.people.models import Person, PersonRole
from timebank.people.name_index import name_last4_index
from timebank.people.queries import people_by_id_numbers
from timebank.people.rules import tidy_name


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """A person as a roster has them, checked already; ``role`` is what the roster is of."""

    name: str
    id_number: IdNumber
    township_code: str
    phone: str | None
    role: str


@dataclass(frozen=True, slots=True)
class Entered:
    """What a roster's people are in the bank: by identity number, with the roles that are new to them.

    ``fresh`` are the numbers of those who were not in the bank before; ``changed`` says whether anything at all was
    written.
    """

    people: Mapping[str, Person]
    new_roles: frozenset[tuple[UUID, str]]
    fresh: frozenset[str]
    changed: bool


def enter_alone(session: Session) -> None:
    """From here to the end of the unit of work nobody else enters people; waits for whoever is at it.

    A whole roster takes longer than other locks may be waited for, so the patience is this unit of work's own.
    """
    session.execute(select(func.set_config("lock_timeout", "10min", True)))
    session.execute(select(func.pg_advisory_xact_lock(ENTERING_LOCK)))


def enter_from_roster(session: Session, *, entries: Sequence[RosterEntry]) -> Entered:
    """Enter who is missing and give the roles; whoever is there keeps name and township, and gains a missing phone.

    Somebody with several entries is entered from the first. To be called after ``enter_alone``.
    """
    people = people_by_id_numbers(session, {entry.id_number.value for entry in entries})
    known, changed = frozenset(people), False
    for entry in entries:
        person = people.get(entry.id_number.value)
        if person is None:
            people[entry.id_number.value] = person = person_of(entry)
            session.add(person)
            changed = True
        elif person.phone is None and entry.phone is not None:
            person.phone = entry.phone
            changed = True
    session.flush()
    new_roles = _add_roles(session, {(people[entry.id_number.value].id, entry.role) for entry in entries})
    return Entered(people, new_roles, frozenset(people) - known, changed or bool(new_roles))


def person_of(entry: RosterEntry) -> Person:
    """Who would be entered for ``entry``; in no session yet."""
    return Person(
        id=new_id(),
        name=tidy_name(entry.name),
        id_number=entry.id_number.value,
        id_number_index=keyring().blind_index(entry.id_number.value),
        name_last4_index=name_last4_index(entry.name, entry.id_number.value),
        born_on=entry.id_number.born_on,
        sex=entry.id_number.sex,
        phone=entry.phone,
        township_code=entry.township_code,
        enrolled_at=clock.now(),
        enrolled_by=None,
    )


def _add_roles(session: Session, roles: Iterable[tuple[UUID, str]]) -> frozenset[tuple[UUID, str]]:
    rows = [{"person_id": person_id, "role": role, "since": clock.now()} for person_id, role in sorted(roles)]
    if not rows:
        return frozenset()
    added = insert(PersonRole).on_conflict_do_nothing().returning(PersonRole.person_id, PersonRole.role)
    return frozenset((row.person_id, row.role) for row in session.execute(added, rows))
