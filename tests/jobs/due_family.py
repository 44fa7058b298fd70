"""What is due for the job that tells of proposals, and how to see what it has made of it."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.family import asked
from tests.factories.people import SHANGTIAN, XIWU, add_elder, add_person
from timebank.core.db import Database
from timebank.notifications.models import Notice
from timebank.people.actions import Asked, propose_relation
from timebank.people.family_rules import Relation

Look = Callable[[Session], object]


def asked_to_be_relatives(bank: Database) -> Look:
    """One who is enrolled is asked, and one who is not, whom nobody can tell."""
    with bank.unit_of_work() as session:
        mother, daughter = add_elder(session, XIWU, name="周桂芬"), add_person(session, SHANGTIAN, name="周小敏")
        hers = asked(session, daughter)
        nobodys = Asked("周小敏", "330224195901010013")
        for one in (hers, nobodys):
            propose_relation(session, actor=mother, asked=one, relation=Relation.CHILD)
    query = select(Notice.title).where(Notice.person_id == daughter.person_id)
    return lambda session: session.scalars(query).all()
