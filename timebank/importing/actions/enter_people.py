"""The rosters go in: people with their roles, and the elders' files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import any_, cast, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from timebank.core.db import UuidColumn
from timebank.importing.report import Note
from timebank.importing.rules import Elder, Volunteer
from timebank.people.actions.enter_from_roster import RosterEntry, enter_from_roster, person_of
from timebank.people.models import ElderFile, Person
from timebank.people.queries import people_by_id_numbers, people_in_role
from timebank.people.rules import ELDER, VOLUNTEER, same_name
from timebank.townships.queries import township_names


@dataclass(frozen=True, slots=True)
class EnteredRosters:
    """How many people and roles are new, whether anything was written, and what the office should know of its rows."""

    people: int
    volunteers: int
    elders: int
    changed: bool
    volunteer_notes: tuple[Note, ...]
    elder_notes: tuple[Note, ...]


def enter_people(session: Session, *, volunteers: Sequence[Volunteer], elders: Sequence[Elder]) -> EnteredRosters:
    """Enter both rosters; a person on both, or in the bank before, is one person. After ``enter_alone``."""
    entries = _entries(volunteers, elders)
    entered = enter_from_roster(session, entries=entries)
    filed = _file_elders(session, elders, entered.people)
    roles = [role for _, role in entered.new_roles]
    names = township_names(session)
    return EnteredRosters(
        people=len(entered.fresh),
        volunteers=roles.count(VOLUNTEER),
        elders=roles.count(ELDER),
        changed=entered.changed or filed,
        volunteer_notes=_notes(volunteers, entered.people, names),
        elder_notes=_notes(elders, entered.people, names),
    )


@dataclass(frozen=True, slots=True)
class ExpectedRosters:
    """What entering two rosters would come to: the figures, and by identity number who would be what."""

    entered: EnteredRosters
    people: Mapping[str, Person]
    volunteers: frozenset[str]
    elders: frozenset[str]


def expect_people(session: Session, *, volunteers: Sequence[Volunteer], elders: Sequence[Elder]) -> ExpectedRosters:
    """What ``enter_people`` would do now; nothing is written and nobody waits."""
    entries = _entries(volunteers, elders)
    people = people_by_id_numbers(session, {entry.id_number.value for entry in entries})
    ids = [person.id for person in people.values()]
    roles = {role: people_in_role(session, ids, role) for role in (VOLUNTEER, ELDER)}
    fresh: dict[str, Person] = {}
    new_roles: list[str] = []
    for entry in entries:
        number = entry.id_number.value
        person = people.get(number)
        if person is None:
            fresh.setdefault(number, person_of(entry))
        if person is None or person.id not in roles[entry.role]:
            new_roles.append(entry.role)
    everybody, names = people | fresh, township_names(session)
    entered = EnteredRosters(
        people=len(fresh),
        volunteers=new_roles.count(VOLUNTEER),
        elders=new_roles.count(ELDER),
        changed=bool(new_roles),
        volunteer_notes=_notes(volunteers, everybody, names),
        elder_notes=_notes(elders, everybody, names),
    )
    return ExpectedRosters(
        entered,
        everybody,
        frozenset(row.id_number.value for row in volunteers),
        frozenset(row.id_number.value for row in elders),
    )


def _entries(volunteers: Sequence[Volunteer], elders: Sequence[Elder]) -> list[RosterEntry]:
    rosters: list[tuple[str, Sequence[Volunteer | Elder]]] = [(VOLUNTEER, volunteers), (ELDER, elders)]
    return [
        RosterEntry(row.name, row.id_number, row.township_code, row.phone, role)
        for role, rows in rosters
        for row in rows
    ]


def _file_elders(session: Session, elders: Sequence[Elder], people: Mapping[str, Person]) -> bool:
    """Open the files that are missing and fill the gaps of the others; what a file says already is left as it is."""
    ids = [people[elder.id_number.value].id for elder in elders]
    files = _files(session, ids)
    changed = False
    for elder, person_id in zip(elders, ids, strict=True):
        file = files.get(person_id)
        if file is None:
            file = ElderFile(person_id=person_id, assessment_level=None, circumstances=[], village=None)
            session.add(file)
            changed = True
        if file.assessment_level is None and elder.ability_level is not None:
            file.assessment_level, changed = elder.ability_level, True
        if not file.circumstances and elder.circumstances:
            file.circumstances, changed = list(elder.circumstances), True
        if not file.village and elder.village:
            file.village, changed = elder.village, True
    session.flush()
    return changed


def _files(session: Session, ids: Sequence[UUID]) -> dict[UUID, ElderFile]:
    query = select(ElderFile).where(ElderFile.person_id == any_(cast(ids, ARRAY(UuidColumn))))
    return {file.person_id: file for file in session.scalars(query)}


def _notes(
    rows: Sequence[Volunteer | Elder], people: Mapping[str, Person], townships: Mapping[str, str]
) -> tuple[Note, ...]:
    notes: list[Note] = []
    for row in rows:
        person = people[row.id_number.value]
        notes += [Note(row.row, text) for text in row.notes]
        if not same_name(person.name, row.name):
            notes.append(Note(row.row, "姓名与已登记的不同，以已登记的为准"))
        if person.township_code != row.township_code:
            notes.append(Note(row.row, f"已在{townships[person.township_code]}登记，以已登记的为准"))
    return tuple(notes)
