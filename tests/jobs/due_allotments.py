"""Something due for the jobs of allotments and leaving."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories.allotments import add_assessed
from tests.factories.minutes import posted_in, save_minutes
from tests.factories.people import SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.tasks import past_service
from timebank.allotments.models import Allotment, SeedGrant
from timebank.core import clock
from timebank.core.db import Database
from timebank.leaving import actions as leaving
from timebank.leaving.actions.leave import Wish
from timebank.leaving.models import LateMinutes
from timebank.ledger.rules import AccountKind
from timebank.notifications.models import Notice
from timebank.tasks import actions as tasks

Look = Callable[[Session], object]


def assessed_before_this_month(bank: Database) -> Look:
    """An elder of level 2 whose allotment of the month is still to come."""
    with bank.unit_of_work() as session:
        elder = add_assessed(session, XIWU, 2)
    told = select(func.count()).select_from(Notice).where(Notice.person_id == elder.person_id)
    return lambda session: (
        session.scalars(select(Allotment.minutes)).all(),
        posted_in(session, AccountKind.GRANTED, elder),
        session.scalar(told),
    )


def eighty_and_alone(bank: Database) -> Look:
    """An elder of 82 who lives alone and has had no seed hours; not assessed, so that no allotment is due."""
    with bank.unit_of_work() as session:
        elder = add_assessed(session, XIWU, None, circumstances=["独居"])
    return lambda session: (
        session.scalars(select(SeedGrant.reason)).all(),
        posted_in(session, AccountKind.GRANTED, elder),
    )


def recorded_after_leaving(bank: Database) -> Look:
    """A volunteer who left, and an hour from before that reached the account afterwards."""
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, SHANGTIAN), add_elder(session, XIWU)
        save_minutes(session, volunteer, 40)
    with bank.unit_of_work() as session:
        leaving.leave(session, actor=volunteer, wish=Wish("pool"))
    with bank.unit_of_work() as session:
        form = past_service(volunteer, elder, ended_at=clock.now())
        task = tasks.record(session, actor=steward(XIWU), form=form)
        tasks.approve_record(session, actor=district(), task_id=task.id)
    return lambda session: (
        posted_in(session, AccountKind.SAVINGS, volunteer),
        session.scalars(select(LateMinutes.minutes)).all(),
    )
