"""What the bank knows of the people whom a workbook's records name: roles, and hours served already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import any_, cast, func, select, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from timebank.core.db import Instant, UuidColumn
from timebank.importing.actions.enter_people import ExpectedRosters
from timebank.importing.rows import RecordRow
from timebank.importing.rules import Record, Served
from timebank.importing.service_ids import imported_task_id
from timebank.people.models import Person
from timebank.people.queries import people_by_id_numbers, people_in_role
from timebank.people.rules import ELDER, VOLUNTEER
from timebank.tasks.models import Assignment, Task
from timebank.tasks.rules import AssignmentStatus

# Whoever has not checked out yet serves for the time being.
_STILL_SERVING = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KnownPeople:
    """People by identity number, the numbers of volunteers and of elders, and each volunteer's hours.

    ``imported`` are the ids of the tasks among those hours that came from a workbook.
    """

    people: Mapping[str, Person]
    volunteers: frozenset[str]
    elders: frozenset[str]
    served: Mapping[str, Sequence[Served]]
    imported: frozenset[UUID]

    def has(self, record: Record) -> bool:
        """Whether an earlier import has brought this very record."""
        volunteer, elder = self.people[record.volunteer_id_number], self.people[record.elder_id_number]
        return imported_task_id(volunteer.id, elder.id, record.started_at, record.ended_at) in self.imported


def find_known_people(session: Session, rows: Sequence[RecordRow]) -> KnownPeople:
    """Look up everybody whom the rows name; until the unit of work ends nobody else adds to the volunteers' hours."""
    return _look_up(session, rows, None)


def expect_known_people(session: Session, rows: Sequence[RecordRow], expected: ExpectedRosters) -> KnownPeople:
    """Whom ``find_known_people`` would find once the rosters have gone in; nobody waits."""
    return _look_up(session, rows, expected)


def _look_up(session: Session, rows: Sequence[RecordRow], expected: ExpectedRosters | None) -> KnownPeople:
    numbers = {number for row in rows for number in (row.volunteer_id_number, row.elder_id_number) if number}
    people = people_by_id_numbers(session, numbers)
    if expected is not None:
        people |= {number: person for number, person in expected.people.items() if number in numbers}
    by_id = {person.id: number for number, person in people.items()}
    volunteers = people_in_role(session, by_id, VOLUNTEER)
    elders = people_in_role(session, by_id, ELDER)
    if expected is not None:
        volunteers |= {people[number].id for number in expected.volunteers & people.keys()}
        elders |= {people[number].id for number in expected.elders & people.keys()}
    helping = {people[row.volunteer_id_number].id for row in rows if row.volunteer_id_number in people} & volunteers
    if expected is None:
        _lock(session, helping)
    served, imported = _hours(session, helping, by_id)
    return KnownPeople(
        people=people,
        volunteers=frozenset(by_id[person_id] for person_id in volunteers),
        elders=frozenset(by_id[person_id] for person_id in elders),
        served=served,
        imported=imported,
    )


def _lock(session: Session, volunteers: Collection[UUID]) -> None:
    # The lock that check-in, acceptance and back-filling take for one volunteer, here for all, in order of id.
    query = select(Person.id).where(Person.id == _any(volunteers)).order_by(Person.id)
    session.execute(query.with_for_update(key_share=True)).all()


def _hours(
    session: Session, volunteers: Collection[UUID], numbers: Mapping[UUID, str]
) -> tuple[dict[str, list[Served]], frozenset[UUID]]:
    started_at = type_coerce(func.lower(Assignment.served_during), Instant)
    ended_at = type_coerce(func.coalesce(func.upper(Assignment.served_during), _STILL_SERVING), Instant)
    query = select(Assignment.volunteer_id, Task.elder_id, Task.id.label("task_id"), started_at, ended_at)
    query = query.join(Task, Task.id == Assignment.task_id).where(
        Assignment.volunteer_id == _any(volunteers),
        Assignment.served_during.is_not(None),
        Assignment.status != AssignmentStatus.REJECTED,
    )
    served: defaultdict[str, list[Served]] = defaultdict(list)
    imported: set[UUID] = set()
    for volunteer_id, elder_id, task_id, start, end in session.execute(query):
        elder_number = ""
        if elder_id is not None and imported_task_id(volunteer_id, elder_id, start, end) == task_id:
            imported.add(task_id)
            elder_number = numbers.get(elder_id, "")
        served[numbers[volunteer_id]].append(Served(start, end, elder_number))
    return dict(served), frozenset(imported)


def _any(ids: Collection[UUID]) -> Any:
    return any_(cast(list(ids), ARRAY(UuidColumn)))
