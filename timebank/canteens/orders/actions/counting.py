"""Counting what orders take: portions of a meal and of dishes, and limits of subsidies; one statement each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, BindParameter, Date, Text, bindparam, select, text, tuple_
from sqlalchemy.orm import Session

from timebank.canteens.orders.models import MealService, SubsidyUse
from timebank.canteens.orders.rules import Slot
from timebank.canteens.pricing.rules import UseKey
from timebank.core.db import UuidColumn

_UUIDS, _DAYS, _TEXTS, _NUMBERS = ARRAY(UuidColumn), ARRAY(Date), ARRAY(Text), ARRAY(BigInteger)

# Fewer places in the hours take no order away: capacity never falls below what is ordered.
_MEALS = text("""
UPDATE meal_service s SET
    ordered_meals = s.ordered_meals + w.portions,
    last_pickup_number = greatest(s.last_pickup_number, w.number),
    capacity_meals = greatest(coalesce(nullif(w.capacity, 0), s.capacity_meals), s.ordered_meals + w.portions)
FROM unnest(:canteen_ids, :days, :meals, :portions, :numbers, :capacities)
     AS w (canteen_id, served_on, meal, portions, number, capacity)
WHERE (s.canteen_id, s.served_on, s.meal) = (w.canteen_id, w.served_on, w.meal)
""").bindparams(
    *(bindparam("canteen_ids", type_=_UUIDS), bindparam("days", type_=_DAYS), bindparam("meals", type_=_TEXTS)),
    *(bindparam(name, type_=_NUMBERS) for name in ("portions", "numbers", "capacities")),
)

_DISHES = text("""
UPDATE menu_item i SET portions_ordered = i.portions_ordered + w.portions
FROM unnest(:ids, :portions) AS w (id, portions) WHERE i.id = w.id
""").bindparams(bindparam("ids", type_=_UUIDS), bindparam("portions", type_=_NUMBERS))

_KEY = ("scopes", "scope_ids", "days", "meals", "rule_keys")
_KEY_PARAMS: tuple[BindParameter[Any], ...] = (
    bindparam("scopes", type_=_TEXTS),
    bindparam("scope_ids", type_=_UUIDS),
    bindparam("days", type_=_DAYS),
    bindparam("meals", type_=_TEXTS),
    bindparam("rule_keys", type_=_TEXTS),
)

_TAKE = text("""
INSERT INTO subsidy_use AS u (scope, scope_id, served_on, meal, rule_key, used_fen, limit_fen)
SELECT w.* FROM unnest(:scopes, :scope_ids, :days, :meals, :rule_keys, :fens, :limits)
     AS w (scope, scope_id, served_on, meal, rule_key, used_fen, limit_fen)
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (scope, scope_id, served_on, meal, rule_key) DO UPDATE
SET used_fen = u.used_fen + excluded.used_fen, limit_fen = greatest(excluded.limit_fen, u.used_fen + excluded.used_fen)
WHERE u.used_fen + excluded.used_fen <= excluded.limit_fen
""").bindparams(*_KEY_PARAMS, bindparam("fens", type_=_NUMBERS), bindparam("limits", type_=_NUMBERS))

_GIVE_BACK = text("""
UPDATE subsidy_use u SET used_fen = u.used_fen - w.fen
FROM unnest(:scopes, :scope_ids, :days, :meals, :rule_keys, :fens)
     AS w (scope, scope_id, served_on, meal, rule_key, fen)
WHERE (u.scope, u.scope_id, u.served_on, u.meal, u.rule_key) = (w.scope, w.scope_id, w.served_on, w.meal, w.rule_key)
""").bindparams(*_KEY_PARAMS, bindparam("fens", type_=_NUMBERS))


def count_meals(
    session: Session,
    portions: Mapping[Slot, int],
    *,
    numbers: Mapping[Slot, int] | None = None,
    capacities: Mapping[Slot, int] | None = None,
) -> None:
    """Add portions (or take them off) to meals of days, which are locked; note the last pickup number given."""
    slots = sorted(portions)
    if not slots:
        return
    values: dict[str, list[Any]] = {
        "canteen_ids": [slot[0] for slot in slots],
        "days": [slot[1] for slot in slots],
        "meals": [slot[2] for slot in slots],
        "portions": [portions[slot] for slot in slots],
        "numbers": [(numbers or {}).get(slot, 0) for slot in slots],
        "capacities": [(capacities or {}).get(slot, 0) for slot in slots],
    }
    _must_meet(session, _MEALS, values, len(slots))


def count_dishes(session: Session, portions: Mapping[UUID, int]) -> None:
    """Add portions (or take them off) to dishes on menus, which are locked."""
    ids = sorted(item_id for item_id, count in portions.items() if count)
    if ids:
        _must_meet(session, _DISHES, {"ids": ids, "portions": [portions[i] for i in ids]}, len(ids))


def take_uses(session: Session, uses: Mapping[UseKey, tuple[int, int]]) -> None:
    """Take ``(fen, limit_fen)`` of limits; never more than the limit."""
    keys = sorted(uses)
    if keys:
        columns = {"fens": [uses[key][0] for key in keys], "limits": [uses[key][1] for key in keys]}
        _must_meet(session, _TAKE, {**key_columns(keys), **columns}, len(keys))


def give_back_uses(session: Session, uses: Mapping[UseKey, int]) -> None:
    """Give fen back to limits, whose rows are locked in order first."""
    keys = sorted(key for key, fen in uses.items() if fen)
    if keys:
        lock_uses(session, keys)
        _must_meet(session, _GIVE_BACK, {**key_columns(keys), "fens": [uses[key] for key in keys]}, len(keys))


def lock_meals(session: Session, slots: Collection[Slot]) -> None:
    """Lock meals of days in the order of their keys."""
    key = (MealService.canteen_id, MealService.served_on, MealService.meal)
    query = select(*key).where(tuple_(*key).in_(sorted(slots))).order_by(*key).with_for_update(key_share=True)
    session.execute(query).all()


def lock_uses(session: Session, keys: Collection[UseKey]) -> None:
    """Lock limits in the order of their keys."""
    key = (SubsidyUse.scope, SubsidyUse.scope_id, SubsidyUse.served_on, SubsidyUse.meal, SubsidyUse.rule_key)
    query = select(*key).where(tuple_(*key).in_(sorted(keys))).order_by(*key).with_for_update(key_share=True)
    session.execute(query).all()


def key_columns(keys: Collection[UseKey]) -> dict[str, list[Any]]:
    """The five columns of limits, as arrays for one statement."""
    return {name: [key[place] for key in keys] for place, name in enumerate(_KEY)}


def _must_meet(session: Session, statement: Any, values: dict[str, list[Any]], rows: int) -> None:
    done = session.execute(statement, values)
    if done.rowcount != rows:  # type: ignore[attr-defined]
        # Everything was judged under locks; anything else is a break in the books, not a refusal.
        raise RuntimeError("what an order takes is not there to be counted")
