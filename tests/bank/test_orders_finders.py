"""What jobs look for every few seconds is found in a fixed number of statements, and without reading every order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from tests.factories.orders import MORNING, Kitchen, a_diner, a_kitchen, at_hour, placed
from tests.factories.people import district
from timebank.canteens.counter.actions import serve_order
from timebank.canteens.network.actions import suspend
from timebank.canteens.orders.actions import (
    StandingWanted,
    cancel_order,
    meals_stopped,
    set_standing_order,
    standing_orders_due,
    stop_meal,
)
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database


@pytest.fixture(autouse=True)
def _morning() -> None:
    clock.freeze(MORNING)


def set_standing(session: Session, kitchen: Kitchen, diner: Actor, meal: Meal) -> None:
    daily = StandingWanted(
        *(kitchen.canteen.id, meal, range(1, 8), Way.EAT_IN, "love_meal"), use_vouchers=False, starts_on=kitchen.day
    )
    set_standing_order(session, actor=diner, wanted=daily)


def statements_of(bank: Database, find: object) -> list[str]:
    """The statements that a finder takes."""
    statements: list[str] = []

    def listen(*args: object) -> None:
        statements.append(str(args[2]))

    event.listen(bank.engine, "before_cursor_execute", listen)
    try:
        with bank.session() as session:
            find(session)  # type: ignore[operator]
    finally:
        event.remove(bank.engine, "before_cursor_execute", listen)
    return statements


def test_standing_orders_are_looked_for_in_as_many_statements_for_four_canteens_as_for_one(bank: Database) -> None:
    counted, found = [], []
    for more in (1, 3):
        with bank.unit_of_work() as session:
            for _ in range(more):
                kitchen = a_kitchen(session)
                for meal in (Meal.LUNCH, Meal.SUPPER):
                    set_standing(session, kitchen, a_diner(session), meal)
        clock.freeze(MORNING.replace(minute=30))
        counted.append(len(statements_of(bank, lambda s: found.append(standing_orders_due(s, limit=500)))))
    assert counted[0] == counted[1]
    assert [len(due) for due in found] == [2, 8]
    with bank.session() as session:
        assert standing_orders_due(session, limit=3) == found[1][:3]


def test_standing_orders_of_one_canteen_and_meal_have_an_index(bank: Database) -> None:
    with bank.session() as session:
        wanted = "SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_standing_order_place'"
        assert "(canteen_id, meal) WHERE (ended_at IS NULL)" in session.execute(text(wanted)).scalar_one()


def test_meals_stopped_are_looked_for_among_meals_and_not_among_orders(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        placed(session, kitchen, a_diner(session))
    statements = statements_of(bank, lambda s: meals_stopped(s, limit=500))
    assert statements
    assert not [statement for statement in statements if "meal_order" in statement]


def test_a_meal_that_is_served_no_more_is_stopped_while_orders_wait_for_it(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, other = a_kitchen(session), a_kitchen(session)
        waiting = placed(session, kitchen, a_diner(session))
        cancelled = a_diner(session)
        cancel_order(session, actor=cancelled, order_id=placed(session, other, cancelled).id)
        for one in (kitchen, other):
            suspend(session, actor=district(), canteen_id=one.canteen.id, reason="检查")
    slot = (kitchen.canteen.id, kitchen.day, Meal.LUNCH)
    with bank.unit_of_work() as session:
        assert meals_stopped(session, limit=500) == [slot]
        assert (stop_meal(session, slot=slot), stop_meal(session, slot=slot)) == (1, 0)
        assert meals_stopped(session, limit=500) == []
    with bank.session() as session:
        assert session.get_one(type(waiting), waiting.id).state == "cancelled"


def test_a_meal_counted_and_served_is_not_stopped_again_and_again(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        order = placed(session, kitchen, a_diner(session))
    clock.freeze(at_hour(11))
    with bank.unit_of_work() as session:
        serve_order(session, actor=kitchen.clerk, order_id=order.id)
        suspend(session, actor=district(), canteen_id=kitchen.canteen.id, reason="检查")
    with bank.session() as session:
        assert meals_stopped(session, limit=500) == []
    clock.freeze(at_hour(11) + timedelta(days=1))
    with bank.session() as session:
        assert meals_stopped(session, limit=500) == []
