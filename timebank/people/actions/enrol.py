"""Entering people: a steward enrols them, or they register themselves on the phone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.crypto import keyring
from timebank.core.errors import BankError, Conflict, Refused
from timebank.core.ids import new_id
from timebank.people import id_numbers
from timebank.people.id_numbers import IdNumber, age_on
from timebank.people.login_models import Login
from timebank.people.models import ElderFile, Person, PersonRole
from timebank.people.name_index import name_last4_index
from timebank.people.phones import tidy_phone
from timebank.people.queries import must_be_here
from timebank.people.rules import ROLE_NAMES, person_left, roles_by_age, same_name, tidy_name
from timebank.people.villages import village_called
from timebank.policies.queries import in_force
from timebank.townships.queries import township, village_names

ENTERING_LOCK = 0x7B004
"""Advisory lock that everybody who enters one person shares, and that an office's whole roster takes alone."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A person as written on a form."""

    name: str
    id_number: str
    township_code: str
    phone: str | None = None
    roles: tuple[str, ...] = ()
    village: str | None = None


def enrol(session: Session, *, actor: Actor, form: Enrolment) -> Person:
    """Enter a person in the steward's township, or add roles, and a missing phone or village, to one who is there.

    Whoever has left comes back by it, wherever they live now: with new accounts, the old login and the old honours.
    Raises NotAllowed ``steward_only``, ``other_township``; Refused ``id_number_invalid``, ``name_missing``,
    ``phone_invalid``, ``township_unknown``, ``village_unknown``, ``role_unknown``, ``name_mismatch``; Conflict
    ``enrolled_elsewhere``, ``person_left`` for whoever has died.
    """
    township(session, form.township_code)
    actor.must_steward(form.township_code)
    village = _village(session, form)
    unknown = [role for role in form.roles if role not in ROLE_NAMES]
    if unknown or not form.roles:
        raise Refused("role_unknown", f"请选择{'、'.join(ROLE_NAMES.values())}", roles=unknown)
    id_number = read_id_number(form.id_number)
    person = find_and_lock(session, id_number)
    if person is None:
        person = _enter(session, form, id_number, enrolled_by=actor.login_id)
    else:
        _must_match(person, form.name)
        if person.left_at is not None:
            _welcome_back(session, person, form.township_code)
        if person.township_code != form.township_code:
            raise Conflict("enrolled_elsewhere", "此人已在其他镇街登记", township_code=person.township_code)
        person.phone = person.phone or _phone(form.phone)
    add_roles(session, person.id, form.roles)
    _file_village(session, person, village)
    session.flush()
    return person


def register(session: Session, *, actor: Actor, form: Enrolment) -> Person:
    """Bind a fresh WeChat login to its person, who may be enrolled already and is then not doubled.

    Whoever has left comes back before a steward only. Raises Conflict ``already_registered``, ``person_left``,
    ``person_frozen``; Refused ``name_mismatch``, ``id_number_invalid``, ``name_missing``, ``phone_invalid``,
    ``township_unknown``, ``village_unknown``. A village counts where the person is registered in its township.
    """
    township(session, form.township_code)
    village = _village(session, form)
    id_number = read_id_number(form.id_number)
    login = session.get_one(Login, actor.login_id, with_for_update=True)
    if login.openid is None or login.person_id is not None:
        raise _already_registered()
    person = find_and_lock(session, id_number)
    if person is None:
        person = _enter(session, form, id_number, enrolled_by=login.id)
    else:
        _must_match(person, form.name)
        session.refresh(person, with_for_update={"key_share": True})
        must_be_here(person)
        if session.scalar(select(Login.id).where(Login.person_id == person.id, Login.openid.is_not(None))):
            raise _already_registered()
        person.phone = person.phone or _phone(form.phone)
    if person.township_code == form.township_code:
        _file_village(session, person, village)
    login.person_id, login.display_name = person.id, person.name
    policies = in_force(session, at=clock.now())
    add_roles(
        session,
        person.id,
        roles_by_age(
            age_on(person.born_on, clock.today()),
            volunteer_min_age=policies.whole("volunteer_min_age", person.township_code),
            help_min_age=policies.whole("help_min_age", person.township_code),
        ),
    )
    session.flush()
    return person


