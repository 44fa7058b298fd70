"""Produce given to meals: weighed, valued, listed."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.operation import operation
from app.api.parser import Doors
from app.api.produce.schemas import ProduceAnswer, ProducePage, ProduceQuery, ReceiveProduceBody
from app.api.sorting import listed, part_of
from timebank.canteens.network.queries import organisation_of
from timebank.canteens.subsidies import actions
from timebank.canteens.subsidies.actions import NewProduce
from timebank.canteens.subsidies.queries import gifts
from timebank.canteens.subsidies.queries.gifts import PRODUCE_ORDERS, ProduceItem
from timebank.core.actors import Actor

doors = Doors("produce", __name__, url_prefix="/api/v1/produce", description="菜园食材")

_OF_THE_GIFT = (
    *("canteen_id", "item", "weight_g", "value_fen", "proposed_fen", "from_name", "received_on"),
    *("received_at", "received_by_name", "transfer_id"),
)


@operation(
    doors, "", "produce.receive", "登记菜园食材",
    method="POST", body=ReceiveProduceBody, answers=ProduceAnswer, status=201, key="required",
)  # fmt: skip
def receive(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    gift = actions.receive_produce(session, actor=actor, form=NewProduce(**body))
    return _item(ProduceItem(gift, organisation_of(session, gift.canteen_id).name, reversed=False))


@operation(doors, "", "produce.list", "菜园食材列表", query=ProduceQuery, answers=ProducePage)
def list_(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    found = gifts.produce(
        session,
        actor=actor,
        part=part_of(query, PRODUCE_ORDERS),
        **{name: query.get(name) for name in ("canteen_id", "since", "until")},
    )
    return listed(found.holding([_item(item) for item in found.items]), PRODUCE_ORDERS)


def _item(item: ProduceItem) -> dict[str, Any]:
    return {
        "produce_id": item.gift.id,
        "canteen_name": item.canteen_name,
        "reversed": item.reversed,
        **{name: getattr(item.gift, name) for name in _OF_THE_GIFT},
    }
