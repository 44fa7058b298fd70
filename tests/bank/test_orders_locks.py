"""What an order locks: what it is judged by, no more and no less."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.orders import LOVE, MORNING, a_diner, a_kitchen, vouchers_for
from tests.factories.people import district
from tests.factories.threads import after_waiting
from timebank.canteens.diners.actions import join_household, leave_household
from timebank.canteens.orders.actions import (
    OrderChange,
    StandingWanted,
    change_order,
    make_standing_orders,
    place_order,
    set_standing_order,
    standing_orders_due,
)
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.redemption.models import Voucher


@pytest.fixture(autouse=True)
def _morning() -> None:
    clock.freeze(MORNING)


def free_of(session: Session, holder: Actor) -> int:
    """How many of somebody's vouchers nobody else has locked."""
    query = select(Voucher.id).where(Voucher.holder_id == holder.person())
    return len(session.scalars(query.with_for_update(skip_locked=True, key_share=True)).all())


@pytest.mark.parametrize("use_voucher", [False, True])
def test_an_order_locks_no_voucher_of_anybody_elses(bank: Database, use_voucher: bool) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner, other = a_kitchen(session), a_diner(session), a_diner(session)
        vouchers_for(session, diner)
        vouchers_for(session, other, 3)
    with bank.unit_of_work() as ordering, bank.session() as beside:
        order = place_order(ordering, actor=diner, wanted=kitchen.lunch(diner, use_voucher=use_voucher))
        found = (free_of(beside, diner), free_of(beside, other))
        beside.rollback()
        assert (found, order.voucher_id is not None) == ((int(not use_voucher), 3), use_voucher)


def test_a_change_locks_its_own_voucher_and_nobody_elses(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner, other = a_kitchen(session), a_diner(session), a_diner(session)
        vouchers_for(session, diner)
        vouchers_for(session, other, 3)
        order = place_order(session, actor=diner, wanted=kitchen.lunch(diner, use_voucher=True))
    change = OrderChange(Way.TAKE_AWAY, ((kitchen.dish(LOVE), 1),))
    with bank.unit_of_work() as changing, bank.session() as beside:
        change_order(changing, actor=diner, order_id=order.id, change=change)
        found = (free_of(beside, diner), free_of(beside, other))
        beside.rollback()
        assert found == (0, 3)


@pytest.mark.parametrize("joins", [True, False])
def test_whoever_is_put_into_another_household_meanwhile_is_still_a_diner(bank: Database, joins: bool) -> None:
    with bank.unit_of_work() as session:
        kitchen, host = a_kitchen(session), a_diner(session)
        diner = a_diner(session, household_of=None if joins else host)

    def move(session: Session) -> object:
        who = {"actor": district(), "person_id": diner.person(), "evidence": "户口簿"}
        return (
            join_household(session, with_person_id=host.person(), **who) if joins else leave_household(session, **who)
        )

    answer = after_waiting(bank, move, lambda s: place_order(s, actor=diner, wanted=kitchen.lunch(diner)))
    assert isinstance(answer, MealOrder), answer


def test_a_standing_order_is_made_though_the_diner_is_put_into_another_household_meanwhile(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, host, diner = a_kitchen(session), a_diner(session), a_diner(session)
        daily = StandingWanted(
            kitchen.canteen.id,
            Meal.LUNCH,
            range(1, 8),
            Way.EAT_IN,
            "love_meal",
            use_vouchers=False,
            starts_on=kitchen.day,
        )
        set_standing_order(session, actor=diner, wanted=daily)
        clock.freeze(MORNING.replace(minute=30))
        [due] = [one for one in standing_orders_due(session, limit=9) if one.served_on == kitchen.day]

    def join(session: Session) -> object:
        who = {"person_id": diner.person(), "with_person_id": host.person()}
        return join_household(session, actor=district(), evidence="户口簿", **who)

    assert after_waiting(bank, join, lambda s: make_standing_orders(s, due=due)) == 1