def read_id_number(text: str) -> IdNumber:
    """Raises Refused ``id_number_invalid``."""
    try:
        return id_numbers.parse(text, today=clock.today())
    except ValueError:
        raise Refused("id_number_invalid", "身份证号有误，请核对18位号码", field="id_number") from None


def find_and_lock(session: Session, id_number: IdNumber) -> Person | None:
    """The person with this number, if entered; until the unit of work ends nobody else enters the same number."""
    index = keyring().blind_index(id_number.value)
    session.execute(select(func.pg_advisory_xact_lock_shared(ENTERING_LOCK)))
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(index.hex(), 0))))
    return session.scalar(select(Person).where(Person.id_number_index == index))


def add_roles(session: Session, person_id: UUID, roles: Iterable[str]) -> None:
    """Give roles; those already there stay as they are."""
    rows = [{"person_id": person_id, "role": role, "since": clock.now()} for role in roles]
    if rows:
        session.execute(insert(PersonRole).values(rows).on_conflict_do_nothing())


def _enter(session: Session, form: Enrolment, id_number: IdNumber, *, enrolled_by: UUID | None) -> Person:
    name = tidy_name(form.name)
    if not name:
        raise Refused("name_missing", "请填写姓名", field="name")
    person = Person(
        id=new_id(),
        name=name,
        id_number=id_number.value,
        id_number_index=keyring().blind_index(id_number.value),
        name_last4_index=name_last4_index(name, id_number.value),
        born_on=id_number.born_on,
        sex=id_number.sex,
        phone=_phone(form.phone),
        township_code=form.township_code,
        enrolled_at=clock.now(),
        enrolled_by=enrolled_by,
    )
    session.add(person)
    session.flush()
    return person


def _welcome_back(session: Session, person: Person, township_code: str) -> None:
    session.refresh(person, with_for_update={"key_share": True})
    if person.death_reported_at is not None:
        raise person_left(person.name)
    if person.township_code != township_code:
        forget_village(session, person.id)
    person.left_at, person.township_code = None, township_code
    theirs = (Login.person_id == person.id, Login.openid.is_not(None))
    session.execute(update(Login).where(*theirs).values(disabled_at=None))


def forget_village(session: Session, person_id: UUID) -> None:
    """Whoever goes to another township lives in no village of the old one any more."""
    session.execute(update(ElderFile).where(ElderFile.person_id == person_id).values(village=None))


def _village(session: Session, form: Enrolment) -> str | None:
    if not (form.village or "").strip():
        return None
    found = village_called(form.village or "", village_names(session, form.township_code))
    if found is None:
        title = "本镇街没有这个村社，请写全名，如某某村、某某社区"
        raise Refused("village_unknown", title, field="village", township_code=form.township_code)
    return found


def _file_village(session: Session, person: Person, village: str | None) -> None:
    """Fill a village that is missing; the file is made where there is none."""
    if village is None:
        return
    # Whoever assesses an elder locks the person and makes the file too.
    session.execute(select(Person.id).where(Person.id == person.id).with_for_update(key_share=True))
    file = session.get(ElderFile, person.id, populate_existing=True)
    if file is None:
        session.add(ElderFile(person_id=person.id, circumstances=[], village=village))
    elif not file.village:
        file.village = village


def _phone(written: str | None) -> str | None:
    try:
        return tidy_phone(written)
    except ValueError:
        raise Refused("phone_invalid", "电话号码有误", field="phone") from None


def _must_match(person: Person, name: str) -> None:
    if not same_name(person.name, name):
        raise Refused("name_mismatch", "姓名与登记的不一致，请到镇街核对", field="name")


def _already_registered() -> BankError:
    return Conflict("already_registered", "已经登记过，不用重复登记")
