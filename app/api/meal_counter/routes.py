"""The canteen's counter: today, the queue, serve, sell, correct, the day's totals."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.fields import numbers_in_cursor
from app.api.meal_counter.schemas import (
    CorrectBody,
    CorrectionAnswer,
    CounterQuery,
    CounterToday,
    DayTotalsAnswer,
    DayTotalsQuery,
    QueueQuery,
    SellBody,
    ServeBody,
    ServedMany,
    ServeManyBody,
    WaitingPage,
)
from app.api.operation import operation, page
from app.api.orders.routes import order_answer, quote_answer
from app.api.orders.schemas import MealOrderAnswer, OrderPriceAnswer
from app.api.parser import Doors
from timebank.canteens.counter import actions, views
from timebank.canteens.counter.actions import Sale, Shown
from timebank.canteens.counter.day_totals import DayTotals, day_totals
from timebank.canteens.counter.views import Count, Waiting
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import STATE_NAMES, OrderState
from timebank.canteens.orders.views import see_order
from timebank.canteens.pricing.rules import DIET_FORM_NAMES, MEAL_NAMES, WAY_NAMES, DietForm, Meal, Share, Way
from timebank.core.actors import Actor
from timebank.core.amounts import yuan_text
from timebank.core.errors import BankError

doors = Doors("meal_counter", __name__, url_prefix="/api/v1/meal-counter", description="助餐点柜台")


@operation(doors, "/today", "meal_counter.today", "今日订餐统计", query=CounterQuery, answers=CounterToday)
def today(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    place, day, counts = views.counts_of(session, actor=actor, **query)
    said = [_count(count) for count in counts]
    now = views.meal_now(session, place)
    return {"canteen_id": place.id, "canteen_name": place.name, "on_day": day, "meal_now": now, "counts": said}


@operation(doors, "/queue", "meal_counter.queue", "待取餐队列", query=QueueQuery, answers=WaitingPage)
def queue(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    place, limit = numbers_in_cursor(query.pop("cursor", None), 1), query.pop("limit")
    after = place[0] if place is not None else 0
    found = views.queue_of(session, actor=actor, limit=limit + 1, after_number=after, **query)
    answer = page(found, limit, lambda one: [one.view.order.pickup_number])
    return {**answer, "items": [_waiting(one) for one in answer["items"]]}


@operation(
    doors, "/serve", "meal_counter.serve", "取餐",
    method="POST", body=ServeBody, answers=MealOrderAnswer, key="required",
)  # fmt: skip
def serve(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    order_id = actions.find_order(session, actor=actor, shown=Shown(**body))
    return _seen(session, actions.serve_order(session, actor=actor, order_id=order_id))


@operation(
    doors, "/serve-many", "meal_counter.serve_many", "批量取餐",
    method="POST", body=ServeManyBody, answers=ServedMany, key="required",
)  # fmt: skip
def serve_many(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    wanted: list[UUID] = body["order_ids"]
    answers = actions.serve_orders(session, actor=actor, order_ids=wanted)
    return {"results": [_result(order_id, one) for order_id, one in zip(wanted, answers, strict=True)]}


@operation(
    doors, "/sell", "meal_counter.sell", "柜台现卖",
    method="POST", body=SellBody, answers=MealOrderAnswer, status=201, key="required",
)  # fmt: skip
def sell(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return _seen(session, actions.sell(session, actor=actor, sale=_sale(body)))


@operation(
    doors, "/price", "meal_counter.price", "现卖试算",
    method="POST", body=SellBody, answers=OrderPriceAnswer,
)  # fmt: skip
def price(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return quote_answer(actions.quote_sale(session, actor=actor, sale=_sale(body)))


@operation(
    doors, "/correct", "meal_counter.correct", "用餐冲正",
    method="POST", body=CorrectBody, answers=CorrectionAnswer, key="required",
)  # fmt: skip
def correct(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    state, order, asked = actions.correct(session, actor=actor, **body)
    names = ("reason", "requested_by_name", "requested_at", "approved_by_name", "approved_at")
    said = {name: getattr(asked, name) for name in names}
    return {"state": state, **said, "order": _seen(session, order)}


@operation(
    doors, "/day-totals", "meal_counter.day_totals", "柜台日结",
    query=DayTotalsQuery, answers=DayTotalsAnswer, one_moment=True,
)  # fmt: skip
def totals(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    return _totals(day_totals(session, actor=actor, **query))


def _sale(body: dict[str, Any]) -> Sale:
    dishes = tuple((dish["menu_item_id"], dish["quantity"]) for dish in body["items"])
    return Sale(**{**body, "items": dishes})


def _seen(session: Session, order: MealOrder) -> dict[str, Any]:
    return order_answer(see_order(session, order))


def _result(order_id: UUID, answer: MealOrder | BankError) -> dict[str, Any]:
    if isinstance(answer, BankError):
        return {"order_id": order_id, "served": False, "code": answer.code, "title": answer.title}
    return {"order_id": order_id, "served": True, "code": None, "title": f"{answer.pickup_number}号已取餐"}


def _count(count: Count) -> dict[str, Any]:
    return {
        **{name: getattr(count, name) for name in ("meal", "way", "diet_form", "state", "orders", "portions")},
        "meal_name": MEAL_NAMES[Meal(count.meal)],
        "way_name": WAY_NAMES[Way(count.way)],
        "diet_form_name": DIET_FORM_NAMES[DietForm(count.diet_form)],
        "state_name": STATE_NAMES[OrderState(count.state)],
    }


def _waiting(one: Waiting) -> dict[str, Any]:
    order = one.view.order
    return {
        **{name: getattr(order, name) for name in ("pickup_number", "way", "diet_form", "note")},
        "order_id": order.id,
        "masked_name": one.masked_name,
        "way_name": WAY_NAMES[Way(order.way)],
        "diet_form_name": DIET_FORM_NAMES[DietForm(order.diet_form)],
        "items": one.view.items,
        "allergies": list(one.allergies),
        "religious_diet": one.religious_diet,
        "to_collect_fen": order.cash_fen,
        "paid_how": _paid_how(order),
    }


def _paid_how(order: MealOrder) -> str:
    if order.cash_fen:
        return f"收现金{yuan_text(order.cash_fen)}"
    if order.elder_fen:
        return f"余额已付{yuan_text(order.elder_fen)}"
    return "用餐券已付" if order.voucher_id is not None else "本人不用付钱"


def _totals(found: DayTotals) -> dict[str, Any]:
    sums, cash = found.sums, found.cash
    said = ("meal", "way", "meals", "list_fen")
    return {
        **{name: getattr(found, name) for name in ("canteen_id", "canteen_name", "on_day", "drawer_fen")},
        "meals": [
            {
                **{name: getattr(one, name) for name in said},
                "meal_name": MEAL_NAMES[Meal(one.meal)],
                "way_name": WAY_NAMES[Way(one.way)],
            }
            for one in found.meals
        ],
        "meals_served": sums.meals,
        "list_fen": sums.list_fen,
        **{f"{share}_fen": sums.shares[share] for share in Share},
        "missed_fen": sums.missed_fen,
        "cash_sales_fen": cash.sales_fen,
        **{n: getattr(cash, n) for n in ("topped_up_fen", "paid_back_fen", "handed_in_fen", "corrected_fen")},
        "ties": not found.misfits,
        "misfits": [dict(zip(("what", "by_orders", "by_ledger"), one, strict=True)) for one in found.misfits],
    }
