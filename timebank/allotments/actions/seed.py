"""Seed hours 种子时长: once in life, for the eldest living alone and for those in hardship who depend on help."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.allotments.granting import Grant, issue, keep_here
from timebank.allotments.models import SeedGrant
from timebank.allotments.rules import SEED_REASON_NAMES, Elder, seed_reason
from timebank.core import clock
from timebank.core.amounts import hours_text
from timebank.core.ids import new_id
from timebank.notifications.actions import notify_person
from timebank.people.models import ElderFile, Person
from timebank.people.queries import nobody_moves
from timebank.policies.queries import in_force

BATCH = 500
"""People granted in one unit of work."""


def seeds_due(session: Session) -> list[tuple[UUID, ...]]:
    """Everybody who is to get seed hours and has not had any, in batches."""
    policies, today = in_force(session, at=clock.now()), clock.today()
    rows = session.execute(
        select(Person.id, Person.born_on, Person.township_code, ElderFile.assessment_level, ElderFile.circumstances)
        .join(ElderFile, ElderFile.person_id == Person.id)
        .where(
            # Without any circumstance nobody is alone or in hardship.
            func.cardinality(ElderFile.circumstances) > 0,
            Person.left_at.is_(None),
            Person.death_reported_at.is_(None),
            ~exists().where(SeedGrant.person_id == Person.id),
        )
        .order_by(Person.id)
    )
    due = [
        row.id
        for row in rows
        if seed_reason(Elder(row.born_on, row.township_code, row.assessment_level, row.circumstances), policies, today)
    ]
    return [tuple(due[place : place + BATCH]) for place in range(0, len(due), BATCH)]


def grant_seed_hours(session: Session, *, people: Sequence[UUID]) -> int:
    """Grant these people their seed hours, where they still are to get them; answers to how many."""
    nobody_moves(session)
    policies, today = in_force(session, at=clock.now()), clock.today()
    here = keep_here(session, people)
    files = {file.person_id: file for file in session.scalars(select(ElderFile).where(ElderFile.person_id.in_(here)))}
    rows = []
    for person_id, file in sorted(files.items()):
        home = here[person_id]
        elder = Elder(home.born_on, home.township_code, file.assessment_level, file.circumstances)
        reason = seed_reason(elder, policies, today)
        if reason is not None:
            valid = policies.whole("seed_valid_days", home.township_code)
            rows.append(
                {
                    "id": new_id(),
                    "person_id": person_id,
                    "reason": reason,
                    "minutes": policies.whole("seed_minutes", home.township_code),
                    "township_code": home.township_code,
                    "expires_on": today + timedelta(days=valid),
                    "policy_version": policies.version,
                    "granted_at": clock.now(),
                }
            )
    if not rows:
        return 0
    granted = session.scalars(insert(SeedGrant).values(rows).on_conflict_do_nothing().returning(SeedGrant)).all()
    grants = [Grant.of(one, f"种子时长（{SEED_REASON_NAMES[one.reason]}）") for one in granted]
    issue(session, grants, kind="seed_grant", policy_version=policies.version)
    for grant in grants:
        until = f"{grant.expires_on:%Y年}{grant.expires_on.month}月{grant.expires_on.day}日"
        body = f"您获赠{hours_text(grant.minutes)}种子时长，可用于求助、上门服务和用餐，请在{until}前使用。"
        notify_person(session, person_id=grant.person_id, title="种子时长已到账", body=body)
    session.flush()
    return len(grants)
