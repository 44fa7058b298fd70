"""Writing what was decided: orders, items, lines, limits taken, counts, vouchers set aside, and holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.network.queries import Service
from timebank.canteens.orders.actions.counting import count_dishes, count_meals, give_back_uses, take_uses
from timebank.canteens.orders.actions.decided import Decided
from timebank.canteens.orders.actions.judge_orders import Table
from timebank.canteens.orders.models import MealOrder, MealOrderItem, MealOrderLine, OrderSubsidyUse
from timebank.canteens.orders.rules import CAUSE, OrderState
from timebank.canteens.pricing.rules import UseKey
from timebank.core.clock import day_start
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.core.rows import insert_rows, insertion
from timebank.ledger.actions.many_holds import place_holds
from timebank.ledger.holding import HoldWanted
from timebank.people.queries import spoken_name
from timebank.redemption.actions import set_aside


def write_orders(session: Session, table: Table, decided: Sequence[Decided]) -> list[MealOrder]:
    """Write new orders and new revisions; what they replace has been released by the caller. One answer each."""
    if not decided:
        return []
    new = iter(_insert_orders(session, [_new_row(table, one) for one in decided if one.before is None]))
    orders = [next(new) if one.before is None else _revised(table, one, one.before.order) for one in decided]
    session.flush()
    _count(session, table, decided)
    written = list(zip(orders, decided, strict=True))
    insert_rows(session, _ITEMS, [row for order, one in written for row in _items(order, one)])
    insert_rows(session, _LINES, [row for order, one in written for row in _lines(order, one)])
    insert_rows(session, _USES, [row for one in decided for row in _uses(one)])
    set_aside(session, for_ids={one.voucher.id: one.order_id for one in decided if one.voucher is not None})
    _hold(session, table, decided)
    return orders


def _insert_orders(session: Session, rows: Sequence[dict[str, Any]]) -> Sequence[MealOrder]:
    """All in one statement, whose text is the same for any number of them; in the order of ``rows``."""
    if not rows:
        return []
    columns = {name: [row[name] for row in rows] for name in _NEW_ORDERS.names}
    inserted = {order.id: order for order in session.scalars(_INSERT_ORDERS, columns)}
    return [inserted[row["id"]] for row in rows]


def _new_row(table: Table, one: Decided) -> dict[str, Any]:
    return {"id": one.order_id, "revision": 1, **_said(table, one), **_of_one_kind(table, one)}


def _revised(table: Table, one: Decided, order: MealOrder) -> MealOrder:
    actor = table.rights.actor
    order.revision += 1
    order.revised_at, order.revised_by = table.now, actor.login_id
    order.revised_by_name = _spoken_name(table, one)
    for name, value in _said(table, one).items():
        setattr(order, name, value)
    return order


def _said(table: Table, one: Decided) -> dict[str, Any]:
    """What a revision may say anew."""
    wanted, receipt = one.wanted, one.receipt
    facts = None if wanted.diner_id is None else table.facts[wanted.diner_id, wanted.served_on]
    return {
        "way": str(wanted.way),
        "diet_form": str(one.diet_form),
        "household_id": None if facts is None else facts.household_id,
        "assessment_level": None if facts is None else facts.assessment_level,
        "portions": wanted.portions,
        "list_fen": receipt.list_fen,
        "elder_fen": receipt.elder_fen,
        "government_fen": receipt.government_fen,
        "donation_fen": receipt.donation_fen,
        "garden_fen": receipt.garden_fen,
        "volunteers_fen": receipt.volunteers_fen,
        "cash_fen": receipt.elder_fen - one.from_purse_fen,
        "voucher_id": one.voucher_id,
        "policy_version": table.policies.version,
        "delivery_address": one.delivery_address,
        "delivery_note": one.delivery_note,
        "note": wanted.note,
        "cut_off_at": one.cut_off_at,
        "unsuitable_accepted": wanted.accept_unsuitable,
    }


def _of_one_kind(table: Table, one: Decided) -> dict[str, Any]:
    """What an order says once and for all."""
    wanted, actor = one.wanted, table.rights.actor
    return {
        "diner_id": wanted.diner_id,
        "canteen_id": wanted.canteen_id,
        "served_on": wanted.served_on,
        "meal": str(wanted.meal),
        "state": str(OrderState.PLACED),
        "source": str(wanted.source or table.rights.source(wanted.diner_id)),
        "pickup_number": one.pickup_number,
        "standing_order_id": wanted.standing_order_id,
        "placed_at": table.now,
        "placed_by": actor.login_id,
        "placed_by_name": _spoken_name(table, one),
        "end_reason": "",
    }


def _spoken_name(table: Table, one: Decided) -> str:
    actor, diner_id = table.rights.actor, one.wanted.diner_id
    return actor.name if diner_id is None else spoken_name(actor, table.people[diner_id])


def _count(session: Session, table: Table, decided: Sequence[Decided]) -> None:
    meals: Counter[tuple[Any, ...]] = Counter()
    dishes: Counter[Any] = Counter()
    uses: Counter[UseKey] = Counter()
    limits: dict[UseKey, int] = {}
    for one in decided:
        meals[one.wanted.slot] += one.wanted.portions
        dishes.update({item.id: quantity for item, quantity in one.chosen})
        for use in one.receipt.uses:
            uses[use.key] += use.fen
            limits[use.key] = use.limit_fen
        if one.before is not None:
            meals[one.wanted.slot] -= one.before.order_portions
            dishes.subtract(one.before.portions)
            uses.subtract(one.before.uses)
    capacities = {
        slot: service.capacity_meals for slot in meals if isinstance(service := table.services[slot], Service)
    }
    count_meals(session, meals, numbers=table.last_numbers, capacities=capacities)
    count_dishes(session, dishes)
    give_back_uses(session, {key: -fen for key, fen in uses.items() if fen < 0})
    take_uses(session, {key: (fen, limits[key]) for key, fen in uses.items() if fen >= 0 and key in limits})


def _items(order: MealOrder, one: Decided) -> Iterable[tuple[Any, ...]]:
    for line, (item, quantity) in enumerate(one.chosen, start=1):
        yield order.id, order.revision, line, item.id, item.name, quantity, item.price_fen, item.is_love_meal


def _lines(order: MealOrder, one: Decided) -> Iterable[tuple[Any, ...]]:
    for line in one.receipt.lines:
        said = (line.share, line.rule_key, line.label, line.fen)
        yield order.id, order.revision, line.number, *said, order.policy_version


def _uses(one: Decided) -> Iterable[tuple[Any, ...]]:
    """What this order has of each limit now; nothing of one that only an earlier revision had."""
    fens = Counter({use.key: 0 for use in one.receipt.uses})
    for use in one.receipt.uses:
        fens[use.key] += use.fen
    for key in one.before.uses if one.before is not None else ():
        fens.setdefault(key, 0)
    for key, fen in fens.items():
        yield one.order_id, *key, fen


def _hold(session: Session, table: Table, decided: Sequence[Decided]) -> None:
    wanted = [
        HoldWanted(new_id(), account_id, fen, _until(table, one), CAUSE, one.order_id)
        for one in decided
        for account_id, fen in table.to_hold(one)
    ]
    for hold in place_holds(session, wanted):
        if isinstance(hold, BankError):
            raise RuntimeError(f"what an order needs was judged to be there: {hold}")


def _until(table: Table, one: Decided) -> datetime:
    """When a hold would end by itself: days after the meal, which by then was served or missed."""
    code = table.places[one.wanted.canteen_id].township_code
    return day_start(one.wanted.served_on) + timedelta(days=1 + table.policies.whole("order_hold_days", code))


_COLUMNS = MealOrder.__table__.c
_NEW_ORDERS = insertion(
    MealOrder.__table__,
    (
        *("id", "revision", "way", "diet_form", "household_id", "assessment_level", "portions", "list_fen"),
        *("elder_fen", "government_fen", "donation_fen", "garden_fen", "volunteers_fen", "cash_fen", "voucher_id"),
        *("policy_version", "delivery_address", "delivery_note", "note", "cut_off_at", "unsuitable_accepted"),
        *("diner_id", "canteen_id", "served_on", "meal", "state", "source", "pickup_number", "standing_order_id"),
        *("placed_at", "placed_by", "placed_by_name", "end_reason"),
    ),
    then=f"RETURNING {', '.join(column.name for column in _COLUMNS)}",
)
_INSERT_ORDERS = select(MealOrder).from_statement(_NEW_ORDERS.statement.columns(*_COLUMNS))
_ITEMS = insertion(
    MealOrderItem.__table__,
    ("order_id", "revision", "line", "menu_item_id", "name", "quantity", "price_fen", "is_love_meal"),
)
_LINES = insertion(
    MealOrderLine.__table__,
    ("order_id", "revision", "line", "share", "rule_key", "label", "fen", "policy_version"),
)
_USES = insertion(
    OrderSubsidyUse.__table__,
    ("order_id", "scope", "scope_id", "served_on", "meal", "rule_key", "fen"),
    then="ON CONFLICT (order_id, scope, scope_id, served_on, meal, rule_key) DO UPDATE SET fen = excluded.fen",
)
