"""The pilot's demo people, for development only: staff of three townships, two canteens, volunteers and elders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.adapters.wechat import WeChat
from timebank.core.actors import Actor, StaffRole
from timebank.core.ids import new_id
from timebank.people.actions import Enrolment, create_staff_login, enrol, wechat_login
from timebank.people.id_numbers import check_character
from timebank.townships.models import Organisation

PASSWORD = "timebank-demo"
SHANGTIAN, XIWU, DAYAN = "330213007", "330213004", "330213107"
CANTEENS = {"canteen-xiwu": ("西坞街道中心食堂", XIWU), "canteen-dayan": ("大堰镇老年食堂", DAYAN)}

STAFF: tuple[tuple[str, str, StaffRole, str | None], ...] = (
    ("district", "区民政局管理员", StaffRole.DISTRICT_STEWARD, None),
    ("district-2", "区民政局复核员", StaffRole.DISTRICT_STEWARD, None),
    ("shangtian", "尚田街道管理员", StaffRole.TOWNSHIP_STEWARD, SHANGTIAN),
    ("xiwu", "西坞街道管理员", StaffRole.TOWNSHIP_STEWARD, XIWU),
    ("dayan", "大堰镇管理员", StaffRole.TOWNSHIP_STEWARD, DAYAN),
    ("auditor", "审计", StaffRole.AUDITOR, None),
    ("canteen-xiwu", "西坞助餐点", StaffRole.CANTEEN_CLERK, XIWU),
    ("canteen-dayan", "大堰助餐点", StaffRole.CANTEEN_CLERK, DAYAN),
)


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody who can be played with ``timebank phone login NAME``."""

    name: str
    born_on: date
    serial: str
    township_code: str
    roles: tuple[str, ...]

    @property
    def id_number(self) -> str:
        """A number of the right form; the serial's parity says the sex."""
        body = f"330224{self.born_on:%Y%m%d}{self.serial}"
        return body + check_character(body)


PEOPLE = (
    DemoPerson("林阿姨", date(1959, 3, 12), "902", SHANGTIAN, ("volunteer",)),
    DemoPerson("陈师傅", date(1957, 8, 25), "903", DAYAN, ("volunteer",)),
    DemoPerson("周奶奶", date(1941, 10, 2), "904", XIWU, ("elder",)),
    DemoPerson("吴爷爷", date(1938, 5, 18), "905", DAYAN, ("elder",)),
)


def seed_demo(session: Session, wechat: WeChat) -> None:
    """Put the demo people in; those already there stay as they are."""
    canteens = {username: _canteen(session, *where) for username, where in CANTEENS.items()}
    for username, title, role, township_code in STAFF:
        canteen = canteens.get(username)
        create_staff_login(
            session,
            username=username,
            password=PASSWORD,
            display_name=title,
            role=role,
            township_code=township_code,
            organisation_id=canteen.id if canteen else None,
        )
    seeder = Actor(new_id(), "演示数据", staff_role=StaffRole.DISTRICT_STEWARD)
    for someone in PEOPLE:
        form = Enrolment(someone.name, someone.id_number, someone.township_code, roles=someone.roles)
        person = enrol(session, actor=seeder, form=form)
        login = wechat_login(session, openid=wechat.session_of(f"demo:{someone.name}").openid)
        if login.person_id is None:
            login.person_id, login.display_name = person.id, person.name
    session.flush()


def _canteen(session: Session, name: str, township_code: str) -> Organisation:
    found = session.scalar(select(Organisation).where(Organisation.name == name))
    if found is None:
        found = Organisation(id=new_id(), kind="canteen", name=name, township_code=township_code)
        session.add(found)
        session.flush()
    return found
