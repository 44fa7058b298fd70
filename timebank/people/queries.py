"""Seeing people: one person, by number, the actor behind a login."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import LargeBinary, any_, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from timebank.core.actors import Actor, StaffRole
from timebank.core.crypto import keyring
from timebank.core.db import UuidColumn
from timebank.core.errors import NotFound
from timebank.people.id_numbers import IdNumber
from timebank.people.login_models import Login
from timebank.people.models import Person, PersonRole, Proxy


def person(session: Session, person_id: UUID, *, for_update: bool = False) -> Person:
    """One person. Raises NotFound ``person_unknown``."""
    found = session.get(Person, person_id, with_for_update={"key_share": True} if for_update else None)
    if found is None:
        raise NotFound("person_unknown", "没有这位登记人员", person_id=person_id)
    return found


MOVING_LOCK = 0x7B007
"""Advisory lock that whoever looks up where people live shares until it ends, and that a move takes alone."""


def nobody_moves(session: Session) -> None:
    """From here to the end of the unit of work everybody stays registered where they are; taken before any account."""
    session.execute(select(func.pg_advisory_xact_lock_shared(MOVING_LOCK)))
    for known in session.identity_map.values():
        if isinstance(known, Person):
            # Read before the lock was had; looked up anew when it is next asked for.
            session.expire(known, ["township_code"])


def roles_of(session: Session, person_id: UUID) -> list[str]:
    """What a person is enrolled as, sorted."""
    return sorted(session.scalars(select(PersonRole.role).where(PersonRole.person_id == person_id)))


def find_by_id_number(session: Session, *, actor: Actor, id_number: IdNumber) -> Person:
    """The person with this number, for a steward of the person's township.

    Raises NotAllowed ``steward_only``; NotFound ``person_unknown``, also for people of other townships.
    """
    actor.must_be_steward()
    index = keyring().blind_index(id_number.value)
    found = session.scalar(select(Person).where(Person.id_number_index == index))
    if found is None or not actor.stewards(found.township_code):
        raise NotFound("person_unknown", "没有这位登记人员")
    return found


def people_by_ids(session: Session, ids: Collection[UUID]) -> dict[UUID, Person]:
    """People by id; unknown ids are left out."""
    return {p.id: p for p in session.scalars(select(Person).where(Person.id.in_(ids)))} if ids else {}


def people_by_id_numbers(session: Session, id_numbers: Collection[str]) -> dict[str, Person]:
    """People by identity number, of every township; numbers that nobody has are left out."""
    numbers = {keyring().blind_index(number): number for number in id_numbers}
    wanted = any_(cast(list(numbers), ARRAY(LargeBinary)))
    found = session.scalars(select(Person).where(Person.id_number_index == wanted))
    return {numbers[bytes(person.id_number_index)]: person for person in found}


def people_in_role(session: Session, ids: Collection[UUID], role: str) -> set[UUID]:
    """Those of these people who are enrolled in ``role``."""
    wanted = any_(cast(list(ids), ARRAY(UuidColumn)))
    return set(
        session.scalars(select(PersonRole.person_id).where(PersonRole.role == role, PersonRole.person_id == wanted))
    )


def acts_for(session: Session, actor: Actor, elder_id: UUID) -> bool:
    """Whether the actor is the elder, or a proxy with consent in force."""
    if actor.person_id is None:
        return False
    if actor.person_id == elder_id:
        return True
    consent = select(Proxy.id).where(
        Proxy.elder_id == elder_id, Proxy.proxy_id == actor.person_id, Proxy.ended_at.is_(None)
    )
    return session.scalar(consent) is not None


def proxies_of(session: Session, elder_id: UUID) -> set[UUID]:
    """Who may act for this elder."""
    return set(session.scalars(select(Proxy.proxy_id).where(Proxy.elder_id == elder_id, Proxy.ended_at.is_(None))))


def elders_of(session: Session, proxy_id: UUID) -> list[UUID]:
    """For whom this person may act."""
    return list(session.scalars(select(Proxy.elder_id).where(Proxy.proxy_id == proxy_id, Proxy.ended_at.is_(None))))


def actor_of(session: Session, login_id: UUID) -> Actor | None:
    """Who stands behind a login now, roles and all; None where it is gone or closed."""
    row = session.execute(
        select(Login, Person).outerjoin(Person, Person.id == Login.person_id).where(Login.id == login_id)
    ).one_or_none()
    if row is None or row.Login.disabled_at is not None:
        return None
    login, behind = row.Login, row.Person
    return Actor(
        login_id=login.id,
        name=behind.name if behind else login.display_name,
        person_id=login.person_id,
        staff_role=StaffRole(login.staff_role) if login.staff_role else None,
        township_code=login.township_code or (behind.township_code if behind else None),
        organisation_id=login.organisation_id,
        roles=frozenset(roles_of(session, behind.id)) if behind else frozenset(),
    )


def staff_by_username(session: Session, username: str) -> Actor | None:
    """The member of staff with this login name; None where there is none, or the login is closed."""
    login_id = session.scalar(select(Login.id).where(Login.username == username))
    return actor_of(session, login_id) if login_id is not None else None
