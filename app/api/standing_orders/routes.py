"""Standing orders: set, pause, end, list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.fields import id_in_cursor
from app.api.operation import operation, page
from app.api.parser import Doors
from app.api.standing_orders.schemas import (
    PauseStandingOrderBody,
    SetStandingOrderBody,
    StandingOrderAnswer,
    StandingOrderPage,
    StandingOrdersQuery,
)
from timebank.canteens.orders import actions, views
from timebank.canteens.orders.actions import StandingWanted
from timebank.canteens.orders.models import StandingOrder
from timebank.canteens.orders.rules import CHOICE_NAMES, StandingChoice
from timebank.canteens.orders.views import StandingView
from timebank.canteens.pricing.rules import MEAL_NAMES, WAY_NAMES, Meal, Way
from timebank.core.actors import Actor
from timebank.redemption.good_times import weekdays_text

doors = Doors("standing_orders", __name__, url_prefix="/api/v1/standing-orders", description="长期订餐")

_OF_THE_ORDER = (
    *("diner_id", "canteen_id", "meal", "way", "weekdays", "choice", "use_vouchers", "starts_on", "ends_on"),
    *("paused_from", "paused_until", "made_at", "made_by_name", "ended_at"),
)


@operation(
    doors, "", "standing_orders.set", "设定长期订餐",
    method="POST", body=SetStandingOrderBody, answers=StandingOrderAnswer, status=201, key="required",
)  # fmt: skip
def set_standing(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    made = actions.set_standing_order(session, actor=actor, wanted=StandingWanted(**body))
    return _seen(session, made)


@operation(doors, "", "standing_orders.list", "长期订餐列表", query=StandingOrdersQuery, answers=StandingOrderPage)
def list_standing(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    before, limit = id_in_cursor(query.pop("cursor", None)), query.pop("limit")
    found = views.find_standing_orders(session, actor=actor, **query, limit=limit + 1, before=before)
    answer = page(found, limit, lambda view: view.standing.id)
    return {**answer, "items": [_standing(view) for view in answer["items"]]}


@operation(
    doors, "/<uuid:standing_order_id>", "standing_orders.show", "长期订餐详情", answers=StandingOrderAnswer
)  # fmt: skip
def show(session: Session, actor: Actor, standing_order_id: UUID) -> dict[str, Any]:
    return _standing(views.standing_order_for(session, actor=actor, standing_order_id=standing_order_id))


@operation(
    doors, "/<uuid:standing_order_id>/pause", "standing_orders.pause", "暂停长期订餐",
    method="POST", body=PauseStandingOrderBody, answers=StandingOrderAnswer, key="optional",
)  # fmt: skip
def pause(session: Session, actor: Actor, body: dict[str, Any], standing_order_id: UUID) -> dict[str, Any]:
    paused = actions.pause_standing_order(session, actor=actor, standing_order_id=standing_order_id, **body)
    return _seen(session, paused)


@operation(
    doors, "/<uuid:standing_order_id>/end", "standing_orders.end", "结束长期订餐",
    method="POST", answers=StandingOrderAnswer, key="optional",
)  # fmt: skip
def end(session: Session, actor: Actor, standing_order_id: UUID) -> dict[str, Any]:
    return _seen(session, actions.end_standing_order(session, actor=actor, standing_order_id=standing_order_id))


def _seen(session: Session, standing: StandingOrder) -> dict[str, Any]:
    return _standing(views.see_standing_order(session, standing))


def _standing(view: StandingView) -> dict[str, Any]:
    standing, last = view.standing, view.last_day
    return {
        **{name: getattr(standing, name) for name in _OF_THE_ORDER},
        "standing_order_id": standing.id,
        "diner_name": view.diner_name,
        "canteen_name": view.canteen_name,
        "meal_name": MEAL_NAMES[Meal(standing.meal)],
        "way_name": WAY_NAMES[Way(standing.way)],
        "weekdays_text": weekdays_text(standing.weekdays),
        "choice_name": CHOICE_NAMES[StandingChoice(standing.choice)],
        "last_day": last.served_on if last is not None else None,
        "last_order_id": last.order_id if last is not None else None,
        "last_refusal_code": last.refusal_code if last is not None else None,
        "last_refusal_title": last.refusal_title if last is not None else None,
    }
