"""Books and locks at the counter: vouchers of ordered meals, days with meals not brought, a canteen's first meals."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.factories.delivery import on_the_way
from tests.factories.orders import MORNING, PORK, a_diner, a_kitchen, at_hour, give_money, placed, vouchers_for
from tests.factories.people import district
from tests.factories.policies import change_policy
from tests.factories.reversals import reversed_by_two
from tests.factories.threads import at_once, codes_of, half_way
from timebank.canteens.counter.actions import Sale, sell, serve_order
from timebank.canteens.counter.checks import counter_checks
from timebank.canteens.counter.day_totals import OF_TILL, day_totals
from timebank.canteens.delivery.actions import report_undelivered
from timebank.canteens.delivery.queries.rounds import services_to_plan
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.views import order_for
from timebank.canteens.pricing.rules import Meal
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.ledger.models import Account, Transfer


@pytest.fixture(autouse=True)
def _in_the_morning() -> None:
    clock.freeze(MORNING)


def paid_with_a_voucher(bank: Database) -> MealOrder:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        vouchers_for(session, diner)
        order = placed(session, kitchen, diner, PORK, use_voucher=True)
    clock.freeze(at_hour(11))
    with bank.unit_of_work() as session:
        return serve_order(session, actor=kitchen.clerk, order_id=order.id)


def misfits(session: Session) -> list[str]:
    return [check.name for check in counter_checks() if check.first_misfit(session) is not None]


def test_the_voucher_of_an_ordered_meal_is_not_reversed_without_the_meal(bank: Database) -> None:
    order = paid_with_a_voucher(bank)
    assert order.volunteers_fen > 0
    with pytest.raises(BankError) as raised:
        reversed_by_two(bank, "voucher_redemption", cause_id=order.voucher_id)
    assert raised.value.code == "not_reversible"
    assert "用餐冲正" in raised.value.title
    with bank.session() as session:
        assert session.scalars(select(Transfer.id).where(Transfer.kind == "reversal")).all() == []


def test_verify_names_a_served_meal_whose_voucher_was_reversed_alone(unverified_bank: Database) -> None:
    bank = unverified_bank
    order = paid_with_a_voucher(bank)
    with bank.session() as session:
        assert misfits(session) == []
        # As before the meal was asked for: minutes back, the canteen still paid.
        session.execute(text("ALTER TABLE ledger_transfer DISABLE TRIGGER USER"))
        session.execute(
            text("UPDATE ledger_transfer SET kind = 'care_use' WHERE cause_id = :id AND kind = 'voucher_redemption'"),
            {"id": order.voucher_id},
        )
        assert misfits(session) == ["meals_vouchers_redeemed"]


def test_a_day_ties_where_somebody_was_charged_for_a_meal_brought_back(bank: Database) -> None:
    street, _, volunteer = on_the_way(bank, 300)
    [order], [diner] = street.orders, street.diners
    with bank.unit_of_work() as session:
        report_undelivered(session, actor=volunteer, order_id=order.id, reason="nobody_home")
    with bank.session() as session:
        totals = day_totals(session, actor=street.kitchen.clerk)
        assert (totals.sums.missed_fen, totals.misfits) == (order.elder_fen, [])
        assert order_for(session, actor=diner, order_id=order.id).charged_fen == order.elder_fen


def test_an_order_says_what_was_charged_only_where_the_meal_was_not_had(bank: Database) -> None:
    eaten = paid_with_a_voucher(bank)
    street, _, volunteer = on_the_way(bank, 300)
    [order] = street.orders
    with bank.unit_of_work() as session:
        report_undelivered(session, actor=volunteer, order_id=order.id, reason="spilled")
    with bank.session() as session:
        assert order_for(session, actor=district(), order_id=order.id).charged_fen == 0
        assert order_for(session, actor=district(), order_id=eaten.id).charged_fen is None


def test_a_canteens_first_meals_sold_and_served_at_once_do_not_wait_for_each_other(
    bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bank.unit_of_work() as session:
        kitchen, one, other = a_kitchen(session), a_diner(session), a_diner(session)
        give_money(session, kitchen.canteen.id, 10_000)
        order = placed(session, kitchen, one, PORK)
        # As at a canteen from before its accounts were opened with its acceptance.
        session.execute(text("ALTER TABLE ledger_account DISABLE TRIGGER USER"))
        session.execute(text("DELETE FROM ledger_account WHERE kind IN ('canteen', 'till')"))
        session.execute(text("ALTER TABLE ledger_account ENABLE TRIGGER USER"))
    clock.freeze(at_hour(11))
    sale = Sale(Meal.LUNCH, ((kitchen.dish(PORK), 1),), person_id=other.person())
    calls = half_way(
        monkeypatch,
        "timebank.canteens.counter.actions.sell",
        "serve_order",
        lambda session: sell(session, actor=kitchen.clerk, sale=sale),
        lambda session: serve_order(session, actor=kitchen.clerk, order_id=order.id),
    )
    assert codes_of(at_once(bank, calls)) == ["ok", "ok"]


def test_all_accounts_of_a_canteen_are_open_once_it_is_accepted(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        kinds = session.scalars(select(Account.kind).where(Account.organisation_id == kitchen.canteen.id)).all()
    assert sorted(kinds) == ["canteen", "donated", "produce", "till"]


def test_a_meal_with_one_order_that_may_still_change_is_not_planned_yet(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        to_the_door = {"way": "deliver", "delivery_address": "老街3号"}
        placed(session, kitchen, a_diner(session), **to_the_door)
        later = {"breakfast": [-1, "17:00"], "lunch": [0, "10:30"], "supper": [0, "15:00"]}
        change_policy(session, "order_cut_offs", later)
        clock.freeze(MORNING + timedelta(seconds=1))
        placed(session, kitchen, a_diner(session), **to_the_door)
    clock.freeze(at_hour(10))
    with bank.session() as session:
        assert services_to_plan(session, today=kitchen.day, limit=9) == []
        clock.freeze(at_hour(10) + timedelta(minutes=31))
        assert services_to_plan(session, today=kitchen.day, limit=9) == [(kitchen.canteen.id, kitchen.day, "lunch")]


def test_a_days_cash_is_read_by_the_day_and_not_from_the_drawers_whole_history(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
    span = {"begins": clock.day_start(kitchen.day), "ends": at_hour(0, days=1)}
    with bank.session() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        rows = session.execute(text(f"EXPLAIN {OF_TILL.text}"), {"canteen_id": kitchen.canteen.id, **span})
        plan = "\n".join(row[0] for row in rows)
    assert "ix_ledger_transfer_from_till" in plan
    assert "ix_ledger_transfer_to_till" in plan
    assert plan.count("effective_at >=") == plan.count("Index Cond: ((") == 2
