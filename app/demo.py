"""The pilot's demo people, for development only: staff of three townships, canteens, a provider, aids, people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.adapters.wechat import WeChat
from app.demo_canteens import CANTEENS, demo_canteen
from app.demo_meals import demo_meals
from app.demo_menus import demo_menus
from timebank.core.actors import Actor, StaffRole
from timebank.core.ids import new_id
from timebank.people.actions import Enrolment, create_staff_login, enrol, register_proxy, wechat_login
from timebank.people.actions.consent import Asked
from timebank.people.actions.family import accept_relation, propose_relation
from timebank.people.family_models import FamilyRelation
from timebank.people.family_rules import Relation
from timebank.people.id_numbers import check_character
from timebank.people.login_models import Login
from timebank.people.queries import actor_of, people_by_id_numbers
from timebank.people.rules import ProxyScope
from timebank.redemption.aids.actions.items import NewItem, enter_item
from timebank.redemption.aids.models import AidItem
from timebank.redemption.care.actions import Offer, enter_provider
from timebank.townships.models import Organisation

PASSWORD = "timebank-demo"
SHANGTIAN, XIWU, DAYAN = "330213007", "330213004", "330213107"
PROVIDER = ("care-xiwu", "西坞街道居家养老服务中心", XIWU)
OFFER = Offer(
    grade=3,
    services=["bathing", "cleaning", "companionship", "daily_care", "medical_help", "rehabilitation"],
    townships=[XIWU, SHANGTIAN, DAYAN],
    daily_capacity_minutes=960,
)
AIDS = (
    NewItem("FH-LY-0001", "wheelchair", "折叠轮椅", XIWU, date(2025, 6, 1)),
    NewItem("FH-LY-0002", "wheelchair", "折叠轮椅", DAYAN, date(2025, 6, 1)),
    NewItem("FH-ZX-0001", "walker", "四脚助行器", SHANGTIAN, date(2025, 9, 1)),
)

STAFF: tuple[tuple[str, str, StaffRole, str | None], ...] = (
    ("district", "区民政局管理员", StaffRole.DISTRICT_STEWARD, None),
    ("district-2", "区民政局复核员", StaffRole.DISTRICT_STEWARD, None),
    ("shangtian", "尚田街道管理员", StaffRole.TOWNSHIP_STEWARD, SHANGTIAN),
    ("xiwu", "西坞街道管理员", StaffRole.TOWNSHIP_STEWARD, XIWU),
    ("dayan", "大堰镇管理员", StaffRole.TOWNSHIP_STEWARD, DAYAN),
    ("auditor", "审计", StaffRole.AUDITOR, None),
    ("canteen-xiwu", "西坞助餐点", StaffRole.CANTEEN_CLERK, XIWU),
    ("canteen-dayan", "大堰助餐点", StaffRole.CANTEEN_CLERK, DAYAN),
    ("care-xiwu", "西坞居家养老", StaffRole.CARE_PROVIDER, XIWU),
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
    DemoPerson("周小敏", date(1972, 4, 9), "906", XIWU, ("volunteer",)),
)
MOTHER, DAUGHTER = "周奶奶", "周小敏"


def seed_demo(session: Session, wechat: WeChat) -> None:
    """Put the demo people in; those already there stay as they are."""
    seeder = Actor(new_id(), "演示数据", staff_role=StaffRole.DISTRICT_STEWARD)
    workplaces = {username: demo_canteen(session, seeder, demo) for username, demo in CANTEENS.items()}
    for canteen_id in workplaces.values():
        demo_menus(session, seeder, canteen_id)
    workplaces[PROVIDER[0]] = _provider(session, seeder)
    logins_of_staff = _staff(session, workplaces)
    logins = {someone.name: _person(session, seeder, wechat, someone) for someone in PEOPLE}
    _aids(session, seeder)
    _family(session, seeder, logins[MOTHER], logins[DAUGHTER])
    demo_meals(session, seeder, canteens=workplaces, clerks=logins_of_staff, people=_people(session))
    session.flush()


def _staff(session: Session, workplaces: Mapping[str, UUID]) -> dict[str, UUID]:
    """The logins of the demo's staff by name."""
    made = {}
    for username, title, role, township_code in STAFF:
        login = create_staff_login(
            session,
            username=username,
            password=PASSWORD,
            display_name=title,
            role=role,
            township_code=township_code,
            organisation_id=workplaces.get(username),
        )
        made[username] = login.id
    return made


def _people(session: Session) -> dict[str, UUID]:
    """Who the demo's people are, by name."""
    found = people_by_id_numbers(session, [someone.id_number for someone in PEOPLE])
    return {someone.name: found[someone.id_number].id for someone in PEOPLE}


def _person(session: Session, seeder: Actor, wechat: WeChat, someone: DemoPerson) -> UUID:
    """The login of a demo person, who may have moved or left meanwhile."""
    person = people_by_id_numbers(session, [someone.id_number]).get(someone.id_number)
    if person is None:
        form = Enrolment(someone.name, someone.id_number, someone.township_code, roles=someone.roles)
        person = enrol(session, actor=seeder, form=form)
    known = session.scalar(select(Login.id).where(Login.person_id == person.id))
    if known is not None:
        return known
    login = wechat_login(session, openid=wechat.session_of(f"demo:{someone.name}").openid)
    if login.person_id is None:
        login.person_id, login.display_name = person.id, person.name
    session.flush()
    return login.id


def _provider(session: Session, seeder: Actor) -> UUID:
    _, name, township_code = PROVIDER
    known = session.scalar(select(Organisation.id).where(Organisation.name == name))
    if known is not None:
        return known
    return enter_provider(session, actor=seeder, name=name, township_code=township_code, offer=OFFER).provider_id


def _aids(session: Session, seeder: Actor) -> None:
    known = set(session.scalars(select(AidItem.serial)))
    for form in AIDS:
        if form.serial not in known:
            enter_item(session, actor=seeder, form=form)


def _family(session: Session, seeder: Actor, mothers_login: UUID, daughters_login: UUID) -> None:
    """The daughter is registered and may act for her mother; what people have changed since stays as it is."""
    mother, daughter = actor_of(session, mothers_login), actor_of(session, daughters_login)
    if session.scalar(select(FamilyRelation.id).limit(1)) is not None or mother is None or daughter is None:
        return
    asked = Asked(daughter.name, person_id=daughter.person())
    proposal = propose_relation(session, actor=mother, asked=asked, relation=Relation.CHILD)
    accept_relation(session, actor=daughter, proposal_id=proposal.id)
    register_proxy(
        session,
        actor=seeder,
        elder_id=mother.person(),
        proxy_id=daughter.person(),
        relation="女儿",
        consent_evidence="演示：纸质委托书",
        scopes=list(ProxyScope),
    )
