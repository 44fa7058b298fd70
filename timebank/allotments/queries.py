"""Seeing allotments: one's own, a township's month, and what the next month will be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from timebank.allotments.levels import LEVELS_AT
from timebank.allotments.models import Allotment
from timebank.allotments.rules import LEVEL_NAMES, minutes_for, month_of, months_later, read_month
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.errors import NotAllowed
from timebank.people.models import Person
from timebank.people.queries import acts_for
from timebank.people.rules import ProxyScope
from timebank.policies.queries import in_force
from timebank.townships.queries import township


@dataclass(frozen=True, slots=True)
class AllotmentFilter:
    """Whose allotments are wanted, of which month (``2026-11``), of which township."""

    for_person_id: UUID | None = None
    month: str | None = None
    township_code: str | None = None


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """What the people of one township at one level will get."""

    township_code: str
    level: int
    people: int
    minutes_each: int
    minutes: int

    @property
    def level_name(self) -> str:
        """What the level means."""
        return LEVEL_NAMES[self.level]


def allotments_seen(
    session: Session, *, actor: Actor, wanted: AllotmentFilter, limit: int, before: UUID | None = None
) -> list[tuple[Allotment, str]]:
    """Allotments with the person's name, newest first: one's own or an elder's, for stewards a township's.

    Raises NotAllowed ``registration_needed``, ``not_your_elder``, ``proxy_scope_missing``, ``other_township``; Refused
    ``month_invalid``, ``township_unknown``.
    """
    query = select(Allotment, Person.name).join(Person, Person.id == Allotment.person_id)
    if actor.is_steward or actor.staff_role is StaffRole.AUDITOR:
        code = _township_seen(session, actor, wanted.township_code)
        if code is not None:
            query = query.where(Allotment.township_code == code)
        if wanted.for_person_id is not None:
            query = query.where(Allotment.person_id == wanted.for_person_id)
    else:
        person_id = wanted.for_person_id or actor.person()
        if not acts_for(session, actor, person_id, ProxyScope.CARE):
            raise NotAllowed("not_your_elder", "只能查看本人或登记代办的老人的服务时长")
        query = query.where(Allotment.person_id == person_id)
    if wanted.month is not None:
        query = query.where(Allotment.month == read_month(wanted.month))
    if before is not None:
        query = query.where(Allotment.id < before)
    return [(row[0], row[1]) for row in session.execute(query.order_by(Allotment.id.desc()).limit(limit))]


_EXPECTED = text(f"""
SELECT l.township_code, l.level, count(*) AS people FROM ({LEVELS_AT}) l
WHERE l.level IS NOT NULL AND (CAST(:code AS text) IS NULL OR l.township_code = :code)
GROUP BY l.township_code, l.level ORDER BY l.township_code, l.level
""")


def next_month(session: Session, *, actor: Actor, township_code: str | None) -> tuple[date, list[PreviewLine]]:
    """The next month, and what it will bring as things stand, by township and level.

    Raises NotAllowed ``books_not_yours``, ``other_township``; Refused ``township_unknown``.
    """
    actor.must_see_books()
    code = _township_seen(session, actor, township_code)
    month = months_later(month_of(clock.today()), 1)
    # What is entered until the month begins counts, and so does a policy that is to be in force then.
    policies = in_force(session, at=clock.day_start(month))
    rows = session.execute(_EXPECTED, {"begins": clock.day_start(month), "code": code})
    lines = []
    for row in rows:
        each = minutes_for(row.level, policies, row.township_code)
        lines.append(PreviewLine(row.township_code, row.level, row.people, each, each * row.people))
    return month, lines


def _township_seen(session: Session, actor: Actor, wanted: str | None) -> str | None:
    if wanted is not None:
        township(session, wanted)
    if actor.staff_role is StaffRole.TOWNSHIP_STEWARD:
        if wanted not in (None, actor.township_code):
            raise NotAllowed("other_township", "只能查看本镇街的服务时长", township_code=wanted)
        return actor.township_code
    return wanted
