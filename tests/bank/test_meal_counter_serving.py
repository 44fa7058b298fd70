"""Handing meals over: every share of the list price moves once, at one counter, at its time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tests.bank.test_purses_many_holds import counting
from tests.factories.canteens import canteen_clerk, open_canteen
from tests.factories.orders import (
    LOVE,
    MORNING,
    PORK,
    Kitchen,
    a_diner,
    a_kitchen,
    at_hour,
    give_money,
    placed,
    purse_of,
    vouchers_for,
)
from tests.factories.people import DAYAN, XIWU, district, steward
from tests.factories.purses import balance, moved_for, served
from timebank.canteens.counter.actions import Sale, Shown, find_order, sell, serve_order, serve_orders
from timebank.canteens.orders.actions import cancel_order
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.pricing.rules import Meal
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.actions import end_hold, expired_holds
from timebank.redemption.models import Voucher

SHARES = ("elder", "government", "donation", "garden", "volunteers")


@pytest.fixture(autouse=True)
def _in_the_morning() -> None:
    clock.freeze(MORNING)


def code(session: Session, actor: Actor, order: MealOrder) -> str:
    with pytest.raises(BankError) as raised:
        serve_order(session, actor=actor, order_id=order.id)
    return raised.value.code


def test_every_share_of_the_list_price_comes_to_the_canteen(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        give_money(session, kitchen.canteen.id, 300)
        diner = a_diner(session)
        order = placed(session, kitchen, diner, PORK)
        before = purse_of(session, diner)
        assert before[1] == order.elder_fen > 0
        served(session, kitchen, order)
        assert (order.state, order.ended_at, order.ended_by_name) == ("served", at_hour(12), kitchen.clerk.name)
        assert purse_of(session, diner) == (before[0] - order.elder_fen, 0)
        shares = {f"meal_{share}": getattr(order, f"{share}_fen") for share in SHARES}
        assert moved_for(session, order) == {kind: fen for kind, fen in shares.items() if fen}
        assert balance(session, "canteen", kitchen.canteen.id) == order.list_fen == 1200
        assert balance(session, "subsidy") == -order.government_fen


def test_a_voucher_set_aside_is_used_and_its_worth_is_the_volunteers_share(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session, fen=0)
        voucher = vouchers_for(session, diner)[0]
        order = placed(session, kitchen, diner, use_voucher=True)
        assert (order.voucher_id, order.elder_fen) == (voucher.id, 0)
        served(session, kitchen, order)
        used = session.get_one(Voucher, voucher.id, populate_existing=True)
        assert (used.status, used.canteen_id, used.ended_at) == ("redeemed", kitchen.canteen.id, at_hour(12))
        assert balance(session, "volunteered") == -order.volunteers_fen < 0
        assert balance(session, "canteen", kitchen.canteen.id) == order.list_fen


def test_nobody_gets_a_meal_twice_or_another_canteens_or_an_ended_one(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        first, second = (placed(session, kitchen, a_diner(session)) for _ in range(2))
        cancelled = placed(session, kitchen, a_diner(session))
        cancel_order(session, actor=kitchen.clerk, order_id=cancelled.id, reason="停水")
        served(session, kitchen, first)
        with pytest.raises(BankError) as again:
            serve_order(session, actor=kitchen.clerk, order_id=first.id)
        assert (again.value.code, again.value.facts["served_at"]) == ("order_already_served", at_hour(12))
        elsewhere = canteen_clerk(open_canteen(session, DAYAN))
        assert code(session, elsewhere, second) == "order_elsewhere"
        assert code(session, kitchen.clerk, cancelled) == "order_ended"
        assert code(session, steward(DAYAN), second) == "counter_not_yours"
        serve_order(session, actor=steward(XIWU), order_id=second.id)


@pytest.mark.parametrize(
    ("at", "refusal"),
    [
        (at_hour(9).replace(minute=29), "too_early_to_serve"),
        (at_hour(11, days=1), "other_day"),
        (at_hour(9).replace(minute=30), None),
    ],
)
def test_a_meal_is_handed_over_on_its_day_from_a_little_before_it_opens(
    bank: Database, at: object, refusal: str | None
) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        order = placed(session, kitchen, a_diner(session))
        clock.freeze(at)  # type: ignore[arg-type]
        if refusal is None:
            assert serve_order(session, actor=kitchen.clerk, order_id=order.id).state == "served"
        else:
            assert code(session, kitchen.clerk, order) == refusal


def test_a_batch_answers_one_by_one_and_a_bad_one_spoils_nothing(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        diners = [a_diner(session) for _ in range(3)]
        first, second, third = (placed(session, kitchen, diner) for diner in diners)
        cancel_order(session, actor=kitchen.clerk, order_id=second.id, reason="停水")
        clock.freeze(at_hour(12))
        asked = [first.id, second.id, first.id, new_id(), third.id]
        answers = serve_orders(session, actor=kitchen.clerk, order_ids=asked)
        codes = [answer.code if isinstance(answer, BankError) else answer.state for answer in answers]
        assert codes == ["served", "order_ended", "order_already_served", "order_unknown", "served"]
        assert balance(session, "canteen", kitchen.canteen.id) == first.list_fen + third.list_fen


def test_as_many_statements_for_twenty_meals_as_for_one(bank: Database) -> None:
    counts = []
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        for many in (1, 20):
            clock.freeze(MORNING)
            orders = [placed(session, kitchen, a_diner(session)) for _ in range(many)]
            ids = [order.id for order in orders]
            session.flush()
            session.expunge_all()
            clock.freeze(at_hour(12))
            with counting(session) as seen:
                answers = serve_orders(session, actor=kitchen.clerk, order_ids=ids)
            assert [answer for answer in answers if isinstance(answer, BankError)] == []
            counts.append(len(seen))
    # The first one opened the canteen's accounts.
    assert counts[1] <= counts[0] <= 40, counts


def test_an_order_is_found_by_what_is_shown(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        voucher = vouchers_for(session, diner)[0]
        order = placed(session, kitchen, diner, use_voucher=True)
        for shown in (
            Shown(order_id=order.id),
            Shown(pickup_number=order.pickup_number, meal=Meal.LUNCH),
            Shown(voucher_code=voucher.code.lower()),
            Shown(person_id=diner.person()),
        ):
            assert find_order(session, actor=kitchen.clerk, shown=shown) == order.id
        for unclear in (Shown(), Shown(pickup_number=1), Shown(order_id=order.id, person_id=diner.person())):
            with pytest.raises(BankError) as raised:
                find_order(session, actor=kitchen.clerk, shown=unclear)
            assert raised.value.code == "shown_unclear"
        for nothing in (Shown(pickup_number=99, meal=Meal.LUNCH), Shown(voucher_code="ABC"), Shown(person_id=new_id())):
            with pytest.raises(BankError) as raised:
                find_order(session, actor=kitchen.clerk, shown=nothing)
            assert raised.value.code == "no_order_waiting"


def test_a_diner_buys_at_the_counter_by_the_same_rules_and_a_guest_pays_all_in_cash(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        ordered = placed(session, kitchen, a_diner(session), PORK)
        clock.freeze(at_hour(12))
        dish = ((kitchen.dish(PORK), 1),)
        sold = sell(session, actor=kitchen.clerk, sale=Sale(Meal.LUNCH, dish, diner.person(), accept_unsuitable=True))
        assert (sold.state, sold.elder_fen, sold.government_fen) == (
            "served",
            ordered.elder_fen,
            ordered.government_fen,
        )
        guest = sell(session, actor=kitchen.clerk, sale=Sale(Meal.LUNCH, dish, cash=True))
        assert (guest.state, guest.cash_fen, guest.list_fen) == ("served", 1200, 1200)
        assert balance(session, "till", kitchen.canteen.id) == -1200
        assert balance(session, "canteen", kitchen.canteen.id) == 2400


def test_what_is_sold_before_the_meal_begins_is_not_sold_at_all(bank: Database) -> None:
    def early(session: Session) -> Kitchen:
        kitchen = a_kitchen(session)
        dish = ((kitchen.dish(LOVE), 1),)
        clock.freeze(at_hour(9))
        with pytest.raises(BankError) as raised, session.begin_nested():
            sell(session, actor=kitchen.clerk, sale=Sale(Meal.LUNCH, dish, cash=True))
        assert raised.value.code == "too_early_to_serve"
        with pytest.raises(BankError) as raised:
            sell(session, actor=district(), sale=Sale(Meal.LUNCH, dish, cash=True))
        assert raised.value.code == "clerk_only"
        return kitchen

    with bank.unit_of_work() as session:
        early(session)
        assert session.query(MealOrder).count() == 0


def test_a_purse_whose_hold_ran_out_still_pays_while_it_can(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session, fen=1000)
        order = placed(session, kitchen, diner)
        clock.freeze(MORNING + timedelta(days=40))
        for hold_id in expired_holds(session, limit=10):
            end_hold(session, hold_id=hold_id, expired=True)
        served(session, kitchen, order)
        assert purse_of(session, diner) == (1000 - order.elder_fen, 0)
