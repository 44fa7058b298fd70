"""Delivery rounds: planned, carried, handed over at the door."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.fields import id_in_cursor
from app.api.operation import operation, page
from app.api.parser import Doors
from app.api.rounds.schemas import (
    CourierBody,
    DeliverBody,
    PlanRoundsBody,
    PunctualityPage,
    PunctualityQuery,
    RoundAnswer,
    RoundPage,
    RoundsQuery,
    StopItem,
    UndeliveredBody,
)
from timebank.canteens.delivery import actions, views
from timebank.canteens.delivery.models import DeliveryRound, DeliveryStop
from timebank.canteens.delivery.queries.figures import punctuality
from timebank.canteens.delivery.rules import OUTCOME_NAMES, ROUND_STATE_NAMES, RoundState, StopOutcome
from timebank.canteens.delivery.views import RoundFilter, RoundView, StopView
from timebank.core.actors import Actor
from timebank.core.errors import BankError

doors = Doors("rounds", __name__, url_prefix="/api/v1/rounds", description="送餐趟次")

_OF_THE_ROUND = (
    *("canteen_id", "meal", "number", "state", "carrier", "task_id", "departs_at", "minutes", "late", "unlocated"),
    *("departed_at", "ended_at"),
)
_OF_THE_VIEW = (
    *("canteen_name", "taken", "carrier_name", "carrier_phone", "task_status", "service_code", "stops"),
    "open_stops",
)
_OF_THE_STOP = (
    *("round_id", "position", "order_id", "planned_minutes", "outcome", "reason", "note", "evidence", "closed_at"),
    *("closed_by_name", "minutes_after_cooking"),
)
_OF_ITS_VIEW = ("pickup_number", "diet_form", "portions", "address", "delivery_note", "name", "phone")


@operation(
    doors, "/plan", "rounds.plan", "安排送餐趟次",
    method="POST", body=PlanRoundsBody, answers=RoundPage, key="optional",
)  # fmt: skip
def plan(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    made = actions.plan_rounds(
        session, actor=actor, canteen_id=body["canteen_id"], served_on=body["on"], meal=body["meal"]
    )
    return {"items": _rounds(views.see_rounds(session, actor=actor, rounds=made)), "next_cursor": None}


@operation(doors, "", "rounds.list", "送餐趟次列表", query=RoundsQuery, answers=RoundPage)
def list_rounds(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    before, limit = id_in_cursor(query.pop("cursor", None)), query.pop("limit")
    found = views.find_rounds(session, actor=actor, wanted=RoundFilter(**query), limit=limit + 1, before=before)
    answer = page(found, limit, lambda view: view.round.id)
    return {**answer, "items": _rounds(answer["items"])}


@operation(doors, "/punctuality", "rounds.punctuality", "送餐及时率", query=PunctualityQuery, answers=PunctualityPage)
def show_punctuality(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    after, limit = id_in_cursor(query.get("cursor")), query["limit"]
    found = punctuality(session, actor=actor, month=query["month"], limit=limit + 1, after=after)
    return page(found, limit, lambda one: one.canteen_id)


@operation(doors, "/<uuid:round_id>", "rounds.show", "送餐趟次详情", answers=RoundAnswer)
def show(session: Session, actor: Actor, round_id: UUID) -> dict[str, Any]:
    return _whole(views.round_for(session, actor=actor, round_id=round_id))


@operation(
    doors, "/<uuid:round_id>/courier", "rounds.give_to_courier", "改派配送员",
    method="POST", body=CourierBody, answers=RoundAnswer, key="optional",
)  # fmt: skip
def give_to_courier(session: Session, actor: Actor, body: dict[str, Any], round_id: UUID) -> dict[str, Any]:
    return _changed(session, actor, actions.give_to_courier(session, actor=actor, round_id=round_id, **body))


@operation(
    doors, "/<uuid:round_id>/start", "rounds.start", "出发送餐",
    method="POST", answers=RoundAnswer, key="optional",
)  # fmt: skip
def start(session: Session, actor: Actor, round_id: UUID) -> dict[str, Any]:
    return _changed(session, actor, actions.start_round(session, actor=actor, round_id=round_id))


@operation(
    doors, "/<uuid:round_id>/finish", "rounds.finish", "送餐结束",
    method="POST", answers=RoundAnswer, key="optional",
)  # fmt: skip
def finish(session: Session, actor: Actor, round_id: UUID) -> dict[str, Any]:
    return _changed(session, actor, actions.finish_round(session, actor=actor, round_id=round_id))


@operation(
    doors, "/deliver", "rounds.deliver", "送达交接",
    method="POST", body=DeliverBody, answers=StopItem, key="required",
)  # fmt: skip
def deliver(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any] | BankError:
    return _closed(session, actor, actions.deliver(session, actor=actor, **body))


@operation(
    doors, "/undelivered", "rounds.undelivered", "登记未送达",
    method="POST", body=UndeliveredBody, answers=StopItem, key="required",
)  # fmt: skip
def undelivered(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any] | BankError:
    return _closed(session, actor, actions.report_undelivered(session, actor=actor, **body))


def _changed(session: Session, actor: Actor, round_: DeliveryRound) -> dict[str, Any]:
    return _whole(views.see_round(session, actor=actor, round_=round_))


def _closed(session: Session, actor: Actor, stop: DeliveryStop | BankError) -> dict[str, Any] | BankError:
    return stop if isinstance(stop, BankError) else _stop(views.stop_of(session, actor=actor, stop=stop))


def _rounds(found: list[RoundView]) -> list[dict[str, Any]]:
    return [_round(view) for view in found]


def _round(view: RoundView) -> dict[str, Any]:
    return {
        "round_id": view.round.id,
        "on": view.round.served_on,
        "state_name": ROUND_STATE_NAMES[RoundState(view.round.state)],
        "untaken_told_at": view.round.told_at,
        **{name: getattr(view.round, name) for name in _OF_THE_ROUND},
        **{name: getattr(view, name) for name in _OF_THE_VIEW},
    }


def _whole(found: tuple[RoundView, list[StopView]]) -> dict[str, Any]:
    view, stops = found
    return {**_round(view), "stop_list": [_stop(stop) for stop in stops]}


def _stop(view: StopView) -> dict[str, Any]:
    outcome = view.stop.outcome
    return {
        "outcome_name": OUTCOME_NAMES[StopOutcome(outcome)] if outcome is not None else None,
        **{name: getattr(view.stop, name) for name in _OF_THE_STOP},
        **{name: getattr(view, name) for name in _OF_ITS_VIEW},
    }
