"""Many at once for what is there once: nothing is oversold, and nobody waits in a ring."""

from __future__ import annotations

import random
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from tests.factories.orders import (
    LOVE,
    MORNING,
    PORK,
    Kitchen,
    a_diner,
    a_kitchen,
    ordered_at,
    placed,
    portions_of,
    vouchers_for,
)
from tests.factories.policies import change_policy
from tests.factories.threads import at_once, codes_of
from timebank.canteens.diners.models import Diner
from timebank.canteens.network.rules import Carrier
from timebank.canteens.orders.actions import OrderChange, cancel_order, change_order, place_order, place_orders
from timebank.canteens.orders.models import MealOrder, SubsidyUse
from timebank.canteens.pricing.rules import Way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError

FOR_A_HOUSEHOLD = {
    "key": "home_delivery",
    "label": "政府补一点（送餐上门）",
    "share": "government",
    "base": "delivery",
    "fen": 100,
    "per": "household_meal",
    "source": "试",
}


@pytest.fixture(autouse=True)
def _morning() -> None:
    clock.freeze(MORNING)


def ordering(diner: Actor, kitchen: Kitchen, *names: str, **how: object) -> Callable[[Session], MealOrder]:
    return lambda session: place_order(session, actor=diner, wanted=kitchen.lunch(diner, *names, **how))


def crowd(bank: Database, many: int, **of_kitchen: object) -> tuple[Kitchen, list[Actor]]:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session, **of_kitchen)  # type: ignore[arg-type]
        return kitchen, [a_diner(session, name=f"老人{n}") for n in range(many)]


def test_thirty_want_the_last_five_portions(bank: Database) -> None:
    kitchen, diners = crowd(bank, 30, limits={PORK: 5})
    answers = at_once(bank, [ordering(diner, kitchen, PORK) for diner in diners])
    assert codes_of(answers) == ["ok"] * 5 + ["sold_out"] * 25
    with bank.session() as session:
        assert (portions_of(session, kitchen.dish(PORK)), ordered_at(session, kitchen)) == (5, 5)


def test_thirty_want_the_last_three_places(bank: Database) -> None:
    kitchen, diners = crowd(bank, 30, capacity=3)
    answers = at_once(bank, [ordering(diner, kitchen, (PORK, LOVE)[n % 2]) for n, diner in enumerate(diners)])
    assert codes_of(answers) == ["capacity_reached"] * 27 + ["ok"] * 3
    numbers = sorted(a.pickup_number for a in answers if isinstance(a, MealOrder))
    assert numbers == [1, 2, 3]


def test_one_voucher_pays_for_one_of_two_meals(bank: Database) -> None:
    kitchen, [diner] = crowd(bank, 1)
    with bank.unit_of_work() as session:
        vouchers_for(session, diner)
    lunch = ordering(diner, kitchen, PORK, use_voucher=True)
    wanted = kitchen.supper(diner, PORK, use_voucher=True)
    answers = at_once(bank, [lunch, lambda s: place_order(s, actor=diner, wanted=wanted)] * 6)
    # Whoever came second for the other meal had no voucher; whoever came second for the same had ordered already.
    assert codes_of(answers).count("ok") == 1
    assert set(codes_of(answers)) <= {"ok", "no_voucher", "already_ordered"}


def test_one_person_has_the_days_subsidy_once_at_two_canteens(bank: Database) -> None:
    kitchen, [diner] = crowd(bank, 1)
    with bank.unit_of_work() as session:
        other = a_kitchen(session)
    wanted = other.supper(diner)
    answers = at_once(bank, [ordering(diner, kitchen), lambda s: place_order(s, actor=diner, wanted=wanted)] * 8)
    given = sorted(a.government_fen for a in answers if isinstance(a, MealOrder))
    assert (len(given), given[0], given[1] > 0) == (2, 0, True)
    with bank.session() as session:
        assert session.scalars(select(SubsidyUse.used_fen)).all() == [given[1]]


def test_one_meal_is_ordered_once_by_a_diner_and_proxies_at_once(bank: Database) -> None:
    kitchen, [diner] = crowd(bank, 1)
    answers = at_once(bank, [ordering(diner, kitchen)] * 12)
    assert codes_of(answers) == ["already_ordered"] * 11 + ["ok"]


