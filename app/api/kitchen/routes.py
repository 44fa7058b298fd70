"""Kitchens: the production plan, the distribution list, both as a workbook, and that a meal is cooked."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.kitchen.schemas import CookedAnswer, CookedBody, DistributionAnswer, KitchenPlanAnswer, KitchenQuery
from app.api.operation import Sent, operation
from app.api.parser import Doors
from app.api.workbooks import XLSX, workbook_sent
from timebank.canteens.delivery.actions.kitchen import mark_cooked
from timebank.canteens.delivery.models import KitchenBatch
from timebank.canteens.delivery.queries.kitchen import KitchenDay, kitchen_day
from timebank.core.actors import Actor
from timebank.importing.kitchen_workbook import kitchen_title, write_kitchen_day

doors = Doors("kitchen", __name__, url_prefix="/api/v1/kitchen", description="后厨：生产计划、分送清单、出餐")


@operation(doors, "/plan", "kitchen.plan", "后厨生产计划", query=KitchenQuery, answers=KitchenPlanAnswer)
def plan(session: Session, actor: Actor, query: dict[str, Any]) -> KitchenDay:
    return _day(session, actor, query)


@operation(
    doors, "/distribution", "kitchen.distribution", "后厨分送清单", query=KitchenQuery, answers=DistributionAnswer
)
def distribution(session: Session, actor: Actor, query: dict[str, Any]) -> KitchenDay:
    return _day(session, actor, query)


@operation(
    doors, "/workbook.xlsx", "kitchen.workbook", "后厨生产计划与分送清单（Excel）",
    query=KitchenQuery, answers=None, media_type=XLSX,
)  # fmt: skip
def workbook(session: Session, actor: Actor, query: dict[str, Any]) -> Sent:
    day = _day(session, actor, query)
    plain = f"kitchen-{day.served_on}-{day.meal}"
    return workbook_sent(lambda file: write_kitchen_day(file, day), plain=plain, named=kitchen_title(day))


@operation(
    doors, "/cooked", "kitchen.cooked", "登记出餐", method="POST", body=CookedBody, answers=CookedAnswer, key="optional"
)
def cooked(session: Session, actor: Actor, body: dict[str, Any]) -> KitchenBatch:
    return mark_cooked(session, actor=actor, canteen_id=body["canteen_id"], served_on=body["on"], meal=body["meal"])


def _day(session: Session, actor: Actor, query: dict[str, Any]) -> KitchenDay:
    return kitchen_day(session, actor=actor, canteen_id=query["canteen_id"], served_on=query["on"], meal=query["meal"])
