"""Seeing people: one person, by number, the actor behind a login."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, Row, any_, bindparam, cast, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.crypto import keyring
from timebank.core.db import UuidColumn
from timebank.core.errors import NotFound
from timebank.people.id_numbers import IdNumber
from timebank.people.login_models import Login, WebSession
from timebank.people.models import Person, PersonRole, Proxy
from timebank.people.rules import ProxyScope, must_be_in_scope, person_frozen, person_left, tidy_name

_BEHIND = (
    select(
        *(Login.id, Login.person_id, Login.display_name, Login.staff_role, Login.township_code, Login.organisation_id),
        *(Person.name.label("person_name"), Person.township_code.label("home_code")),
        select(func.array_agg(PersonRole.role))
        .where(PersonRole.person_id == Login.person_id)
        .scalar_subquery()
        .label("roles"),
    )
    .outerjoin(Person, Person.id == Login.person_id)
    .where(Login.id == any_(bindparam("login_ids", type_=ARRAY(UuidColumn))), Login.disabled_at.is_(None))
)


def person(session: Session, person_id: UUID, *, for_update: bool = False) -> Person:
    """One person; with ``for_update`` locked, and read anew. Raises NotFound ``person_unknown``."""
    lock = {"key_share": True} if for_update else None
    found = session.get(Person, person_id, with_for_update=lock, populate_existing=for_update)
    if found is None:
        raise NotFound("person_unknown", "没有这位登记人员", person_id=person_id)
    return found


def must_be_here(someone: Person) -> None:
    """Nothing new is done for whoever has left or is reported dead.

    Raises Conflict ``person_left``, ``person_frozen``.
    """
    if someone.left_at is not None:
        raise person_left(someone.name)
    if someone.death_reported_at is not None:
        raise person_frozen(someone.name)


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


def person_seen(session: Session, *, actor: Actor, person_id: UUID) -> Person:
    """One person, for a steward of the person's township, or for an auditor.

    Raises NotAllowed ``books_not_yours``, ``other_township``; NotFound ``person_unknown``.
    """
    actor.must_see_books()
    found = person(session, person_id)
    if actor.is_steward:
        actor.must_steward(found.township_code)
    return found


def people_called(
    session: Session,
    *,
    actor: Actor,
    name: str,
    township_code: str | None,
    limit: int,
    after: tuple[str, UUID] | None = None,
) -> Sequence[Person]:
    """People whose name begins like this, by name, in a steward's own township or in all of the district.

    Goes on after the name and id ``after``. Raises NotAllowed ``steward_only``, ``other_township``.
    """
    actor.must_be_steward()
    if township_code is not None:
        actor.must_steward(township_code)
    where = township_code or actor.township_code
    query = select(Person).where(Person.name.startswith(tidy_name(name), autoescape=True))
    if where is not None:
        query = query.where(Person.township_code == where)
    # Code point by code point: the same on every database, whatever collation it was made with.
    called = Person.name.collate("C")
    if after is not None:
        query = query.where(tuple_(called, Person.id) > tuple_(literal(after[0]), literal(after[1], UuidColumn)))
    return session.scalars(query.order_by(called, Person.id).limit(limit)).all()


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


def acts_for(session: Session, actor: Actor, elder_id: UUID, scope: ProxyScope | None) -> bool:
    """Whether the actor is the elder, or a proxy with consent in force; ``scope`` None asks for a consent to anything.

    Raises NotAllowed ``proxy_scope_missing`` for a proxy who was allowed other things.
    """
    if actor.person_id is None:
        return False
    if actor.person_id == elder_id:
        return True
    consent = select(Proxy.scopes).where(
        Proxy.elder_id == elder_id, Proxy.proxy_id == actor.person_id, Proxy.ended_at.is_(None)
    )
    allowed = session.scalar(consent)
    if allowed is not None and scope is not None:
        must_be_in_scope(allowed, scope)
    return allowed is not None


def spoken_name(actor: Actor, holder: Person) -> str:
    """Who acts, as it is kept with what was done: both names where somebody acts for another."""
    return actor.name if actor.person_id == holder.id else f"{actor.name}（代{holder.name}）"


def proxies_of(session: Session, elder_id: UUID) -> set[UUID]:
    """Who may act for this elder."""
    return set(session.scalars(select(Proxy.proxy_id).where(Proxy.elder_id == elder_id, Proxy.ended_at.is_(None))))


def proxies_of_each(session: Session, elder_ids: Collection[UUID], scope: ProxyScope) -> dict[UUID, set[UUID]]:
    """Who may do what ``scope`` says for these elders, by elder; who has nobody is left out. One statement."""
    acting: dict[UUID, set[UUID]] = defaultdict(set)
    consents = select(Proxy.elder_id, Proxy.proxy_id).where(
        Proxy.elder_id == any_(cast(list(elder_ids), ARRAY(UuidColumn))),
        Proxy.ended_at.is_(None),
        Proxy.scopes.contains([scope]),
    )
    for elder_id, proxy_id in session.execute(consents) if elder_ids else ():
        acting[elder_id].add(proxy_id)
    return acting


def oneself_or_stewarded(session: Session, actor: Actor, person_id: UUID | None) -> UUID:
    """Whom somebody asks about: the actor, or somebody of the steward's township.

    Raises NotAllowed ``registration_needed``, ``steward_only``, ``other_township``; NotFound ``person_unknown``.
    """
    if person_id is None or person_id == actor.person_id:
        return actor.person()
    actor.must_be_steward()
    actor.must_steward(person(session, person_id).township_code)
    return person_id


def elders_of(session: Session, proxy_id: UUID, scope: ProxyScope) -> list[UUID]:
    """For whom this person may do what ``scope`` says."""
    consents = select(Proxy.elder_id).where(Proxy.proxy_id == proxy_id, Proxy.ended_at.is_(None))
    return list(session.scalars(consents.where(Proxy.scopes.contains([scope]))))


def actor_of(session: Session, login_id: UUID) -> Actor | None:
    """Who stands behind a login now, roles and all; None where it is gone or closed."""
    return actors_of(session, [login_id]).get(login_id)


def actors_of(session: Session, login_ids: Collection[UUID]) -> dict[UUID, Actor]:
    """Who stands behind each of these logins now, by login; who is gone or closed is left out. One statement."""
    return {row.id: _actor(row) for row in session.execute(_BEHIND, {"login_ids": list(login_ids)})}


def _actor(row: Row[Any]) -> Actor:
    return Actor(
        login_id=row.id,
        name=row.display_name if row.person_name is None else row.person_name,
        person_id=row.person_id,
        staff_role=StaffRole(row.staff_role) if row.staff_role else None,
        township_code=row.township_code or row.home_code,
        organisation_id=row.organisation_id,
        roles=frozenset(row.roles or ()),
    )


def login_of_web_session(session: Session, session_id: UUID) -> UUID | None:
    """The login that a browser is signed in as; None where its session has ended or its time is over."""
    holds = (WebSession.ended_at.is_(None), WebSession.expires_at > clock.machine_now())
    return session.scalar(select(WebSession.login_id).where(WebSession.id == session_id, *holds))


def staff_by_username(session: Session, username: str) -> Actor | None:
    """The member of staff with this login name; None where there is none, or the login is closed."""
    login_id = session.scalar(select(Login.id).where(Login.username == username))
    return actor_of(session, login_id) if login_id is not None else None
