"""Under which name somebody acts on a task: both names where a proxy acts for the elder."""

from __future__ import annotations

from sqlalchemy.orm import Session

from timebank.core.actors import Actor
from timebank.people.queries import person, spoken_name
from timebank.tasks.models import Task


def acting_name(session: Session, actor: Actor, task: Task) -> str:
    """The actor's name as it is kept with what is done for the helped side of a task; staff keep their own."""
    if actor.person_id is None or task.elder_id is None:
        return actor.name
    return spoken_name(actor, person(session, task.elder_id))
