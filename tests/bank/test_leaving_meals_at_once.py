"""Meals ordered and handed over at the moment of leaving or of a report: one after the other, never in a ring."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import select

from tests.factories.leaving_meals import ordered, state_of
from tests.factories.orders import MORNING, a_diner, a_kitchen, at_hour, vouchers_for
from tests.factories.people import XIWU, steward
from tests.factories.threads import after_waiting
from timebank.canteens.counter.actions import serve_order
from timebank.canteens.orders.actions import place_order
from timebank.canteens.orders.models import MealOrder
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.leaving import actions as leaving
from timebank.leaving.actions.deaths import Death
from timebank.leaving.actions.leave import Wish


@pytest.fixture(autouse=True)
def _in_the_morning() -> None:
    clock.freeze(MORNING)


def reported(dead: Actor) -> partial[object]:
    death = Death(dead.person(), clock.today(), "死亡证明第9号")
    return partial(leaving.report_death, actor=steward(XIWU), death=death)


def refused(answer: object) -> str:
    assert isinstance(answer, BankError), answer
    return answer.code


def test_a_meal_is_not_handed_over_once_the_death_is_being_reported(bank: Database) -> None:
    kitchen, diner, order = ordered(bank)
    clock.freeze(at_hour(12))
    serve = partial(serve_order, actor=kitchen.clerk, order_id=order.id)
    assert refused(after_waiting(bank, reported(diner), serve)) == "person_frozen"
    assert state_of(bank, order)[0] == "placed"


def test_a_report_waits_for_the_meal_that_is_being_handed_over(bank: Database) -> None:
    kitchen, diner, order = ordered(bank)
    clock.freeze(at_hour(12))
    serve = partial(serve_order, actor=kitchen.clerk, order_id=order.id)
    assert not isinstance(after_waiting(bank, serve, reported(diner)), BankError)
    assert state_of(bank, order)[0] == "served"


def test_whoever_is_leaving_orders_nothing_and_whoever_is_ordering_does_not_leave_with_money(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session, 0)
        from_purse = a_diner(session, 5000)
    place = partial(place_order, actor=diner, wanted=kitchen.lunch(diner, use_voucher=False))
    gone = partial(leaving.leave, actor=diner, wish=Wish("pool"))
    assert refused(after_waiting(bank, gone, place)) in ("person_left", "diner_not_approved")
    place = partial(place_order, actor=from_purse, wanted=kitchen.lunch(from_purse))
    gone = partial(leaving.leave, actor=from_purse, wish=Wish("pool"))
    assert refused(after_waiting(bank, place, gone)) == "purse_not_empty"


def test_an_order_with_a_voucher_placed_while_its_diner_leaves_ends_with_the_leaving(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session, 0)
        vouchers_for(session, diner, 1)
    placing = partial(place_order, actor=diner, wanted=kitchen.lunch(diner, use_voucher=True))
    gone = after_waiting(bank, placing, partial(leaving.leave, actor=diner, wish=Wish("pool")))
    assert not isinstance(gone, BankError)
    assert (gone.vouchers_refunded, gone.savings_minutes) == (1, 60)
    with bank.session() as session:
        assert session.scalars(select(MealOrder.state)).all() == ["cancelled"]
