"""Looking people up at the desk: one by id, several by name. That it was done is written down, the name is not."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core.actors import Actor
from timebank.people import queries
from timebank.people.models import ElderFile, Person


def look_up(session: Session, *, actor: Actor, person_id: UUID) -> tuple[Person, ElderFile | None]:
    """One person and the elder's file, for a steward of the person's township, or for an auditor.

    Raises NotAllowed ``books_not_yours``, ``other_township``; NotFound ``person_unknown``.
    """
    found = queries.person_seen(session, actor=actor, person_id=person_id)
    note_down(session, actor=actor, action="person_looked_at", subject=("person", found.id))
    return found, session.get(ElderFile, found.id)


def look_up_by_name(
    session: Session,
    *,
    actor: Actor,
    name: str,
    township_code: str | None,
    limit: int,
    after: tuple[str, UUID] | None = None,
) -> Sequence[Person]:
    """People whose name begins like this, by name, after the name and id ``after``.

    Raises NotAllowed ``steward_only``, ``other_township``.
    """
    found = queries.people_called(
        session, actor=actor, name=name, township_code=township_code, limit=limit, after=after
    )
    where = township_code or actor.township_code or "district"
    note_down(session, actor=actor, action="people_searched", subject=("township", where), found=len(found))
    return found
