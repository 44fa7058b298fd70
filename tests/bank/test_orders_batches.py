"""A batch of orders decides exactly as its orders one after another would, in a fixed number of statements."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from tests.factories.orders import GREENS, LOVE, MORNING, PORK, Kitchen, a_diner, a_kitchen, give_money, vouchers_for
from tests.factories.people import district
from tests.thorough import length
from timebank.canteens.orders.actions import OrderWanted, place_orders
from timebank.canteens.orders.models import MealOrder, MealService, SubsidyUse
from timebank.canteens.pricing.rules import Way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.models import Hold

SHOWN = (
    *("diner_id", "canteen_id", "meal", "state", "portions", "pickup_number", "list_fen", "elder_fen"),
    *("government_fen", "donation_fen", "garden_fen", "volunteers_fen", "voucher_id", "way", "diet_form"),
)


@pytest.fixture(autouse=True)
def _morning() -> None:
    clock.freeze(MORNING)


def some_wishes(chance: random.Random, kitchens: Sequence[Kitchen], diners: Sequence[Actor]) -> list[OrderWanted]:
    """Orders of every kind, bad ones among them, for few places, dishes, purses, vouchers and gifts."""
    wishes = []
    for _ in range(14):
        kitchen, diner = chance.choice(kitchens), chance.choice(diners)
        names = chance.sample([PORK, GREENS, LOVE], chance.randint(1, 2))
        wanted = kitchen.supper(diner, names[0]) if chance.random() < 0.4 else kitchen.lunch(diner, *names)
        wanted = replace(wanted, use_voucher=chance.random() < 0.3, way=chance.choice(list(Way)))
        if wanted.way == Way.DELIVER and chance.random() < 0.8:
            wanted = replace(wanted, delivery_address="老街3号")
        if chance.random() < 0.1:
            wanted = replace(wanted, items=((new_id(), 1),))
        if chance.random() < 0.1:
            wanted = replace(wanted, items=((wanted.items[0][0], chance.choice([0, 2, 9])),))
        wishes.append(wanted)
    return wishes


def outcome(session: Session, answers: Sequence[MealOrder | BankError]) -> object:
    """What came of it, without ids and moments that are new every time."""
    said = [
        (answer.code, {k: v for k, v in answer.facts.items() if k != "order_id"})
        if isinstance(answer, BankError)
        else tuple(getattr(answer, name) for name in SHOWN)
        for answer in answers
    ]
    session.expire_all()
    meals = select(MealService.canteen_id, MealService.meal, MealService.ordered_meals, MealService.last_pickup_number)
    uses = select(SubsidyUse.scope, SubsidyUse.scope_id, SubsidyUse.rule_key, SubsidyUse.meal, SubsidyUse.used_fen)
    holds = select(Hold.account_id, Hold.amount).where(Hold.state == "placed")
    return said, *(sorted(map(tuple, session.execute(query))) for query in (meals, uses, holds))


@pytest.mark.parametrize("seed", range(length(6, 40)))
def test_a_batch_decides_as_its_orders_one_after_another(bank: Database, seed: int) -> None:
    chance = random.Random(seed)
    with bank.unit_of_work() as session:
        kitchens = [a_kitchen(session, capacity=5, limits={PORK: 2}), a_kitchen(session, capacity=4)]
        give_money(session, kitchens[0].canteen.id, 250)
        diners = [a_diner(session, fen=chance.choice([0, 700, 3000])) for _ in range(5)]
        diners.append(a_diner(session, fen=2000, household_of=diners[0], categories=["disabled"]))
        for diner in diners[:3]:
            vouchers_for(session, diner)
    wishes = some_wishes(chance, kitchens, diners)
    steward = kitchens[0].clerk if seed % 3 == 0 else _steward()
    found = []
    for batches in ([wishes], [[wish] for wish in wishes], [wishes[:5], wishes[5:]]):
        with bank.session() as session:
            answers = [a for batch in batches for a in place_orders(session, actor=steward, wanted=batch)]
            found.append(outcome(session, answers))
            session.rollback()
    assert found[0] == found[1] == found[2]
    codes = {said[0] for said in found[0][0]}  # type: ignore[index]
    assert len(codes) > 2, "nothing was refused, or everything"


def _steward() -> Actor:

    return district()


def test_many_orders_take_as_many_statements_as_one(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        diners = [a_diner(session) for _ in range(25)]
        for diner in diners[:10]:
            vouchers_for(session, diner)
    counted = []
    for group in (diners[:1], [diners[1], diners[10]], diners[2:10] + diners[11:]):
        wishes = [kitchen.lunch(diner, PORK, GREENS, use_voucher=diner in diners[:10]) for diner in group]
        with bank.unit_of_work() as session:
            statements: list[str] = []
            event.listen(bank.engine, "before_cursor_execute", lambda *a, into=statements: into.append(a[2]))
            answers = place_orders(session, actor=kitchen.clerk, wanted=wishes)
            counted.append(len(statements))
        assert all(isinstance(answer, MealOrder) for answer in answers)
    # The first of all opens the canteen's accounts.
    assert counted[1] == counted[2]
    assert counted[0] - counted[1] in range(-3, 5)
