"""Assessed elders for tests, as an office's roster or a steward enters them, and a month granted as the job does it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from tests.factories.people import XIWU, add_elder, steward
from timebank.allotments import actions
from timebank.allotments.actions import NewAssessment
from timebank.allotments.models import Assessment
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.people.models import ElderFile


def add_assessed(
    session: Session, township_code: str, level: int | None, *, circumstances: Sequence[str] = (), age: int = 82
) -> Actor:
    """An elder whose file has stood so for long."""
    elder = add_elder(session, township_code, age=age)
    file = ElderFile(person_id=elder.person(), assessment_level=level, circumstances=list(circumstances))
    session.add(file)
    session.flush()
    return elder


def assessed(bank: Database, level: int | None, code: str = XIWU) -> Actor:
    """The same in a unit of work of its own."""
    with bank.unit_of_work() as session:
        return add_assessed(session, code, level)


def assess(bank: Database, elder: Actor, level: int) -> Assessment:
    """A steward of 西坞 enters a level."""
    with bank.unit_of_work() as session:
        found = NewAssessment(level, "评估表第7号")
        return actions.assess(session, actor=steward(XIWU), person_id=elder.person(), found=found)


def grant_month(bank: Database) -> int:
    """What the job does: find, then each batch in a unit of work of its own; answers to how many it was granted."""
    with bank.session() as session:
        batches = actions.allotments_due(session)
    granted = 0
    for batch in batches:
        with bank.unit_of_work() as session:
            granted += actions.grant_allotments(session, batch=batch)
    return granted
