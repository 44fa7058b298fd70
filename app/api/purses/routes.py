"""Purses and drawers: top up, pay back, show, statement, find a diner; what a drawer should hold, hand in."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.fields import numbers_in_cursor
from app.api.operation import operation, page
from app.api.parser import Doors
from app.api.purses.schemas import (
    CashBody,
    CounterDiners,
    EstateAnswer,
    EstateBody,
    FindDinerBody,
    HandInAnswer,
    HandInBody,
    PurseAnswer,
    PurseLinePage,
    PurseQuery,
    PurseSlipAnswer,
    PurseStatementQuery,
    TillAnswer,
    TillQuery,
)
from timebank.canteens.network.queries import organisation_of
from timebank.canteens.purses import actions, views
from timebank.canteens.purses.actions import Estate, FoundDiner
from timebank.canteens.purses.models import PurseEstate, PurseSlip
from timebank.canteens.purses.queries import Purse, drawer_fen, purses_of
from timebank.canteens.purses.rules import SLIP_KIND_NAMES, SlipKind
from timebank.core.actors import Actor
from timebank.people.queries import person

doors = Doors("purses", __name__, url_prefix="/api/v1", description="餐费余额、钱箱")

_OF_THE_SLIP = (*("kind", "person_id", "canteen_id", "amount_fen", "note", "made_at", "made_by_name", "transfer_id"),)
_OF_THE_DINER = ("person_id", "name", "township_code", "township_name", "village", "unused_vouchers")
_OF_THE_HAND_IN = ("canteen_id", "amount_fen", "reference", "received_at", "received_by_name")


@operation(
    doors, "/purses/top-up", "purses.top_up", "餐费充值",
    method="POST", body=CashBody, answers=PurseSlipAnswer, status=201, key="required",
)  # fmt: skip
def top_up(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return _slip(session, actions.top_up(session, actor=actor, **body))


@operation(
    doors, "/purses/pay-back", "purses.pay_back", "餐费退款",
    method="POST", body=CashBody, answers=PurseSlipAnswer, status=201, key="required",
)  # fmt: skip
def pay_back(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return _slip(session, actions.pay_back(session, actor=actor, **body))


@operation(
    doors, "/purses/pay-out-estate", "purses.pay_out_estate", "身故后余额退给继承人",
    method="POST", body=EstateBody, answers=EstateAnswer, key="required",
)  # fmt: skip
def pay_out_estate(session: Session, actor: Actor, body: dict[str, Any]) -> PurseEstate:
    return actions.pay_out_estate(session, actor=actor, estate=Estate(**body))


@operation(doors, "/purses", "purses.show", "餐费余额", query=PurseQuery, answers=PurseAnswer)
def show(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    holder, purse = views.purse_for(session, actor=actor, **query)
    return {"person_id": holder.id, "name": holder.name, **_sums(purse)}


@operation(doors, "/purses/statement", "purses.statement", "餐费明细", query=PurseStatementQuery, answers=PurseLinePage)
def statement(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    place, limit = numbers_in_cursor(query.get("cursor"), 1), query["limit"]
    before = place[0] if place is not None else None
    found = views.statement_for(session, actor=actor, person_id=query.get("person_id"), limit=limit + 1, before=before)
    return page(found, limit, lambda line: [line.version])


@operation(
    doors, "/purses/find-diner", "purses.find_diner", "柜台查找用餐人",
    method="POST", body=FindDinerBody, answers=CounterDiners,
)  # fmt: skip
def find_diner(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return {"items": [_found(one) for one in actions.find_diner(session, actor=actor, **body)]}


@operation(doors, "/tills", "tills.show", "钱箱应有现金", query=TillQuery, answers=TillAnswer)
def show_till(session: Session, actor: Actor, query: dict[str, Any]) -> views.Till:
    return views.till_for(session, actor=actor, **query)


@operation(
    doors, "/tills/hand-in", "tills.hand_in", "缴款",
    method="POST", body=HandInBody, answers=HandInAnswer, status=201, key="required",
)  # fmt: skip
def hand_in(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    received = actions.hand_in(session, actor=actor, **body)
    said = {name: getattr(received, name) for name in _OF_THE_HAND_IN}
    return {**said, "hand_in_id": received.id, "drawer_fen": drawer_fen(session, received.canteen_id)}


def _slip(session: Session, slip: PurseSlip) -> dict[str, Any]:
    return {
        **{name: getattr(slip, name) for name in _OF_THE_SLIP},
        "slip_id": slip.id,
        "kind_name": SLIP_KIND_NAMES[SlipKind(slip.kind)],
        "name": person(session, slip.person_id).name,
        "canteen_name": organisation_of(session, slip.canteen_id).name,
        **_sums(purses_of(session, [slip.person_id])[slip.person_id]),
    }


def _found(one: FoundDiner) -> dict[str, Any]:
    return {**{name: getattr(one.diner, name) for name in _OF_THE_DINER}, **_sums(one.purse)}


def _sums(purse: Purse) -> dict[str, int]:
    return {name: getattr(purse, name) for name in ("balance_fen", "held_fen", "available_fen")}
