"""A diner reported dead is neither served nor charged; once it is certain, meals end and heirs get the purse."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.delivery import on_the_way
from tests.factories.leaving import report
from tests.factories.leaving_meals import die, lunches_for_long, ordered, state_of, with_heir
from tests.factories.orders import MORNING, PORK, Kitchen, a_diner, at_hour, purse_of
from tests.factories.people import district
from tests.factories.purses import lunch_is_over, moved_for, run_missed
from timebank.canteens.counter.actions import serve_order, serve_orders
from timebank.canteens.delivery.actions import deliver, report_undelivered
from timebank.canteens.delivery.queries.rounds import code_of
from timebank.canteens.diners.models import Diner
from timebank.canteens.orders.actions import orders_of_leavers, place_order, stop_order
from timebank.canteens.orders.models import MealOrder, StandingOrder
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.leaving import actions as leaving
from timebank.ledger.models import Transfer
from timebank.notifications.models import Notice


@pytest.fixture(autouse=True)
def _in_the_morning() -> None:
    clock.freeze(MORNING)


def code(session: Session, deed: object, **how: object) -> str:
    with pytest.raises(BankError) as raised, session.begin_nested():
        deed(session, **how)  # type: ignore[operator]
    return raised.value.code


def declined(bank: Database, dead: Actor) -> None:
    found = report(bank, dead)
    with bank.unit_of_work() as session:
        leaving.decline_death(session, actor=district(), report_id=found.id, reason="同名之误")


def test_nothing_is_handed_over_while_a_death_is_looked_into_and_all_goes_on_where_it_was_wrong(bank: Database) -> None:
    kitchen, diner, order = ordered(bank)
    found = report(bank, diner)
    clock.freeze(at_hour(12))
    with bank.unit_of_work() as session:
        neighbour = placed_neighbour(session, kitchen)
        answers = serve_orders(session, actor=kitchen.clerk, order_ids=[order.id, neighbour.id])
        assert [getattr(one, "code", "served") for one in answers] == ["person_frozen", "served"]
    assert state_of(bank, order)[0] == "placed"
    with bank.unit_of_work() as session:
        leaving.decline_death(session, actor=district(), report_id=found.id, reason="同名之误")
        serve_order(session, actor=kitchen.clerk, order_id=order.id)
    assert state_of(bank, order)[0] == "served"


def placed_neighbour(session: Session, kitchen: Kitchen) -> MealOrder:
    """Somebody else's lunch, sold at the counter and not handed over yet."""
    wanted = kitchen.lunch(a_diner(session), PORK, walk_in=True)
    return place_order(session, actor=kitchen.clerk, wanted=wanted)


def test_nobody_reported_dead_is_charged_for_a_meal_that_was_not_handed_over(bank: Database) -> None:
    _, diner, order = ordered(bank)
    clock.freeze(at_hour(10))
    declined(bank, diner)
    report(bank, diner)
    lunch_is_over()
    assert run_missed(bank) == 1
    assert state_of(bank, order) == ("missed", "没有来取")
    with bank.session() as session:
        assert (purse_of(session, diner), moved_for(session, order)) == ((5000, 0), {})


def test_an_order_waits_for_its_cut_off_and_is_then_given_up_unless_the_report_was_wrong(bank: Database) -> None:
    _, diner, order = ordered(bank)
    found = report(bank, diner)
    with bank.session() as session:
        assert orders_of_leavers(session, limit=9) == []
    clock.freeze(order.cut_off_at)
    with bank.session() as session:
        assert orders_of_leavers(session, limit=9) == [order.id]
    with bank.unit_of_work() as session:
        leaving.decline_death(session, actor=district(), report_id=found.id, reason="同名之误")
        # As a job would that had looked before.
        assert stop_order(session, order_id=order.id) == 0
    report(bank, diner)
    with bank.unit_of_work() as session:
        # Reported after the cut-off: the meal is being cooked.
        assert stop_order(session, order_id=order.id) == 0
    assert state_of(bank, order)[0] == "placed"


def test_at_the_door_a_frozen_meal_is_brought_back_and_costs_nothing(bank: Database) -> None:
    street, round_, volunteer = on_the_way(bank, 100)
    with bank.session() as session:
        order = session.scalars(select(MealOrder).where(MealOrder.way == "deliver")).one()
        had, held = purse_of(session, street.diners[0])
        assert held > 0
    report(bank, street.diners[0])
    with bank.unit_of_work() as session:
        how = {"actor": volunteer, "order_id": order.id}
        assert code(session, deliver, **how, handover_code=code_of(order.id)) == "person_frozen"
        report_undelivered(session, **how, reason="nobody_home")  # type: ignore[arg-type]
    assert state_of(bank, order) == ("undelivered", "nobody_home")
    with bank.session() as session:
        assert (purse_of(session, street.diners[0]), moved_for(session, order)) == ((had, 0), {})
    assert round_.id is not None


def test_a_death_ends_orders_standing_orders_and_the_file_and_the_purse_goes_to_the_heirs(bank: Database) -> None:
    kitchen, diner, order = ordered(bank)
    with bank.unit_of_work() as session:
        standing = lunches_for_long(session, kitchen, diner)
        heir = a_diner(session, 700, name="周小敏")
        with_heir(session, diner, heir)
    die(bank, diner)
    assert state_of(bank, order) == ("cancelled", "本人身故")
    with bank.session() as session:
        assert session.get_one(StandingOrder, standing.id).ended_at is not None
        assert session.get_one(Diner, diner.person()).state == "ended"
        assert (purse_of(session, diner), purse_of(session, heir)) == ((0, 0), (5700, 0))
        [moved] = session.scalars(select(Transfer).where(Transfer.kind == "purse_inherited"))
        assert (moved.amount, moved.cause_kind, moved.policy_version is not None) == (5000, "leaving", True)
        told = session.scalars(select(Notice.body).where(Notice.person_id == heir.person())).all()
    assert any("餐费余额50.00元已转入您的餐费余额" in body for body in told)
