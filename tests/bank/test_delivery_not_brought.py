"""Meals that nobody brought, changes at the last moment, and rounds planned while cut-offs move."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from tests.bank.test_delivery_rounds import refusal
from tests.factories.delivery import CANTEEN, a_street, lives, on_the_way, stop_for
from tests.factories.orders import MORNING, PORK, a_diner, a_kitchen, at_hour, placed, purse_of, vouchers_for
from tests.factories.people import DAYAN, XIWU
from tests.factories.policies import change_policy
from tests.factories.purses import lunch_is_over
from tests.factories.threads import after_waiting
from timebank.canteens.counter.actions import orders_missed
from timebank.canteens.delivery.actions import (
    deliver,
    deliveries_left_over,
    end_deliveries,
    plan_due,
    plan_rounds,
    plans_due,
    report_undelivered,
)
from timebank.canteens.delivery.models import DeliveryRound
from timebank.canteens.network.rules import Carrier
from timebank.canteens.orders.actions import OrderChange, change_order
from timebank.canteens.orders.models import MealOrder, SubsidyUse
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.db import Database
from timebank.ledger.models import Hold
from timebank.notifications.models import Notice
from timebank.redemption.models import Voucher


def end_what_is_left(bank: Database) -> int:
    with bank.session() as session:
        due = deliveries_left_over(session, limit=500)
    for service in due:
        with bank.unit_of_work() as session:
            end_deliveries(session, service=service)
    return len(due)


def test_a_meal_that_no_round_ever_carried_ends_at_no_cost_and_gives_everything_back(bank: Database) -> None:
    clock.freeze(MORNING)
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), lives(session, 500)
        vouchers_for(session, diner)
        order = placed(session, kitchen, diner, PORK, way=Way.DELIVER, use_voucher=True)
    lunch_is_over(minutes=239)
    assert end_what_is_left(bank) == 0
    lunch_is_over(minutes=240)
    assert end_what_is_left(bank) == 1
    assert end_what_is_left(bank) == 0
    with bank.session() as session:
        ended = session.get_one(MealOrder, order.id)
        assert (ended.state, ended.end_reason) == ("undelivered", "not_brought")
        assert purse_of(session, diner) == (5000, 0)
        assert session.scalars(select(Hold.state)).all() in ([], ["released"])
        assert set(session.scalars(select(SubsidyUse.used_fen))) <= {0}
        assert session.scalars(select(Voucher.set_aside_for)).all() == [None]
        [body] = session.scalars(select(Notice.body).where(Notice.title == "送餐没有送到")).all()
    assert "没有扣款" in body


def test_a_round_that_was_left_open_ends_with_what_it_had_brought(bank: Database) -> None:
    street, round_, volunteer = on_the_way(bank, 200, 400)
    with bank.unit_of_work() as session:
        report_undelivered(session, actor=volunteer, order_id=street.orders[0].id, reason="late")
    lunch_is_over(minutes=240)
    assert end_what_is_left(bank) == 1
    with bank.session() as session:
        assert session.get_one(DeliveryRound, round_.id).state == "finished"
        assert [session.get_one(MealOrder, one.id).end_reason for one in street.orders] == ["late", "not_brought"]
        stop = stop_for(session, street.orders[1])
        assert (stop.outcome, stop.reason, stop.closed_by_name) == ("undelivered", "not_brought", "系统")
        assert purse_of(session, street.diners[1]) == (5000, 0)


def test_a_round_whose_meals_have_all_ended_otherwise_is_closed_too(bank: Database) -> None:
    street, round_, volunteer = on_the_way(bank, 200)
    with bank.unit_of_work() as session:
        report_undelivered(session, actor=volunteer, order_id=street.orders[0].id, reason="late")
    lunch_is_over(minutes=240)
    assert end_what_is_left(bank) == 1
    with bank.session() as session:
        assert session.get_one(DeliveryRound, round_.id).state == "finished"
        assert stop_for(session, street.orders[0]).reason == "late"


def test_nobody_reports_that_a_meal_was_not_brought_that_came_or_hands_it_over_afterwards(bank: Database) -> None:
    street, _, volunteer = on_the_way(bank, 200)
    lunch_is_over(minutes=240)
    end_what_is_left(bank)
    order_id = street.orders[0].id
    said = {"actor": volunteer, "order_id": order_id}
    assert refusal(bank, report_undelivered, **said, reason="late") == "wrong_state"
    assert refusal(bank, deliver, **said, handover_code="0000") == "wrong_state"


def test_a_change_to_eating_in_at_the_last_moment_is_waited_for_and_stays_off_the_rounds(bank: Database) -> None:
    clock.freeze(MORNING)
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session, carrier=Carrier.VOLUNTEERS, place=CANTEEN)
        diner = lives(session, 300)
        order = placed(session, kitchen, diner, PORK, way=Way.DELIVER)
    eat_in = OrderChange(Way.EAT_IN, ((kitchen.dish(PORK), 1),))
    clock.freeze(at_hour(9) - timedelta(seconds=1))

    def change(session: Session) -> None:
        change_order(session, actor=diner, order_id=order.id, change=eat_in)
        clock.freeze(at_hour(9) + timedelta(seconds=1))

    meal = {"canteen_id": kitchen.canteen.id, "served_on": kitchen.day, "meal": Meal.LUNCH}
    rounds = after_waiting(bank, change, lambda session: plan_rounds(session, actor=kitchen.clerk, **meal))
    assert rounds == []


def test_what_is_eaten_in_is_neither_handed_over_at_a_door_nor_brought_back(unverified_bank: Database) -> None:
    bank = unverified_bank
    street, _, _ = on_the_way(bank, 200)
    with bank.unit_of_work() as session:
        session.execute(text("ALTER TABLE meal_order DISABLE TRIGGER USER"))
        session.execute(text("UPDATE meal_order SET way = 'eat_in', delivery_address = NULL"))
    clerk = {"actor": street.kitchen.clerk, "order_id": street.orders[0].id}
    assert refusal(bank, report_undelivered, **clerk, reason="nobody_home") == "stop_unknown"
    assert refusal(bank, deliver, **clerk, evidence="电话问过") == "stop_unknown"


def test_a_later_cut_off_by_policy_lets_the_orders_be_planned_as_was_promised(bank: Database) -> None:
    street = a_street(bank, 300)
    later = {"breakfast": [-1, "17:00"], "lunch": [0, "10:30"], "supper": [0, "15:00"]}
    with bank.unit_of_work() as session:
        change_policy(session, "order_cut_offs", later)
    with bank.session() as session:
        [service] = plans_due(session, limit=10)
    with bank.unit_of_work() as session:
        assert plan_due(session, service=service)
    eat_in = OrderChange(Way.EAT_IN, ((street.kitchen.dish(PORK), 1),))
    change = {"actor": street.diners[0], "order_id": street.orders[0].id, "change": eat_in}
    assert refusal(bank, change_order, **change) == "cut_off_passed"


def test_one_townships_long_grace_does_not_hide_the_orders_of_others(bank: Database) -> None:
    clock.freeze(MORNING)
    with bank.unit_of_work() as session:
        change_policy(session, "missed_after_minutes", 600, township_code=DAYAN)
        patient, other = a_kitchen(session, township_code=DAYAN), a_kitchen(session, township_code=XIWU)
        for _ in range(3):
            placed(session, patient, a_diner(session))
        order = placed(session, other, a_diner(session))
    lunch_is_over()
    with bank.session() as session:
        assert orders_missed(session, limit=2) == [order.id]
    lunch_is_over(minutes=600)
    with bank.session() as session:
        assert len(orders_missed(session, limit=10)) == 4


def test_a_stop_of_a_round_that_never_left_closes_as_not_brought_only(unverified_bank: Database) -> None:
    bank = unverified_bank
    street = a_street(bank, 200)
    street.plan(bank)
    with bank.session() as session:
        session.execute(
            text(
                "UPDATE meal_order SET state = 'undelivered', ended_at = now(), ended_by_name = '系统',"
                " end_reason = 'late'"
            )
        )
        closed = (
            "UPDATE delivery_stop SET outcome = 'undelivered', closed_at = now(), closed_by_name = '系统', reason = "
        )
        with pytest.raises(DatabaseError, match="is not undelivered"), session.begin_nested():
            session.execute(text(f"{closed}'late'"))
        session.execute(text(f"{closed}'not_brought'"))
