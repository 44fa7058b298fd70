"""Diners: apply, review, change, special categories, households; list and show."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.diners.schemas import (
    ApplyToEatBody,
    CategoryGrantBody,
    DinerAnswer,
    DinerPage,
    DinersQuery,
    EndCategoryBody,
    JoinHouseholdBody,
    LeaveHouseholdBody,
    ReviewDinerBody,
    WishesBody,
    WithdrawCategoryBody,
)
from app.api.operation import operation
from app.api.parser import Doors
from app.api.sorting import listed, part_of
from timebank.canteens.diners import actions, views
from timebank.canteens.diners.actions import Application, Grant
from timebank.canteens.diners.models import Diner
from timebank.canteens.diners.rules import STATE_NAMES, DinerState
from timebank.canteens.diners.views import DINER_ORDERS, CategoryView, DinerFilter, DinerView
from timebank.canteens.pricing.rules import DIET_FORM_NAMES, DietForm
from timebank.core.actors import Actor

doors = Doors("diners", __name__, url_prefix="/api/v1/diners", description="用餐对象")

DINER = "/<uuid:person_id>"
CATEGORY = f"{DINER}/categories/<uuid:category_id>"

_FOR_THE_KITCHEN = ("person_id", "state", "diet_form", "allergies", "religious_diet", "usual_canteen_id")
_OF_THE_FILE = (
    *("delivery_address", "delivery_note", "latitude", "longitude", "household_id"),
    *("proposed_categories", "proposal_evidence", "applied_at", "applied_by_name"),
    *("reviewed_at", "reviewed_by_name", "review_reason", "ended_at"),
)
_OF_THE_VIEW = ("township_code", "age", "assessment_level")
_OF_THE_CATEGORY = (
    *("category", "evidence", "decided_at", "decided_by_name", "ended_at", "ended_by_name", "ended_reason"),
    *("withdrawn_at", "withdrawn_by_name", "withdrawn_reason"),
)


@operation(
    doors, "", "diners.apply", "申请用餐",
    method="POST", body=ApplyToEatBody, answers=DinerAnswer, status=201, key="optional",
)  # fmt: skip
def apply(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    form = Application(
        person_id=body.pop("person_id"),
        categories=body.pop("categories"),
        evidence=body.pop("evidence"),
        grants=_grants(body),
        wishes=body,
    )
    return _changed(session, actor, actions.apply(session, actor=actor, form=form))


@operation(doors, "", "diners.list", "用餐对象列表", query=DinersQuery, answers=DinerPage)
def list_diners(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    named = ("township_code", "state", "category", "canteen_id", "since", "until")
    wanted = DinerFilter(**{name: query.get(name) for name in named})
    found = views.find_diners(session, actor=actor, wanted=wanted, part=part_of(query, DINER_ORDERS))
    return listed(found.holding([diner_answer(view) for view in found.items]), DINER_ORDERS)


@operation(doors, DINER, "diners.show", "用餐对象档案", answers=DinerAnswer)
def show(session: Session, actor: Actor, person_id: UUID) -> dict[str, Any]:
    return _file(session, actor, person_id)


@operation(
    doors, f"{DINER}/review", "diners.review", "审核用餐申请",
    method="POST", body=ReviewDinerBody, answers=DinerAnswer, key="optional",
)  # fmt: skip
def review(session: Session, actor: Actor, body: dict[str, Any], person_id: UUID) -> dict[str, Any]:
    grants = _grants(body)
    return _changed(session, actor, actions.review(session, actor=actor, person_id=person_id, grants=grants, **body))


@operation(
    doors, f"{DINER}/change", "diners.change", "变更用餐档案",
    method="POST", body=WishesBody, answers=DinerAnswer, key="optional",
)  # fmt: skip
def change(session: Session, actor: Actor, body: dict[str, Any], person_id: UUID) -> dict[str, Any]:
    return _changed(session, actor, actions.change(session, actor=actor, person_id=person_id, wishes=body))


@operation(
    doors, f"{DINER}/categories", "diners.add_category", "登记特殊类别",
    method="POST", body=CategoryGrantBody, answers=DinerAnswer, status=201, key="optional",
)  # fmt: skip
def add_category(session: Session, actor: Actor, body: dict[str, Any], person_id: UUID) -> dict[str, Any]:
    actions.add_category(session, actor=actor, person_id=person_id, grant=Grant(**body))
    return _file(session, actor, person_id)


@operation(
    doors, f"{CATEGORY}/end", "diners.end_category", "终止特殊类别",
    method="POST", body=EndCategoryBody, answers=DinerAnswer, key="optional",
)  # fmt: skip
def end_category(
    session: Session, actor: Actor, body: dict[str, Any], person_id: UUID, category_id: UUID
) -> dict[str, Any]:
    actions.end_category(session, actor=actor, person_id=person_id, category_id=category_id, **body)
    return _file(session, actor, person_id)


@operation(
    doors, f"{CATEGORY}/withdraw", "diners.withdraw_category", "撤销登记有误的特殊类别",
    method="POST", body=WithdrawCategoryBody, answers=DinerAnswer, key="optional",
)  # fmt: skip
def withdraw_category(
    session: Session, actor: Actor, body: dict[str, Any], person_id: UUID, category_id: UUID
) -> dict[str, Any]:
    actions.withdraw_category(session, actor=actor, person_id=person_id, category_id=category_id, **body)
    return _file(session, actor, person_id)


@operation(
    doors, f"{DINER}/household/join", "diners.join_household", "并入同户",
    method="POST", body=JoinHouseholdBody, answers=DinerAnswer, key="optional",
)  # fmt: skip
def join_household(session: Session, actor: Actor, body: dict[str, Any], person_id: UUID) -> dict[str, Any]:
    return _changed(session, actor, actions.join_household(session, actor=actor, person_id=person_id, **body))


@operation(
    doors, f"{DINER}/household/leave", "diners.leave_household", "退出同户",
    method="POST", body=LeaveHouseholdBody, answers=DinerAnswer, key="optional",
)  # fmt: skip
def leave_household(session: Session, actor: Actor, body: dict[str, Any], person_id: UUID) -> dict[str, Any]:
    return _changed(session, actor, actions.leave_household(session, actor=actor, person_id=person_id, **body))


def _grants(body: dict[str, Any]) -> list[Grant]:
    return [Grant(**one) for one in body.pop("grants")]


def _file(session: Session, actor: Actor, person_id: UUID) -> dict[str, Any]:
    return diner_answer(views.diner_for(session, actor=actor, person_id=person_id))


def _changed(session: Session, actor: Actor, diner: Diner) -> dict[str, Any]:
    return diner_answer(views.see_diner(session, actor=actor, diner=diner))


def diner_answer(view: DinerView) -> dict[str, Any]:
    """A file as it is answered; what a canteen's kitchen does not need is null."""
    diner = view.diner
    said = {
        "name": view.name,
        "state_name": STATE_NAMES[DinerState(diner.state)],
        "diet_form_name": DIET_FORM_NAMES[DietForm(diner.diet_form)],
        "usual_canteen_name": view.usual_canteen_name,
        **{name: getattr(diner, name) for name in _FOR_THE_KITCHEN},
    }
    if not view.whole:
        return {**said, **dict.fromkeys((*_OF_THE_FILE, *_OF_THE_VIEW, "household", "categories"))}
    return {
        **said,
        **{name: getattr(diner, name) for name in _OF_THE_FILE},
        **{name: getattr(view, name) for name in _OF_THE_VIEW},
        "household": view.household,
        "categories": [_category(one) for one in view.categories],
    }


def _category(view: CategoryView) -> dict[str, Any]:
    return {
        "category_id": view.row.id,
        "category_name": view.name,
        "valid_from": view.valid_from,
        "valid_until": view.valid_until,
        "valid_today": view.valid_today,
        **{name: getattr(view.row, name) for name in _OF_THE_CATEGORY},
    }
