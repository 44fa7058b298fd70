"""Counters at once, and what ``timebank verify`` notices: no fen without its meal, no meal without its fen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.factories.canteens import canteen_clerk, open_canteen
from tests.factories.orders import MORNING, PORK, Kitchen, a_diner, a_kitchen, at_hour, placed
from tests.factories.people import DAYAN, XIWU, district, staff, steward
from tests.factories.purses import balance, lunch_is_over, run_missed, served
from timebank.canteens.counter.actions import correct, serve_order, serve_orders
from timebank.canteens.counter.views import counts_of, queue_of
from timebank.canteens.orders.actions import cancel_order
from timebank.canteens.orders.models import MealOrder
from timebank.core import clock
from timebank.core.actors import StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.supervision.verify import verify


@pytest.fixture(autouse=True)
def _in_the_morning() -> None:
    clock.freeze(MORNING)


def lunches(bank: Database, many: int) -> tuple[Kitchen, list[UUID]]:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        orders = [placed(session, kitchen, a_diner(session), PORK) for _ in range(many)]
    clock.freeze(at_hour(12))
    return kitchen, [order.id for order in orders]


def test_a_meal_is_handed_over_once_however_many_scan_it_at_once(bank: Database) -> None:
    kitchen, ids = lunches(bank, 3)

    def scan(turn: int) -> list[str]:
        wanted = ids if turn % 2 else list(reversed(ids))
        with bank.unit_of_work() as session:
            answers = serve_orders(session, actor=kitchen.clerk, order_ids=wanted)
            return [a.code if isinstance(a, BankError) else a.state for a in answers]

    with ThreadPoolExecutor(6) as pool:
        answers = [one for batch in pool.map(scan, range(6)) for one in batch]
    assert sorted(answers) == ["order_already_served"] * 15 + ["served"] * 3
    with bank.session() as session:
        assert balance(session, "canteen", kitchen.canteen.id) == 3 * 1200


def test_a_meal_is_served_or_cancelled_but_not_both(bank: Database) -> None:
    kitchen, ids = lunches(bank, 4)

    def once(turn: tuple[int, UUID]) -> str:
        try:
            with bank.unit_of_work() as session:
                if turn[0]:
                    serve_order(session, actor=kitchen.clerk, order_id=turn[1])
                else:
                    cancel_order(session, actor=kitchen.clerk, order_id=turn[1], reason="停水")
        except BankError as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(once, [(turn ^ n % 2, i) for n, i in enumerate(ids) for turn in (0, 1)]))
    assert answers.count("done") == 4
    with bank.session() as session:
        states = [session.get_one(MealOrder, order_id).state for order_id in ids]
        assert balance(session, "canteen", kitchen.canteen.id) == 1200 * states.count("served")


def test_a_correction_is_carried_out_once_however_many_approve_it_at_once(bank: Database) -> None:
    kitchen, ids = lunches(bank, 1)
    with bank.unit_of_work() as session:
        served(session, kitchen, session.get_one(MealOrder, ids[0]))
        correct(session, actor=steward(XIWU), order_id=ids[0], reason="刷错")

    def approve(_: int) -> str:
        try:
            with bank.unit_of_work() as session:
                return correct(session, actor=district(), order_id=ids[0], reason="同意")[0]
        except BankError as refusal:
            return refusal.code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(approve, range(4))) == ["already_corrected"] * 3 + ["corrected"]


def test_the_queue_goes_on_by_number_and_counts_are_by_state(bank: Database) -> None:
    kitchen, ids = lunches(bank, 3)
    with bank.unit_of_work() as session:
        serve_order(session, actor=kitchen.clerk, order_id=ids[1])
        first = queue_of(session, actor=kitchen.clerk, meal="lunch", limit=1)
        rest = queue_of(
            session, actor=kitchen.clerk, meal="lunch", limit=9, after_number=first[0].view.order.pickup_number
        )
        assert [one.view.order.id for one in first + rest] == [ids[0], ids[2]]
        assert {one.masked_name is not None and "*" in one.masked_name for one in first + rest} == {True}
        _, day, counts = counts_of(session, actor=kitchen.clerk)
        assert (day, {count.state: (count.orders, count.portions) for count in counts}) == (
            kitchen.day,
            {"placed": (2, 2), "served": (1, 1)},
        )
        assert counts_of(session, actor=kitchen.clerk, on_day=date(2026, 1, 1))[2] == []
        strangers = (steward(DAYAN), canteen_clerk(open_canteen(session, DAYAN)), staff(StaffRole.CARE_PROVIDER, XIWU))
        for actor in strangers:
            with pytest.raises(BankError) as raised:
                counts_of(session, actor=actor, canteen_id=kitchen.canteen.id)
            assert raised.value.code == "counter_not_yours"


def a_days_work(bank: Database) -> None:
    """One lunch served, one corrected, one missed, one waiting for supper."""
    kitchen, ids = lunches(bank, 3)
    with bank.unit_of_work() as session:
        for order_id in ids[:2]:
            serve_order(session, actor=kitchen.clerk, order_id=order_id)
        correct(session, actor=steward(XIWU), order_id=ids[1], reason="刷错")
        correct(session, actor=district(), order_id=ids[1], reason="刷错")
    lunch_is_over()
    assert run_missed(bank) == 1


@pytest.mark.parametrize(
    ("table", "change", "check"),
    [
        (
            "meal_order",
            "UPDATE meal_order SET elder_fen = elder_fen - 1, government_fen = government_fen + 1"
            " WHERE state = 'served'",
            "meals_served_posted",
        ),
        ("meal_order", "UPDATE meal_order SET state = 'undelivered' WHERE state = 'served'", "meals_served_posted"),
        ("meal_order", "UPDATE meal_order SET state = 'served' WHERE state = 'missed'", "meals_served_posted"),
        ("meal_order", "UPDATE meal_order SET state = 'corrected' WHERE state = 'served'", "corrected_meals_undone"),
        ("meal_correction", "UPDATE meal_correction SET order_id = (SELECT id FROM meal_order WHERE state = 'served')",
         "corrected_meals_undone"),
        ("meal_order", "UPDATE meal_order SET elder_fen = elder_fen - 1, list_fen = list_fen - 1"
         " WHERE state = 'missed'", "missed_meals_charged"),
        ("ledger_transfer", "UPDATE ledger_transfer SET cause_id = id WHERE kind = 'meal_missed'",
         "meal_transfers_ordered"),
    ],
)  # fmt: skip
def test_verify_notices_what_was_tampered_with(unverified_bank: Database, table: str, change: str, check: str) -> None:
    a_days_work(unverified_bank)
    with unverified_bank.session() as session:
        assert [one.check.name for one in verify(session) if one.misfit is not None] == []
    with unverified_bank.unit_of_work() as session:
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        session.execute(text(change))
        session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    with unverified_bank.session() as session:
        assert check in [one.check.name for one in verify(session) if one.misfit is not None]
