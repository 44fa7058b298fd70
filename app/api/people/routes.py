"""Entering and finding people, for stewards."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.operation import operation
from app.api.parser import Doors
from app.api.people.schemas import (
    EnrolBody,
    EnrolledAnswer,
    FindQuery,
    MoveBody,
    MovedAnswer,
    PersonAnswer,
    ProxyAnswer,
    ProxyBody,
)
from timebank.clearing.actions import MovedHome, move_home
from timebank.core.actors import Actor
from timebank.ledger.queries import balance_of
from timebank.people import actions, queries
from timebank.people.actions import Enrolment
from timebank.people.actions.enrol import read_id_number
from timebank.people.id_numbers import masked
from timebank.people.models import Proxy
from timebank.people.phones import masked_phone

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
    return {
        "person_id": found.id,
        "name": found.name,
        "id_number_masked": masked(found.id_number),
        "phone_masked": masked_phone(found.phone) if found.phone else None,
        "township_code": found.township_code,
        "roles": queries.roles_of(session, found.id),
        "savings_minutes": balance_of(session, found.id).savings_minutes,
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
