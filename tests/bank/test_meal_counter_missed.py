"""Meals nobody came for, meals that were none, and the day's totals: every fen has a place."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.factories.minutes import posted_in
from tests.factories.orders import (
    MORNING,
    PORK,
    a_diner,
    a_kitchen,
    at_hour,
    give_money,
    ordered_at,
    placed,
    purse_of,
    vouchers_for,
)
from tests.factories.people import DAYAN, XIWU, district, steward
from tests.factories.policies import change_policy
from tests.factories.purses import balance, lunch_is_over, moved_for, run_missed, served, topped_up
from timebank.canteens.counter.actions import Sale, correct, mark_missed, orders_missed, sell
from timebank.canteens.counter.day_totals import day_totals
from timebank.canteens.counter.models import MealCorrection
from timebank.canteens.orders.models import MealOrder, OrderSubsidyUse
from timebank.canteens.pricing.rules import Meal
from timebank.canteens.purses.actions import hand_in, pay_back
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.ledger.actions import reverse
from timebank.ledger.models import Transfer
from timebank.ledger.rules import AccountKind
from timebank.notifications.models import Notice
from timebank.redemption.models import Voucher


@pytest.fixture(autouse=True)
def _in_the_morning() -> None:
    clock.freeze(MORNING)


def refusal(session: Session, actor: Actor, order: MealOrder, reason: str = "没有来") -> str:
    with pytest.raises(BankError) as raised, session.begin_nested():
        correct(session, actor=actor, order_id=order.id, reason=reason)
    return raised.value.code


@pytest.mark.parametrize(("percent", "charged"), [(100, 1200), (50, 600), (0, 0)])
def test_who_does_not_come_pays_what_policy_says_of_the_own_share_only(
    bank: Database, percent: int, charged: int
) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "meal_missed_charge_percent", percent)
        change_policy(session, "meal_subsidy_rules", [])
        kitchen = a_kitchen(session)
        diner = a_diner(session)
        order = placed(session, kitchen, diner, PORK)
        assert (order.elder_fen, order.government_fen) == (1200, 0)
    lunch_is_over(59)
    assert run_missed(bank) == 0
    lunch_is_over(60)
    assert (run_missed(bank), run_missed(bank)) == (1, 0)
    with bank.session() as session:
        found = session.get_one(MealOrder, order.id)
        assert (found.state, found.ended_by_name) == ("missed", "系统")
        assert purse_of(session, diner) == (5000 - charged, 0)
        assert moved_for(session, order) == ({"meal_missed": charged} if charged else {})
        told = session.scalars(select(Notice.body).where(Notice.title == "订餐没有来取")).one()
        assert ("没有收费" in told) == (charged == 0)
        totals = day_totals(session, actor=kitchen.clerk, on_day=kitchen.day)
        assert (totals.sums.missed_fen, totals.sums.meals, list(totals.misfits)) == (charged, 0, [])


def test_a_missed_meal_asks_nothing_of_the_government_and_gives_voucher_and_gifts_back(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        give_money(session, kitchen.canteen.id, 300)
        payer, holder = a_diner(session), a_diner(session, fen=0)
        voucher = vouchers_for(session, holder)[0]
        placed(session, kitchen, payer, PORK)
        order = placed(session, kitchen, holder, use_voucher=True)
    lunch_is_over()
    assert run_missed(bank) == 2
    with bank.session() as session:
        assert session.get_one(Voucher, voucher.id).set_aside_for is None
        assert moved_for(session, order) == {}
        assert balance(session, "subsidy") == 0
        held = select(text("sum(held)")).select_from(text("ledger_account")).where(text("unit = 'fen'"))
        assert session.execute(held).scalar_one() == 0
        assert session.scalars(select(OrderSubsidyUse.fen).where(OrderSubsidyUse.fen > 0)).all() == []


def test_half_of_the_own_share_is_not_half_of_the_list_price(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "meal_missed_charge_percent", 50)
        kitchen, diner = a_kitchen(session), a_diner(session)
        order = placed(session, kitchen, diner, PORK)
        assert 0 < order.elder_fen < order.list_fen
    lunch_is_over()
    assert run_missed(bank) == 1
    with bank.session() as session:
        assert moved_for(session, order) == {"meal_missed": order.elder_fen // 2}


def test_what_was_served_meanwhile_is_not_missed_and_what_is_delivered_never_is(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        order = placed(session, kitchen, diner)
        brought = placed(session, kitchen, a_diner(session), way="deliver", delivery_address="老街3号")
        served(session, kitchen, order)
        lunch_is_over(600)
        assert orders_missed(session, limit=10) == []
        assert mark_missed(session, order_id=order.id) is False
        assert (order.state, brought.state) == ("served", "placed")


def test_two_stewards_undo_a_meal_whole(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        give_money(session, kitchen.canteen.id, 300)
        diner = a_diner(session)
        order = placed(session, kitchen, diner, PORK)
        served(session, kitchen, order)
        xiwu = steward(XIWU)
        state, _, _ = correct(session, actor=xiwu, order_id=order.id, reason="刷错了人")
        assert (state, order.state) == ("awaiting_second_person", "served")
        assert refusal(session, xiwu, order) == "second_person_needed"
        assert refusal(session, steward(DAYAN), order) == "other_township"
        assert refusal(session, kitchen.clerk, order) == "steward_only"
        state, corrected, asked = correct(session, actor=district(), order_id=order.id, reason="同意")
        assert (state, corrected.state, asked.reason) == ("corrected", "corrected", "刷错了人")
        assert purse_of(session, diner) == (5000, 0)
        assert balance(session, "canteen", kitchen.canteen.id) == 0 == balance(session, "subsidy")
        assert ordered_at(session, kitchen) == 0
        assert refusal(session, district(), order) == "already_corrected"
        # The diner may have a lunch after all.
        dish = ((kitchen.dish(PORK), 1),)
        assert sell(session, actor=kitchen.clerk, sale=Sale(Meal.LUNCH, dish, diner.person())).state == "served"


def test_a_corrected_voucher_meal_brings_the_minutes_back_to_the_diner(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session, township_code=DAYAN), a_diner(session, fen=0)
        vouchers_for(session, diner)
        assert posted_in(session, AccountKind.SAVINGS, diner) == 0
        order = placed(session, kitchen, diner, use_voucher=True)
        served(session, kitchen, order)
        correct(session, actor=steward(DAYAN), order_id=order.id, reason="没有来")
        correct(session, actor=steward(XIWU), order_id=order.id, reason="没有来")
        assert posted_in(session, AccountKind.SAVINGS, diner) == 60
        assert balance(session, "volunteered") == 0


def test_cash_of_a_corrected_sale_comes_out_of_the_drawer(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        clock.freeze(at_hour(12))
        order = sell(session, actor=kitchen.clerk, sale=Sale(Meal.LUNCH, ((kitchen.dish(PORK), 1),), cash=True))
        correct(session, actor=steward(XIWU), order_id=order.id, reason="退餐")
        correct(session, actor=district(), order_id=order.id, reason="退餐")
        totals = day_totals(session, actor=kitchen.clerk)
        assert (totals.cash.sales_fen, totals.cash.corrected_fen, totals.drawer_fen) == (1200, 1200, 0)
        assert (totals.sums.meals, list(totals.misfits)) == (0, [])


def test_what_was_not_served_is_not_corrected_and_a_reason_is_needed(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        order = placed(session, kitchen, a_diner(session))
        assert refusal(session, steward(XIWU), order) == "order_not_served"
        served(session, kitchen, order)
        assert refusal(session, steward(XIWU), order, " ") == "reason_needed"


def test_the_ledger_reverses_no_share_by_itself_and_says_what_to_do(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        order = placed(session, kitchen, a_diner(session), PORK)
        served(session, kitchen, order)
        for transfer in session.scalars(select(Transfer).where(Transfer.cause_id == order.id)):
            with pytest.raises(BankError) as raised:
                reverse(session, actor=district(), transfer_id=transfer.id, reason="错")
            assert (raised.value.code, "用餐冲正" in raised.value.title) == ("not_reversible", True)


def test_a_days_totals_come_from_orders_and_ledger_and_tie(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        clock.freeze(at_hour(8))
        diners = [a_diner(session, fen=0) for _ in range(3)]
        for diner in diners:
            topped_up(session, diner, kitchen.canteen, 3000)
        orders = [placed(session, kitchen, diner, PORK) for diner in diners]
        served(session, kitchen, *orders)
        sell(session, actor=kitchen.clerk, sale=Sale(Meal.LUNCH, ((kitchen.dish(PORK), 2),), cash=True))
        pay_back(session, actor=kitchen.clerk, person_id=diners[0].person(), amount_fen=500)
        hand_in(session, actor=steward(XIWU), canteen_id=kitchen.canteen.id, amount_fen=4000, reference="缴001")
        totals = day_totals(session, actor=steward(XIWU), canteen_id=kitchen.canteen.id)
        assert (totals.sums.meals, totals.sums.list_fen, list(totals.misfits)) == (4, 6000, [])
        assert sum(totals.sums.shares.values()) == 6000
        cash = totals.cash
        assert (cash.sales_fen, cash.topped_up_fen, cash.paid_back_fen, cash.handed_in_fen) == (2400, 9000, 500, 4000)
        assert totals.drawer_fen == 2400 + 9000 - 500 - 4000
        clock.freeze(at_hour(12) + timedelta(days=1))
        assert day_totals(session, actor=kitchen.clerk).sums.meals == 0


def test_totals_notice_what_was_tampered_with(unverified_bank: Database) -> None:
    with unverified_bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        diner = a_diner(session, fen=0)
        topped_up(session, diner, kitchen.canteen, 3000)
        order = placed(session, kitchen, diner, PORK)
        served(session, kitchen, order)
    for table, change, misfit in (
        ("purse_slip", "amount_fen = amount_fen + 1", ("topped_up_fen", 3001, 3000)),
        ("meal_order", "elder_fen = elder_fen + 1, list_fen = list_fen + 1", ("list_fen", 1201, 1200)),
        ("ledger_transfer", "amount = amount + 5", None),
    ):
        with unverified_bank.session() as session:
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            session.execute(text(f"UPDATE {table} SET {change}"))
            misfits = day_totals(session, actor=kitchen.clerk).misfits
            session.rollback()
        assert misfits
        assert misfit is None or misfit in misfits


def test_a_correction_is_history(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        order = placed(session, kitchen, a_diner(session))
        served(session, kitchen, order)
        correct(session, actor=steward(XIWU), order_id=order.id, reason="没有来")
    for change in (
        "DELETE FROM meal_correction",
        "TRUNCATE meal_correction",
        "UPDATE meal_correction SET reason = '别的'",
        "UPDATE meal_correction SET approved_by = requested_by, approved_by_name = 'x', approved_at = requested_at",
        "UPDATE meal_correction SET approved_by = order_id",
        "INSERT INTO meal_correction SELECT gen_random_uuid(), reason, requested_by, requested_by_name, requested_at,"
        " order_id, 'x', requested_at FROM meal_correction",
        "INSERT INTO meal_correction (order_id, reason, requested_by, requested_by_name, requested_at)"
        " SELECT order_id, '', requested_by, requested_by_name, requested_at FROM meal_correction",
    ):
        with bank.session() as session, pytest.raises(DBAPIError, match="correction"):
            session.execute(text(change))
    with bank.session() as session:
        assert session.get_one(MealCorrection, order.id).reason == "没有来"
