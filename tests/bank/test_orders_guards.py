"""What the database itself refuses of orders, tried with raw SQL."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.factories.orders import MORNING, PORK, a_diner, a_kitchen, placed, vouchers_for
from timebank.canteens.orders.actions import StandingWanted, cancel_order, set_standing_order
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.db import Database

REFUSED = {
    "an order is deleted": "DELETE FROM meal_order",
    "orders are emptied": "TRUNCATE meal_order CASCADE",
    "an order goes to another diner": "UPDATE meal_order SET diner_id = NULL",
    "an order goes to another day": "UPDATE meal_order SET served_on = served_on + 1",
    "a number is given twice": "UPDATE meal_order SET pickup_number = 7",
    "what was agreed changes silently": "UPDATE meal_order SET elder_fen = elder_fen - 1, government_fen ="
    " government_fen + 1 WHERE state = 'placed'",
    "a revision is left out": "UPDATE meal_order SET revision = revision + 2 WHERE state = 'placed'",
    "a revision comes without its lines": "UPDATE meal_order SET revision = revision + 1 WHERE state = 'placed'",
    "somebody else is said to have changed it": "UPDATE meal_order SET revised_by_name = '别人'",
    "a revision comes from nobody": """INSERT INTO meal_order SELECT (jsonb_populate_record(o, jsonb_build_object(
        'id', gen_random_uuid(), 'revised_at', o.placed_at, 'pickup_number', 99, 'meal', 'breakfast',
        'voucher_id', NULL))).* FROM meal_order o WHERE state = 'placed'""",
    "a cancelled order comes back": "UPDATE meal_order SET state = 'placed', ended_at = NULL WHERE state = 'cancelled'",
    "a cancelled order is served": "UPDATE meal_order SET state = 'served' WHERE state = 'cancelled'",
    "an order begins served": """INSERT INTO meal_order SELECT (jsonb_populate_record(o, jsonb_build_object(
        'id', gen_random_uuid(), 'state', 'served', 'ended_at', o.placed_at, 'pickup_number', 99, 'meal', 'breakfast',
        'voucher_id', NULL))).* FROM meal_order o WHERE state = 'placed'""",
    "an order comes without lines": """INSERT INTO meal_order SELECT (jsonb_populate_record(o, jsonb_build_object(
        'id', gen_random_uuid(), 'pickup_number', 99, 'meal', 'breakfast', 'voucher_id', NULL))).*
        FROM meal_order o WHERE state = 'placed'""",
    "a second lunch": """INSERT INTO meal_order SELECT (jsonb_populate_record(o, jsonb_build_object(
        'id', gen_random_uuid(), 'pickup_number', 99, 'voucher_id', NULL))).* FROM meal_order o
        WHERE state = 'placed'""",
    "a dish changes": "UPDATE meal_order_item SET price_fen = 1",
    "a dish goes": "DELETE FROM meal_order_item",
    "a dish comes later": """INSERT INTO meal_order_item SELECT order_id, revision, 9, menu_item_id, name, 1, 100,
        false FROM meal_order_item LIMIT 1""",
    "a line changes": "UPDATE meal_order_line SET fen = 1",
    "a line goes": "DELETE FROM meal_order_line",
    "a line comes later": """INSERT INTO meal_order_line SELECT order_id, revision, 90, 'government', 'more', '多补',
        100, policy_version FROM meal_order_line LIMIT 1""",
    "a meal of a day goes": "DELETE FROM meal_service",
    "a meal is another day's": "UPDATE meal_service SET served_on = served_on + 1",
    "a meal counts wrong": "UPDATE meal_service SET ordered_meals = ordered_meals + 1",
    "more is ordered than there is": "UPDATE meal_service SET ordered_meals = capacity_meals + 1",
    "numbers run backwards": "UPDATE meal_service SET last_pickup_number = 0",
    "a limit is passed": "UPDATE subsidy_use SET used_fen = limit_fen + 1",
    "a limit tells less than was taken": "UPDATE subsidy_use SET used_fen = 0",
    "an order tells less than it took": "UPDATE order_subsidy_use SET fen = 0",
    "an ended order takes more": "UPDATE order_subsidy_use SET fen = 5 WHERE order_id IN"
    " (SELECT id FROM meal_order WHERE state = 'cancelled')",
    "a use goes to another limit": "UPDATE order_subsidy_use SET rule_key = 'other'",
    "limits are deleted": "DELETE FROM order_subsidy_use",
    "a standing order is another dish's": "UPDATE standing_order SET choice = 'cheapest'",
    "a standing order goes": "DELETE FROM standing_order",
    "a voucher is another order's": "UPDATE voucher SET set_aside_for = gen_random_uuid()"
    " WHERE set_aside_for IS NOT NULL",
    "a voucher set aside is refunded": "UPDATE voucher SET status = 'refunded', ended_at = issued_at"
    " WHERE set_aside_for IS NOT NULL",
    "a voucher set aside is let go and void at once": "UPDATE voucher SET status = 'expired', ended_at = issued_at,"
    " set_aside_for = NULL, set_aside_at = NULL WHERE set_aside_for IS NOT NULL",
    "a voucher is set aside without a moment": "UPDATE voucher SET set_aside_at = NULL WHERE set_aside_for IS NOT NULL",
    "two vouchers for one order": "UPDATE voucher SET set_aside_at = issued_at, set_aside_for ="
    " (SELECT set_aside_for FROM voucher WHERE set_aside_for IS NOT NULL) WHERE set_aside_for IS NULL",
}


@pytest.fixture
def with_orders(bank: Database) -> Database:
    """A bank with an order that waits, paid with a voucher, one that was cancelled, and a standing order."""
    clock.freeze(MORNING)
    with bank.unit_of_work() as session:
        kitchen, diner, other = a_kitchen(session), a_diner(session), a_diner(session)
        vouchers_for(session, diner, 2)
        placed(session, kitchen, diner, PORK, use_voucher=True)
        cancel_order(session, actor=other, order_id=placed(session, kitchen, other).id)
        daily = StandingWanted(
            kitchen.canteen.id, Meal.SUPPER, [1], Way.EAT_IN, "love_meal", use_vouchers=False, starts_on=kitchen.day
        )
        set_standing_order(session, actor=diner, wanted=daily)
    return bank


@pytest.mark.parametrize("case", REFUSED)
def test_the_database_refuses_what_no_order_may_become(with_orders: Database, case: str) -> None:
    with pytest.raises(DBAPIError), with_orders.unit_of_work() as session:
        assert session.execute(text(REFUSED[case])).rowcount != 0  # type: ignore[attr-defined]


def test_two_lines_that_belong_together_still_come_too_late(with_orders: Database) -> None:
    more = """INSERT INTO meal_order_line SELECT id, revision, n, s, 'more', '多一点', 100, 1
        FROM meal_order, (VALUES (90, NULL), (91, 'elder')) AS two (n, s) WHERE state = 'placed'"""
    with pytest.raises(DBAPIError), with_orders.unit_of_work() as session:
        session.execute(text(more))
