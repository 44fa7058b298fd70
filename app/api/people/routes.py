"""Entering and finding people, for stewards."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.fields import name_and_id_in_cursor
from app.api.operation import operation, page
from app.api.parser import Doors
from app.api.people.schemas import (
    EnrolBody,
    EnrolledAnswer,
    FindQuery,
    FoundPeoplePage,
    MoveBody,
    MovedAnswer,
    PersonAnswer,
    PersonSeenAnswer,
    ProxyAnswer,
    ProxyBody,
    SearchPeopleBody,
)
from timebank.clearing.actions import MovedHome, move_home
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.explaining.looking_up import look_up, look_up_by_name
from timebank.ledger.queries import balance_of
from timebank.people import actions, queries
from timebank.people.actions import Enrolment
from timebank.people.actions.enrol import read_id_number
from timebank.people.id_numbers import age_on, masked
from timebank.people.models import Person, Proxy
from timebank.people.phones import masked_phone
from timebank.people.rules import masked_name

doors = Doors("people", __name__, url_prefix="/api/v1/people", description="人员")


@operation(
    doors, "", "people.enrol", "登记人员",
    method="POST", body=EnrolBody, answers=EnrolledAnswer, status=201, key="optional",
)  # fmt: skip
def enrol(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    form = Enrolment(**{**body, "roles": tuple(body["roles"])})
    return {"person_id": actions.enrol(session, actor=actor, form=form).id}


@operation(doors, "/find", "people.find", "按身份证号查找", query=FindQuery, answers=PersonAnswer)
def find(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    found = queries.find_by_id_number(session, actor=actor, id_number=read_id_number(query["id_number"]))
    return {**_brief(found), **_standing(session, found)}


@operation(
    doors, "/search", "people.search", "按姓名查找", method="POST", body=SearchPeopleBody, answers=FoundPeoplePage
)
def search(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    limit, after = body["limit"], name_and_id_in_cursor(body["cursor"])
    wanted = {"name": body["name"], "township_code": body["township_code"]}
    found = look_up_by_name(session, actor=actor, limit=limit + 1, after=after, **wanted)
    answer = page(found, limit, lambda someone: [someone.name, someone.id])
    return {**answer, "items": [_brief(someone) for someone in answer["items"]]}


@operation(doors, "/<uuid:person_id>", "people.show", "一位人员", answers=PersonSeenAnswer)
def show(session: Session, actor: Actor, person_id: UUID) -> dict[str, Any]:
    found, file = look_up(session, actor=actor, person_id=person_id)
    seen = {**_brief(found), **_standing(session, found)}
    if not actor.is_steward:
        seen["name"] = masked_name(found.name)
    return {
        **seen,
        "village": file.village if file is not None else None,
        "assessment_level": file.assessment_level if file is not None else None,
        **{name: getattr(found, name) for name in ("enrolled_at", "death_reported_at")},
    }


def _brief(someone: Person) -> dict[str, Any]:
    return {
        "person_id": someone.id,
        "name": someone.name,
        "id_number_masked": masked(someone.id_number),
        "phone_masked": masked_phone(someone.phone) if someone.phone else None,
        "township_code": someone.township_code,
        "age": age_on(someone.born_on, clock.today()),
        "left_at": someone.left_at,
    }


def _standing(session: Session, someone: Person) -> dict[str, Any]:
    return {
        "roles": queries.roles_of(session, someone.id),
        "savings_minutes": balance_of(session, someone.id).savings_minutes,
    }


@operation(
    doors, "/proxies", "people.register_proxy", "登记代办人",
    method="POST", body=ProxyBody, answers=ProxyAnswer, status=201, key="optional",
)  # fmt: skip
def register_proxy(session: Session, actor: Actor, body: dict[str, Any]) -> Proxy:
    return actions.register_proxy(session, actor=actor, **body)


@operation(
    doors, "/proxies/<uuid:registration_id>/end", "people.end_proxy", "终止代办",
    method="POST", answers=ProxyAnswer, key="optional",
)  # fmt: skip
def end_proxy(session: Session, actor: Actor, registration_id: UUID) -> Proxy:
    return actions.end_proxy(session, actor=actor, registration_id=registration_id)


@operation(
    doors, "/<uuid:person_id>/move", "people.move", "迁往其他镇街",
    method="POST", body=MoveBody, answers=MovedAnswer, key="required",
)  # fmt: skip
def move(session: Session, actor: Actor, body: dict[str, Any], person_id: UUID) -> MovedHome:
    return move_home(session, actor=actor, person_id=person_id, **body)
