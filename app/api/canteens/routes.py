"""Canteens: the map, their life, hours, closed days, and grades."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.canteens.answers import canteen_item, canteen_now
from app.api.canteens.schemas import (
    AcceptCanteenBody,
    AddClosedDaysBody,
    ApplyForCanteenBody,
    ApproveGradeBody,
    CanteenGradeItem,
    CanteenGradePage,
    CanteenHoursBody,
    CanteenPage,
    CanteenReasonBody,
    CanteensQuery,
    ChangeCanteenBody,
    ProposeGradeBody,
    RemoveClosedDayBody,
    WholeCanteenAnswer,
)
from app.api.fields import PageQuery, numbers_in_cursor
from app.api.operation import operation, page
from app.api.parser import Doors
from app.api.sorting import listed, part_of
from timebank.canteens.network import actions, views
from timebank.canteens.network.actions import Application, Inspection, Particulars
from timebank.canteens.network.models import CanteenGrade
from timebank.canteens.network.rules import MealHours
from timebank.canteens.network.views import CanteenFilter
from timebank.core.actors import Actor

_WANTED = ("township_code", "canteen_type", "state", "meal", "latitude", "longitude", "within_m")

doors = Doors("canteens", __name__, url_prefix="/api/v1/canteens", description="助餐点")


@operation(doors, "", "canteens.list", "助餐点地图与名单", query=CanteensQuery, answers=CanteenPage)
def list_canteens(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    wanted = CanteenFilter(**{name: query.get(name) for name in _WANTED})
    orders = views.canteen_orders(wanted)
    found = views.find_canteens(session, actor=actor, wanted=wanted, part=part_of(query, orders))
    return listed(found.holding([canteen_item(view) for view in found.items]), orders)


@operation(doors, "/<uuid:canteen_id>", "canteens.show", "助餐点详情", answers=WholeCanteenAnswer)
def show(session: Session, actor: Actor, canteen_id: UUID) -> dict[str, Any]:
    return canteen_now(session, actor, canteen_id)


@operation(
    doors, "", "canteens.apply", "申请开办助餐点",
    method="POST", body=ApplyForCanteenBody, answers=WholeCanteenAnswer, status=201, key="optional",
)  # fmt: skip
def apply(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    who = {name: body.pop(name) for name in ("name", "township_code", "canteen_type")}
    made = actions.apply(session, actor=actor, form=Application(particulars=Particulars(**body), **who))
    return canteen_now(session, actor, made.id)


@operation(
    doors, "/<uuid:canteen_id>", "canteens.change", "变更助餐点",
    method="PUT", body=ChangeCanteenBody, answers=WholeCanteenAnswer, key="optional",
)  # fmt: skip
def change(session: Session, actor: Actor, body: dict[str, Any], canteen_id: UUID) -> dict[str, Any]:
    actions.change(session, actor=actor, canteen_id=canteen_id, particulars=Particulars(**body))
    return canteen_now(session, actor, canteen_id)


@operation(
    doors, "/<uuid:canteen_id>/accept", "canteens.accept", "助餐点现场验收",
    method="POST", body=AcceptCanteenBody, answers=WholeCanteenAnswer, key="optional",
)  # fmt: skip
def accept(session: Session, actor: Actor, body: dict[str, Any], canteen_id: UUID) -> dict[str, Any]:
    actions.accept(session, actor=actor, canteen_id=canteen_id, found=Inspection(**body))
    return canteen_now(session, actor, canteen_id)


@operation(
    doors, "/<uuid:canteen_id>/open", "canteens.open", "助餐点开业",
    method="POST", answers=WholeCanteenAnswer, key="optional",
)  # fmt: skip
def open_canteen(session: Session, actor: Actor, canteen_id: UUID) -> dict[str, Any]:
    actions.open_canteen(session, actor=actor, canteen_id=canteen_id)
    return canteen_now(session, actor, canteen_id)


@operation(
    doors, "/<uuid:canteen_id>/suspend", "canteens.suspend", "助餐点暂停",
    method="POST", body=CanteenReasonBody, answers=WholeCanteenAnswer, key="optional",
)  # fmt: skip
def suspend(session: Session, actor: Actor, body: dict[str, Any], canteen_id: UUID) -> dict[str, Any]:
    actions.suspend(session, actor=actor, canteen_id=canteen_id, **body)
    return canteen_now(session, actor, canteen_id)


@operation(
    doors, "/<uuid:canteen_id>/close", "canteens.close", "助餐点关闭",
    method="POST", body=CanteenReasonBody, answers=WholeCanteenAnswer, key="optional",
)  # fmt: skip
def close(session: Session, actor: Actor, body: dict[str, Any], canteen_id: UUID) -> dict[str, Any]:
    actions.close(session, actor=actor, canteen_id=canteen_id, **body)
    return canteen_now(session, actor, canteen_id)


@operation(
    doors, "/<uuid:canteen_id>/hours", "canteens.set_hours", "设定供餐时间和份数",
    method="PUT", body=CanteenHoursBody, answers=WholeCanteenAnswer, key="optional",
)  # fmt: skip
def set_hours(session: Session, actor: Actor, body: dict[str, Any], canteen_id: UUID) -> dict[str, Any]:
    week = [MealHours(**one) for one in body["hours"]]
    actions.set_hours(session, actor=actor, canteen_id=canteen_id, week=week)
    return canteen_now(session, actor, canteen_id)


@operation(
    doors, "/<uuid:canteen_id>/closed-days", "canteens.add_closed_days", "登记停餐日",
    method="POST", body=AddClosedDaysBody, answers=WholeCanteenAnswer, key="optional",
)  # fmt: skip
def add_closed_days(session: Session, actor: Actor, body: dict[str, Any], canteen_id: UUID) -> dict[str, Any]:
    actions.add_closed_days(session, actor=actor, canteen_id=canteen_id, **body)
    return canteen_now(session, actor, canteen_id)


@operation(
    doors, "/<uuid:canteen_id>/closed-days/remove", "canteens.remove_closed_day", "撤销停餐日",
    method="POST", body=RemoveClosedDayBody, answers=WholeCanteenAnswer, key="optional",
)  # fmt: skip
def remove_closed_day(session: Session, actor: Actor, body: dict[str, Any], canteen_id: UUID) -> dict[str, Any]:
    actions.remove_closed_day(session, actor=actor, canteen_id=canteen_id, **body)
    return canteen_now(session, actor, canteen_id)


@operation(
    doors, "/<uuid:canteen_id>/grades", "canteens.propose_grade", "提出年度等级",
    method="POST", body=ProposeGradeBody, answers=CanteenGradeItem, key="optional",
)  # fmt: skip
def propose_grade(session: Session, actor: Actor, body: dict[str, Any], canteen_id: UUID) -> CanteenGrade:
    return actions.propose_grade(session, actor=actor, canteen_id=canteen_id, **body)


@operation(
    doors, "/<uuid:canteen_id>/grades/approve", "canteens.approve_grade", "批准年度等级，记入运营补贴",
    method="POST", body=ApproveGradeBody, answers=CanteenGradeItem, key="required",
)  # fmt: skip
def approve_grade(session: Session, actor: Actor, body: dict[str, Any], canteen_id: UUID) -> CanteenGrade:
    return actions.approve_grade(session, actor=actor, canteen_id=canteen_id, **body)


@operation(
    doors, "/<uuid:canteen_id>/grades", "canteens.grades", "历年等级",
    query=PageQuery, answers=CanteenGradePage,
)  # fmt: skip
def grades(session: Session, actor: Actor, query: dict[str, Any], canteen_id: UUID) -> dict[str, Any]:
    place, limit = numbers_in_cursor(query.get("cursor"), 1), query["limit"]
    before = min(place[0], 9999) if place is not None else None
    found = views.grades_of(session, canteen_id=canteen_id, actor=actor, limit=limit + 1, before_year=before)
    return page(found, limit, lambda graded: [graded.year])
