"""People and actors for tests: valid numbers, any age, any township."""

from __future__ import annotations

from datetime import date
from itertools import count
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.ids import new_id
from timebank.people import id_numbers
from timebank.people.actions import Enrolment, create_staff_login, enrol, wechat_login
from timebank.people.login_models import Login
from timebank.people.queries import actor_of
from timebank.townships.models import Organisation

XIWU, SHANGTIAN, DAYAN = "330213004", "330213007", "330213107"

_serial = count(1)


def valid_id_number(born_on: date, *, area: str = "330224") -> str:
    """A number with a right check digit that no other call has given."""
    number = next(_serial)
    body = f"{area}{born_on:%Y%m%d}{number % 1000:03}"
    # Beyond a thousand a day the area moves on; no list of areas is kept anywhere.
    body = f"{int(area) + number // 1000:06}{body[6:]}"
    return body + id_numbers.check_character(body)


def born_for_age(age: int) -> date:
    """A birthday that makes somebody ``age`` years old today."""
    today = clock.today()
    return date(today.year - age, 1, 1)


def staff(
    role: StaffRole = StaffRole.DISTRICT_STEWARD, township_code: str | None = None, organisation_id: UUID | None = None
) -> Actor:
    """A staff actor without a login row, for the bank's own tests."""
    return Actor(new_id(), f"{role}-{township_code}", None, role, township_code, organisation_id)


def district() -> Actor:
    """A district steward."""
    return staff()


def steward(township_code: str) -> Actor:
    """A steward of one township."""
    return staff(StaffRole.TOWNSHIP_STEWARD, township_code)


def add_canteen(session: Session, township_code: str, name: str | None = None) -> Organisation:
    """A canteen in a township."""
    return _add_organisation(session, "canteen", township_code, name or f"{township_code}食堂{next(_serial)}")


def add_provider(session: Session, township_code: str, name: str | None = None) -> Organisation:
    """A home-care provider in a township."""
    name = name or f"{township_code}居家养老服务中心{next(_serial)}"
    return _add_organisation(session, "provider", township_code, name)


def _add_organisation(session: Session, kind: str, township_code: str, name: str) -> Organisation:
    organisation = Organisation(id=new_id(), kind=kind, name=name, township_code=township_code)
    session.add(organisation)
    session.flush()
    return organisation


def clerk(canteen: Organisation) -> Actor:
    """A clerk of a canteen."""
    return staff(StaffRole.CANTEEN_CLERK, canteen.township_code, canteen.id)


def add_person(
    session: Session, township_code: str, *, age: int = 70, roles: tuple[str, ...] = ("volunteer",), name: str = "王梅"
) -> Actor:
    """A person of ``age`` years with a WeChat login; answered as the actor behind it."""
    form = Enrolment(name, valid_id_number(born_for_age(age)), township_code, "13812345678", roles)
    person = enrol(session, actor=district(), form=form)
    login = wechat_login(session, openid=f"openid-{person.id}")
    login.person_id = person.id
    session.flush()
    actor = actor_of(session, login.id)
    assert actor is not None
    return actor


def add_elder(session: Session, township_code: str, *, age: int = 82, name: str = "李奶奶") -> Actor:
    """An elder with a WeChat login."""
    return add_person(session, township_code, age=age, roles=("elder",), name=name)


def add_staff_login(session: Session, username: str, password: str, role: StaffRole, **where: object) -> Login:
    """A staff login with its password."""
    return create_staff_login(
        session,
        username=username,
        password=password,
        display_name=username,
        role=role,
        **where,  # type: ignore[arg-type]
    )
