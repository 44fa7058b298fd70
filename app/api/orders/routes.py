"""Orders: price, place, change, cancel; list and show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.fields import id_in_cursor
from app.api.operation import operation, page
from app.api.orders.schemas import (
    CancelOrderBody,
    ChangeOrderBody,
    MealOrderAnswer,
    MealOrderPage,
    OrderPriceAnswer,
    OrdersQuery,
    PlaceOrderBody,
)
from app.api.parser import Doors
from timebank.canteens.delivery.queries.rounds import brought_by_courier, code_to_say
from timebank.canteens.orders import actions, views
from timebank.canteens.orders.actions import OrderChange, OrderWanted, Quote
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import SOURCE_NAMES, STATE_NAMES, OrderSource, OrderState
from timebank.canteens.orders.views import OrderFilter, OrderView
from timebank.canteens.pricing.rules import (
    DIET_FORM_NAMES,
    MEAL_NAMES,
    SHARE_NAMES,
    WAY_NAMES,
    DietForm,
    Meal,
    Share,
    Way,
)
from timebank.canteens.subsidies.rules import COURIER_LABEL, IN_KIND_RULES
from timebank.core.actors import Actor

doors = Doors("orders", __name__, url_prefix="/api/v1/orders", description="订餐")

SHARES = ("list_fen", "elder_fen", "government_fen", "donation_fen", "garden_fen", "volunteers_fen")
_OF_THE_ORDER = (
    *("state", "diner_id", "canteen_id", "served_on", "meal", "way", "diet_form", "pickup_number", "revision"),
    *("portions", *SHARES, "cash_fen", "voucher_id", "delivery_address", "delivery_note", "note", "cut_off_at"),
    *("unsuitable_accepted", "source", "standing_order_id", "placed_at", "placed_by_name"),
    *("revised_at", "revised_by_name", "ended_at", "ended_by_name", "end_reason"),
)


@operation(
    doors, "/price", "orders.price", "订餐试算",
    method="POST", body=PlaceOrderBody, answers=OrderPriceAnswer,
)  # fmt: skip
def price(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return quote_answer(actions.quote(session, actor=actor, wanted=_wanted(actor, body)))


@operation(
    doors, "", "orders.place", "订餐",
    method="POST", body=PlaceOrderBody, answers=MealOrderAnswer, status=201, key="required",
)  # fmt: skip
def place(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return _seen(session, actions.place_order(session, actor=actor, wanted=_wanted(actor, body)))


@operation(doors, "", "orders.list", "订餐列表", query=OrdersQuery, answers=MealOrderPage)
def list_orders(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    before, limit = id_in_cursor(query.pop("cursor", None)), query.pop("limit")
    found = views.find_orders(session, actor=actor, wanted=OrderFilter(**query), limit=limit + 1, before=before)
    answer = page(found, limit, lambda view: view.order.id)
    return {**answer, "items": [order_answer(view) for view in answer["items"]]}


@operation(doors, "/<uuid:order_id>", "orders.show", "订餐详情", answers=MealOrderAnswer)
def show(session: Session, actor: Actor, order_id: UUID) -> dict[str, Any]:
    answer = order_answer(views.order_for(session, actor=actor, order_id=order_id))
    if brought_by_courier(session, [order_id]):
        answer["lines"] = [by_courier(line) for line in answer["lines"]]
    return {**answer, "handover_code": code_to_say(session, actor=actor, order_id=order_id)}


@operation(
    doors, "/<uuid:order_id>/change", "orders.change", "改餐",
    method="POST", body=ChangeOrderBody, answers=MealOrderAnswer, key="required",
)  # fmt: skip
def change(session: Session, actor: Actor, body: dict[str, Any], order_id: UUID) -> dict[str, Any]:
    return _seen(session, actions.change_order(session, actor=actor, order_id=order_id, change=_change(body)))


@operation(
    doors, "/<uuid:order_id>/price-change", "orders.price_change", "改餐试算",
    method="POST", body=ChangeOrderBody, answers=OrderPriceAnswer,
)  # fmt: skip
def price_change(session: Session, actor: Actor, body: dict[str, Any], order_id: UUID) -> dict[str, Any]:
    return quote_answer(actions.quote_change(session, actor=actor, order_id=order_id, change=_change(body)))


@operation(
    doors, "/<uuid:order_id>/cancel", "orders.cancel", "取消订餐",
    method="POST", body=CancelOrderBody, answers=MealOrderAnswer, key="required",
)  # fmt: skip
def cancel(session: Session, actor: Actor, body: dict[str, Any], order_id: UUID) -> dict[str, Any]:
    return _seen(session, actions.cancel_order(session, actor=actor, order_id=order_id, **body))


def order_answer(view: OrderView) -> dict[str, Any]:
    """An order as every door answers it."""
    order = view.order
    return {
        **{name: getattr(order, name) for name in _OF_THE_ORDER},
        "order_id": order.id,
        "state_name": STATE_NAMES[OrderState(order.state)],
        "diner_name": view.diner_name,
        "canteen_name": view.canteen_name,
        "charged_fen": view.charged_fen,
        "meal_name": MEAL_NAMES[Meal(order.meal)],
        "way_name": WAY_NAMES[Way(order.way)],
        "diet_form_name": DIET_FORM_NAMES[DietForm(order.diet_form)],
        "source_name": SOURCE_NAMES[OrderSource(order.source)],
        "items": view.items,
        "lines": receipt_lines(view.lines, order.policy_version),
    }


def by_courier(line: dict[str, Any]) -> dict[str, Any]:
    """A line of a receipt where a courier brought the meal that volunteers were to bring; its amount stands."""
    return {**line, "label": COURIER_LABEL} if line["rule_key"] in IN_KIND_RULES else line


def receipt_lines(lines: Iterable[Any], policy_version: int) -> list[dict[str, Any]]:
    """Lines of a receipt, written or just priced."""
    return [
        {
            **{name: getattr(line, name) for name in ("share", "rule_key", "label", "fen")},
            "share_name": None if line.share is None else SHARE_NAMES[Share(line.share)],
            "policy_version": policy_version,
        }
        for line in lines
    ]


def quote_answer(quote: Quote) -> dict[str, Any]:
    """A price as every door answers it; what is paid in cash is lacking nowhere."""
    receipt = quote.decided.receipt
    return {
        **{name: getattr(receipt, name) for name in SHARES},
        "lines": receipt_lines(receipt.lines, quote.policy_version),
        "voucher_id": quote.decided.voucher_id,
        "purse_fen": quote.purse_fen,
        "lacking_fen": max(0, quote.decided.from_purse_fen - quote.purse_fen),
        "cut_off_at": quote.decided.cut_off_at,
    }


def _seen(session: Session, order: MealOrder) -> dict[str, Any]:
    return order_answer(views.see_order(session, order))


def _change(body: dict[str, Any]) -> OrderChange:
    return OrderChange(**{**body, "items": _dishes(body)})


def _wanted(actor: Actor, body: dict[str, Any]) -> OrderWanted:
    diner_id = body.pop("for_person_id") or actor.person()
    return OrderWanted(diner_id=diner_id, **{**body, "items": _dishes(body)})


def _dishes(body: dict[str, Any]) -> tuple[tuple[UUID, int], ...]:
    return tuple((dish["menu_item_id"], dish["quantity"]) for dish in body["items"])
