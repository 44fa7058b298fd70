"""What the database says after a rush: nothing is sold twice, no refusal has left a trace."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.orm import Session

from scripts.bench.rush_web import Reply
from timebank.canteens.pricing.rules import Meal
from timebank.core.db import UuidColumn

_MISFITS: Mapping[str, str] = {
    "meals beyond the places that the canteen has, or not counted": """
        SELECT h.canteen_id FROM canteen_hours h
        LEFT JOIN (SELECT canteen_id, served_on, meal, sum(portions) AS portions, count(*) AS orders FROM meal_order
                   WHERE state = 'placed' GROUP BY 1, 2, 3) o USING (canteen_id, meal)
        LEFT JOIN meal_service s USING (canteen_id, served_on, meal)
        WHERE h.weekday = extract(isodow FROM o.served_on)
          AND (o.portions > h.capacity_meals OR s.capacity_meals <> h.capacity_meals
               OR s.ordered_meals IS DISTINCT FROM o.portions OR s.last_pickup_number <> o.orders)""",
    "dishes beyond what was cooked, or not counted": """
        SELECT m.id FROM menu_item m
        LEFT JOIN (SELECT i.menu_item_id, sum(i.quantity) AS portions FROM meal_order_item i
                   JOIN meal_order o ON o.id = i.order_id AND o.revision = i.revision AND o.state = 'placed'
                   GROUP BY 1) i ON i.menu_item_id = m.id
        WHERE coalesce(i.portions, 0) > m.portions_limit OR m.portions_ordered <> coalesce(i.portions, 0)""",
    "purses that hold other sums than their orders": """
        SELECT a.id FROM ledger_account a
        LEFT JOIN (SELECT diner_id, sum(elder_fen - cash_fen) AS fen FROM meal_order
                   WHERE state = 'placed' GROUP BY 1) o ON o.diner_id = a.person_id
        WHERE a.kind = 'purse' AND a.held <> coalesce(o.fen, 0)""",
    "gifts held for other sums than the orders": """
        SELECT a.id FROM ledger_account a
        LEFT JOIN (SELECT canteen_id, sum(donation_fen) AS donated, sum(garden_fen) AS produce FROM meal_order
                   WHERE state = 'placed' GROUP BY 1) o ON o.canteen_id = a.organisation_id
        WHERE a.kind = 'donated' AND a.held <> coalesce(o.donated, 0)
           OR a.kind = 'produce' AND a.held <> coalesce(o.produce, 0)""",
    "holds of no order": """
        SELECT h.id FROM ledger_hold h
        WHERE NOT EXISTS (SELECT FROM meal_order o WHERE o.id = h.cause_id AND o.state = 'placed')""",
    "limits that say other than the orders": """
        SELECT u.scope_id FROM subsidy_use u
        LEFT JOIN order_subsidy_use o USING (scope, scope_id, served_on, meal, rule_key)
        GROUP BY scope, scope_id, served_on, meal, rule_key, used_fen, limit_fen
        HAVING u.used_fen <> coalesce(sum(o.fen), 0) OR u.used_fen > u.limit_fen""",
}

_ORDERS = text("SELECT id FROM meal_order WHERE served_on = :day AND meal = :meal AND state = 'placed'")

# Whoever was refused is in the reply that was kept and nowhere else.
_REFUSED = text("""
SELECT r.key FROM kept_reply r JOIN login l ON l.id = r.login_id
WHERE r.key = ANY(:keys) AND r.refused AND r.status = 409
  AND NOT EXISTS (SELECT FROM meal_order o
                  WHERE o.diner_id = l.person_id AND o.served_on = :day AND o.meal = :meal)
  AND NOT EXISTS (SELECT FROM order_subsidy_use u
                  WHERE u.scope_id = l.person_id AND u.served_on = :day AND u.meal = :meal)
""").bindparams(bindparam("keys", type_=ARRAY(Text)))


def must_be_sound(session: Session, *, day: date, replies: Collection[Reply]) -> None:
    """Whether the lunch of ``day`` is as it was answered. Raises RuntimeError, naming what is not."""
    for what, misfits in _MISFITS.items():
        found = session.execute(text(misfits)).all()
        if found:
            raise RuntimeError(f"{len(found)} {what}")
    lunch = {"day": day, "meal": Meal.LUNCH}
    accepted = {UUID(reply.said) for reply in replies if reply.status == 201}
    if accepted != set(session.scalars(_ORDERS.columns(id=UuidColumn), lunch)):
        raise RuntimeError("the orders that are there are not those that were accepted")
    refused = {reply.key for reply in replies if reply.status != 201}
    without_trace: Sequence[str] = session.scalars(_REFUSED, {**lunch, "keys": list(refused)}).all()
    if refused != set(without_trace):
        raise RuntimeError(f"{len(refused - set(without_trace))} refused orders left a trace")
