"""Honour 荣誉时长: every confirmed minute, whether it was credited or went to the pool; and the stars it makes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ARRAY, bindparam, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.amounts import hours_text
from timebank.core.db import UuidColumn
from timebank.notifications.actions import notify_person
from timebank.people.models import Person
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.tasks.caps import Earned, stars
from timebank.tasks.models import Star

# One walk along ix_task_assignment_earned for each volunteer.
_IN_LIFE = text("""
SELECT volunteer_id, sum(payable_minutes)::bigint AS honour, sum(surplus_minutes)::bigint AS surplus
FROM task_assignment
WHERE status = 'confirmed' AND volunteer_id = ANY(:volunteers) AND id <> ALL(:parts)
GROUP BY volunteer_id
""").bindparams(bindparam("volunteers", type_=ARRAY(UuidColumn)), bindparam("parts", type_=ARRAY(UuidColumn)))

_BY_DAY = text("""
SELECT volunteer_id, day, sum(payable_minutes - surplus_minutes)::bigint AS credited
FROM (SELECT volunteer_id, payable_minutes, surplus_minutes,
             (lower(coalesce(served_during, planned_during)) AT TIME ZONE 'Asia/Shanghai')::date AS day
      FROM task_assignment
      WHERE status = 'confirmed' AND volunteer_id = ANY(:volunteers) AND id <> ALL(:parts)) p
WHERE day BETWEEN :first AND :last
GROUP BY volunteer_id, day
""").bindparams(bindparam("volunteers", type_=ARRAY(UuidColumn)), bindparam("parts", type_=ARRAY(UuidColumn)))

_DONATED = text("""
SELECT coalesce(sum(t.amount), 0)::bigint FROM ledger_transfer t
JOIN ledger_account a ON a.id = t.from_account_id
WHERE a.person_id = :person_id AND a.kind = 'savings' AND t.kind = 'donation'
  AND NOT EXISTS (SELECT FROM ledger_transfer r WHERE r.reverses_id = coalesce(t.link_id, t.id))
""")


@dataclass(frozen=True, slots=True)
class Honours:
    """A volunteer's honour in minutes, its stars, and where the next one lies (None: there is none beyond)."""

    honour_minutes: int
    stars: int
    next_star_minutes: int | None
    surplus_minutes: int
    donated_minutes: int


def honours_of(session: Session, person_id: UUID) -> Honours:
    """What somebody has given in life; it stays also after leaving."""
    policies = in_force(session, at=clock.now())
    home = session.scalars(select(Person.township_code).where(Person.id == person_id)).one()
    thresholds = policies.value("star_minutes", home)
    earned = earned_before(session, [person_id], without=[]).get(person_id, Earned())
    reached = stars(earned.honour_minutes, thresholds)
    return Honours(
        honour_minutes=earned.honour_minutes,
        stars=reached,
        next_star_minutes=thresholds[reached] if reached < len(thresholds) else None,
        surplus_minutes=earned.honour_minutes - earned.credited_minutes,
        donated_minutes=int(session.scalar(_DONATED, {"person_id": person_id}) or 0),
    )


def earned_before(
    session: Session,
    volunteers: Collection[UUID],
    *,
    without: Collection[UUID],
    days: Collection[date] = (),
) -> dict[UUID, Earned]:
    """What these volunteers were confirmed for, the parts in ``without`` left out; by day as well where days are given.

    One statement, two with days, however many there are.
    """
    asked = {"volunteers": sorted(volunteers), "parts": list(without)}
    by_day: dict[UUID, dict[date, int]] = {}
    if days:
        for row in session.execute(_BY_DAY, {**asked, "first": min(days), "last": max(days)}):
            by_day.setdefault(row.volunteer_id, {})[row.day] = row.credited
    return {
        row.volunteer_id: Earned(row.honour, row.honour - row.surplus, by_day.get(row.volunteer_id))
        for row in session.execute(_IN_LIFE, asked)
    }


def award_stars(
    session: Session, honour: Mapping[UUID, tuple[int, int]], homes: Mapping[UUID, str], policies: PolicyBook
) -> None:
    """Tell whoever's honour, ``(before, now)`` in minutes, has reached a star; of each star once in life."""
    reached = []
    for person_id, (before, now) in sorted(honour.items()):
        thresholds = policies.value("star_minutes", homes[person_id])
        had, has = stars(before, thresholds), stars(now, thresholds)
        reached += [(person_id, star, thresholds[star - 1]) for star in range(had + 1, has + 1)]
    if not reached:
        return
    rows = [{"person_id": person_id, "star": star, "reached_at": clock.now()} for person_id, star, _ in reached]
    new = insert(Star).values(rows).on_conflict_do_nothing().returning(Star.person_id, Star.star)
    first = {(row.person_id, row.star) for row in session.execute(new)}
    for person_id, star, threshold in reached:
        if (person_id, star) in first:
            body = f"您的志愿服务累计满{hours_text(threshold)}，荣获{star}星级志愿者，感谢您！"
            notify_person(session, person_id=person_id, title=f"恭喜您成为{star}星级志愿者", body=body)
