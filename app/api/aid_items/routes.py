"""Aids: enter, list, repair, retire, history."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.aid_items.schemas import (
    AidHistoryAnswer,
    AidItemAnswer,
    AidItemPage,
    AidItemsQuery,
    AidKindPage,
    AidReasonBody,
    AidRepairedBody,
    EnterAidBody,
)
from app.api.fields import PageQuery
from app.api.operation import operation, page_of_all
from app.api.parser import Doors
from app.api.sorting import listed, part_of
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.policies.queries import in_force
from timebank.redemption.aids import actions, queries
from timebank.redemption.aids.actions import NewItem
from timebank.redemption.aids.models import AidItem, AidItemEvent
from timebank.redemption.aids.queries import AID_ITEM_ORDERS, ItemFilter, ItemView
from timebank.redemption.aids.rules import CONDITION_NAMES, EVENT_NAMES, Condition, price_per_day

doors = Doors("aid_items", __name__, url_prefix="/api/v1/aid-items", description="康复辅具")


@operation(doors, "/kinds", "aid_items.kinds", "辅具种类与价格", query=PageQuery, answers=AidKindPage, anyone=True)
def kinds(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    prices = in_force(session, at=clock.now()).value("aid_price_minutes_per_day")
    known = queries.aid_kinds(session)
    priced = [{"code": c, "name": n, "price_minutes_per_day": price_per_day(prices, c)} for c, n in known.items()]
    return page_of_all(priced, query)


@operation(doors, "", "aid_items.list", "辅具列表", query=AidItemsQuery, answers=AidItemPage)
def list_items(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    wanted = ItemFilter(query.get("kind"), query.get("township_code"), query.get("serial"), query["available"])
    found = queries.find_items(session, wanted=wanted, part=part_of(query, AID_ITEM_ORDERS))
    return listed(found.holding([_item(view) for view in found.items]), AID_ITEM_ORDERS)


@operation(
    doors, "", "aid_items.enter", "登记辅具",
    method="POST", body=EnterAidBody, answers=AidItemAnswer, status=201, key="required",
)  # fmt: skip
def enter(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return _changed(session, actions.enter_item(session, actor=actor, form=NewItem(**body)))


@operation(doors, "/<uuid:item_id>", "aid_items.show", "辅具履历", answers=AidHistoryAnswer)
def show(session: Session, actor: Actor, item_id: UUID) -> dict[str, Any]:
    view, events = queries.item_history(session, actor=actor, item_id=item_id)
    return {**_item(view), "note": view.item.note, "history": [_event(event) for event in events]}


@operation(
    doors, "/<uuid:item_id>/to-repair", "aid_items.to_repair", "送修",
    method="POST", body=AidReasonBody, answers=AidItemAnswer, key="required",
)  # fmt: skip
def to_repair(session: Session, actor: Actor, body: dict[str, Any], item_id: UUID) -> dict[str, Any]:
    return _changed(session, actions.send_to_repair(session, actor=actor, item_id=item_id, **body))


@operation(
    doors, "/<uuid:item_id>/repaired", "aid_items.repaired", "修复",
    method="POST", body=AidRepairedBody, answers=AidItemAnswer, key="required",
)  # fmt: skip
def repaired(session: Session, actor: Actor, body: dict[str, Any], item_id: UUID) -> dict[str, Any]:
    return _changed(session, actions.mark_repaired(session, actor=actor, item_id=item_id, **body))


@operation(
    doors, "/<uuid:item_id>/retire", "aid_items.retire", "报废",
    method="POST", body=AidReasonBody, answers=AidItemAnswer, key="required",
)  # fmt: skip
def retire(session: Session, actor: Actor, body: dict[str, Any], item_id: UUID) -> dict[str, Any]:
    return _changed(session, actions.retire_item(session, actor=actor, item_id=item_id, **body))


def _changed(session: Session, item: AidItem) -> dict[str, Any]:
    return _item(queries.see_item(session, item))


def _item(view: ItemView) -> dict[str, Any]:
    item = view.item
    return {
        "item_id": item.id,
        "serial": item.serial,
        "kind": item.kind,
        "kind_name": view.kind_name,
        "name": item.name,
        "home_township_code": item.home_township_code,
        "at_township_code": item.at_township_code,
        "condition": item.condition,
        "condition_name": CONDITION_NAMES[Condition(item.condition)],
        "acquired_on": item.acquired_on,
        "available": view.available,
        "due_back_on": view.due_back_on,
    }


def _event(event: AidItemEvent) -> dict[str, Any]:
    return {
        "at": event.at,
        "what": event.what,
        "what_name": EVENT_NAMES[event.what],
        "condition": event.condition,
        "condition_name": CONDITION_NAMES[Condition(event.condition)],
        "township_code": event.township_code,
        "loan_id": event.loan_id,
        "reason": event.reason,
        "by_name": event.by_name,
    }
