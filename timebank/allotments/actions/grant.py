"""The month's allotment 按月发放: once a person and month, for a district's elders in batches.

**A month in which the job was down to the end** is granted late 补发, as soon as the job runs again, so that no elder
loses by it: for as many months back as policy ``allotment_late_months`` says, at the level and under the policies of
that month, but good as long as if it were granted for the month in which it arrives. Not owed are months before the
first that this bank ever granted, and months before somebody was enrolled as an elder.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.allotments.granting import Grant, issue, keep_here
from timebank.allotments.levels import LEVELS_AT
from timebank.allotments.models import Allotment
from timebank.allotments.rules import is_owed, last_day, minutes_for, month_of, months_between, months_later
from timebank.core import clock
from timebank.core.amounts import hours_text
from timebank.core.db import UuidColumn
from timebank.core.ids import new_id
from timebank.notifications.actions import notify_person
from timebank.people.queries import nobody_moves
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook

BATCH = 500
"""People granted in one unit of work."""

_LATE = "allotment_late_months"

_ELDERS_THEN = f"""{LEVELS_AT}
AND p.enrolled_at < :ends
AND NOT EXISTS (SELECT FROM person_role r WHERE r.person_id = p.id AND r.role = 'elder' AND r.since >= :ends)
"""
_WAITING = text(f"""
SELECT l.person_id, l.township_code, l.level FROM ({_ELDERS_THEN}) l
WHERE l.level IS NOT NULL
  AND NOT EXISTS (SELECT FROM allotment g WHERE g.person_id = l.person_id AND g.month = :month)
ORDER BY l.person_id
""")
_LEVELS_OF = text(f"SELECT l.person_id, l.level FROM ({_ELDERS_THEN} AND f.person_id = ANY(:people)) l").bindparams(
    bindparam("people", type_=ARRAY(UuidColumn))
)


@dataclass(frozen=True, slots=True)
class MonthsBatch:
    """Some of the people who are to get a month's allotment."""

    month: date
    people: tuple[UUID, ...]


def allotments_due(session: Session) -> list[MonthsBatch]:
    """Everybody who is still to get the allotment of this month or of one that is granted late, in batches."""
    now = in_force(session, at=clock.now())
    batches: list[MonthsBatch] = []
    for month in _months_open(session, now):
        then = _policies_of(session, month)
        due = [
            row.person_id
            for row in session.execute(_WAITING, {"month": month, **_bounds(month)})
            if _minutes(month, row.level, row.township_code, now, then) > 0
        ]
        batches += [MonthsBatch(month, tuple(due[place : place + BATCH])) for place in range(0, len(due), BATCH)]
    return batches


def grant_allotments(session: Session, *, batch: MonthsBatch) -> int:
    """Grant one batch its month, at the level that stood when the month began; answers to how many.

    The row for person and month comes first: whoever is granted by another process meanwhile is left out here. A batch
    found before midnight of the month's last day and granted after it is a late one (see above); to one of a month too
    long ago, or still to come, nobody is granted anything.
    """
    nobody_moves(session)
    policies = _policies_of(session, batch.month)
    rows = _rows(session, batch, policies)
    if not rows:
        return 0
    granted = session.scalars(insert(Allotment).values(rows).on_conflict_do_nothing().returning(Allotment)).all()
    month = f"{batch.month:%Y年}{batch.month.month}月"
    grants = [Grant.of(one, f"{month}政府购买服务时长（评估{one.level}级）") for one in granted]
    issue(session, grants, kind="allotment", policy_version=policies.version)
    title = f"{month}服务时长已{'补发' if batch.month < month_of(clock.today()) else '到账'}"
    for grant in grants:
        until = f"{grant.expires_on.month}月{grant.expires_on.day}日"
        body = f"政府为您购买了{hours_text(grant.minutes)}服务时长，可用于上门服务和用餐，请在{until}前使用。"
        notify_person(session, person_id=grant.person_id, title=title, body=body)
    session.flush()
    return len(grants)


def _rows(session: Session, batch: MonthsBatch, policies: PolicyBook) -> list[dict[str, Any]]:
    here = keep_here(session, batch.people)
    asked = {"people": sorted(here), **_bounds(batch.month)}
    levels = {row.person_id: row.level for row in session.execute(_LEVELS_OF, asked) if row.level is not None}
    now = in_force(session, at=clock.now())
    rows: list[dict[str, Any]] = []
    for person_id, level in sorted(levels.items()):
        code = here[person_id].township_code
        minutes = _minutes(batch.month, level, code, now, policies)
        if minutes > 0:
            valid = policies.whole("allotment_valid_months", code)
            rows.append(
                {
                    "id": new_id(),
                    "person_id": person_id,
                    "month": batch.month,
                    "level": level,
                    "minutes": minutes,
                    "township_code": code,
                    # From the month in which it arrives: what comes late would else have expired before.
                    "expires_on": last_day(month_of(clock.today()), valid),
                    "policy_version": policies.version,
                    "granted_at": clock.now(),
                }
            )
    return rows


def _months_open(session: Session, now: PolicyBook) -> list[date]:
    """This month, and before it those, oldest first, for which some township still grants late."""
    this = month_of(clock.today())
    first = session.scalar(select(func.min(Allotment.month))) or this
    most = max([now.whole(_LATE), *now.township_values(_LATE).values()])
    return [month for late in range(most, 0, -1) if (month := months_later(this, -late)) >= first] + [this]


def _minutes(month: date, level: int, code: str, now: PolicyBook, then: PolicyBook) -> int:
    """What is owed at a level for ``month``; 0 where the township of today grants it no more."""
    late = months_between(month, month_of(clock.today()))
    return minutes_for(level, then, code) if is_owed(late, now.whole(_LATE, code)) else 0


def _policies_of(session: Session, month: date) -> PolicyBook:
    """The policies for a month: those of now, for a month that is over those of its last moment."""
    last_moment = _bounds(month)["ends"] - timedelta(microseconds=1)
    return in_force(session, at=min(clock.now(), last_moment))


def _bounds(month: date) -> dict[str, datetime]:
    return {"begins": clock.day_start(month), "ends": clock.day_start(months_later(month, 1))}