def test_changing_against_cancelling_ends_as_one_after_the_other(bank: Database) -> None:
    kitchen, diners = crowd(bank, 6)
    with bank.unit_of_work() as session:
        orders = {diner.person(): placed(session, kitchen, diner, LOVE).id for diner in diners}
    change = OrderChange(Way.EAT_IN, ((kitchen.dish(PORK), 2),))
    calls: list[Callable[[Session], MealOrder]] = []
    for diner in diners:
        order_id = orders[diner.person()]
        calls.append(lambda s, d=diner, i=order_id: change_order(s, actor=d, order_id=i, change=change))  # type: ignore[misc]
        calls.append(lambda s, d=diner, i=order_id: cancel_order(s, actor=d, order_id=i))  # type: ignore[misc]
    answers = at_once(bank, calls)
    assert all(getattr(answer, "code", "order_ended") == "order_ended" for answer in answers)
    with bank.session() as session:
        assert set(session.scalars(select(MealOrder.state))) == {"cancelled"}
        assert (ordered_at(session, kitchen), portions_of(session, kitchen.dish(PORK))) == (0, 0)


def test_a_household_shares_one_limit_however_many_of_it_order_at_once(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "meal_subsidy_rules", [FOR_A_HOUSEHOLD])
    kitchen, diners = crowd(bank, 8, carrier=Carrier.COURIER)
    with bank.unit_of_work() as session:
        home = session.get_one(Diner, diners[0].person()).household_id
        session.execute(update(Diner).values(household_id=home, delivery_address="老街3号"))
    answers = at_once(bank, [ordering(diner, kitchen, way=Way.DELIVER) for diner in diners])
    assert codes_of(answers) == ["ok"] * 8
    assert sorted(a.government_fen for a in answers if isinstance(a, MealOrder)) == [0] * 7 + [100]
    with bank.session() as session:
        assert session.scalars(select(SubsidyUse.used_fen)).all() == [100]


def test_random_deeds_of_many_at_once_never_wait_in_a_ring(bank: Database) -> None:
    kitchen, diners = crowd(bank, 10, limits={PORK: 6}, capacity=14)
    with bank.unit_of_work() as session:
        other = a_kitchen(session, capacity=8)
        for diner in diners:
            vouchers_for(session, diner)
    for seed in range(6):
        answers = at_once(bank, [_some_deed(random.Random(f"{seed} {n}"), kitchen, other, diners) for n in range(16)])
        assert all(not isinstance(answer, BaseException) or isinstance(answer, BankError) for answer in answers)
    with bank.session() as session:
        assert ordered_at(session, kitchen) <= 14
        assert portions_of(session, kitchen.dish(PORK)) <= 6


def _some_deed(
    chance: random.Random, kitchen: Kitchen, other: Kitchen, diners: list[Actor]
) -> Callable[[Session], object]:
    chosen = chance.sample(diners, 4)
    where = chance.choice([kitchen, other])
    if chance.random() < 0.6:
        use_voucher = chance.random() < 0.5
        wishes = [where.lunch(diner, chance.choice([PORK, LOVE]), use_voucher=use_voucher) for diner in chosen]
        return lambda session: place_orders(session, actor=where.clerk, wanted=wishes)

    def end_or_change(session: Session) -> object:
        waiting: list[UUID] = list(
            session.scalars(select(MealOrder.id).where(MealOrder.state == "placed").order_by(func.random()).limit(3))
        )
        if not waiting:
            return None
        order = session.get_one(MealOrder, waiting[0])
        if chance.random() < 0.5:
            clerk = kitchen.clerk if order.canteen_id == kitchen.canteen.id else other.clerk
            return cancel_order(session, actor=clerk, order_id=order.id, reason="试")
        at = kitchen if order.canteen_id == kitchen.canteen.id else other
        change = OrderChange(Way.EAT_IN, ((at.dish(LOVE), 1),), use_voucher=chance.random() < 0.5)
        return change_order(session, actor=at.clerk, order_id=order.id, change=change)

    return end_or_change
