"""Where a visit goes and whom to call: for whoever has accepted it, until it is over; each look is written down.

Source: Personal Information Protection Law, articles 6 and 19: no more than the purpose needs, and no longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core.actors import Actor
from timebank.core.errors import NotAllowed, Refused
from timebank.people.models import ElderFile, Person
from timebank.people.phones import masked_phone
from timebank.people.queries import acts_for, people_by_ids, person, proxies_of_each
from timebank.people.rules import ProxyScope
from timebank.tasks.models import Task
from timebank.tasks.queries import task_for
from timebank.tasks.rules import PLANNED


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where to go, and who answers the telephone there.

    ``address`` is as it was given with the request, None where none was; ``village`` is that of the elder's file.
    ``phone`` is the elder's, or of a proxy where the elder has none; whole for the volunteer on the way alone.
    """

    address: str | None
    village: str | None
    contact_name: str | None
    contact_is_proxy: bool
    phone: str | None


def where_to_go(session: Session, *, actor: Actor, task_id: UUID) -> Whereabouts:
    """Where this visit goes, for the volunteer who has accepted it and has not finished; each look leaves a row.

    The helped side and staff who may see the task see the telephone masked. Raises NotFound ``task_unknown``; Refused
    ``no_visit`` for a shift; NotAllowed ``visit_not_underway``.
    """
    task = task_for(session, actor=actor, task_id=task_id)
    if task.elder_id is None:
        raise Refused("no_visit", "这项服务不上门，地点请看说明")
    underway = any(part.volunteer_id == actor.person_id and part.status in PLANNED for part in task.parts)
    helped = not underway and actor.staff_role is None and acts_for(session, actor, task.elder_id, ProxyScope.HELP)
    if not (underway or helped or actor.staff_role is not None):
        raise NotAllowed("visit_not_underway", "接单以后、服务做完以前，才能看地址和电话")
    if not helped:
        note_down(session, actor=actor, action="visit_address_looked_at", subject=("task", task.id))
    return _whereabouts(session, task, person(session, task.elder_id), whole=underway)


def _whereabouts(session: Session, task: Task, elder: Person, *, whole: bool) -> Whereabouts:
    contact = _who_answers(session, elder)
    phone = contact.phone if contact is not None else None
    return Whereabouts(
        address=task.address,
        village=session.scalar(select(ElderFile.village).where(ElderFile.person_id == elder.id)),
        contact_name=contact.name if contact is not None else None,
        contact_is_proxy=contact is not None and contact.id != elder.id,
        phone=phone if whole or phone is None else masked_phone(phone),
    )


def _who_answers(session: Session, elder: Person) -> Person | None:
    """The elder, or the first of those who may ask for help in the elder's name; None where nobody has a telephone."""
    if elder.phone:
        return elder
    proxies = people_by_ids(session, proxies_of_each(session, [elder.id], ProxyScope.HELP).get(elder.id, set()))
    return next((one for _, one in sorted(proxies.items()) if one.phone), None)
