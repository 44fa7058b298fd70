"""The bank's meals and those on paper, living side by side and compared after every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.bank.orders_model import A_DAY, PRICES, PaperKitchen
from tests.factories.orders import MORNING, a_diner, a_kitchen, ordered_at, portions_of, purse_of, vouchers_for
from tests.factories.policies import change_policy
from timebank.canteens.orders.actions import OrderChange, cancel_order, change_order, place_order
from timebank.canteens.orders.models import MealOrder, SubsidyUse
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.policies.queries import in_force
from timebank.redemption.models import Voucher

MEALS = (Meal.LUNCH, Meal.SUPPER)
ONLY_RULE = {
    "key": "government_day",
    "label": "政府补一点",
    "share": "government",
    "base": "food",
    "fen": A_DAY,
    "per": "person_day",
    "source": "试",
}
diners, which = st.integers(0, 2), st.integers(0, 30)
dishes, meals = st.sampled_from(sorted(PRICES)), st.sampled_from([str(meal) for meal in MEALS])
quantities = st.sampled_from([1, 1, 1, 1, 2, 6])


class Days:
    """Which day the next example lives through, on the database that all examples share."""

    def __init__(self) -> None:
        self.begun = 0


class OrderMachine(RuleBasedStateMachine):
    """Three diners and one kitchen for one day; each example has its own."""

    def __init__(self, bank: Database, days: Days, seen: Counter[str]) -> None:
        super().__init__()
        self.bank, self.seen = bank, seen
        self.morning = MORNING + timedelta(days=days.begun)
        days.begun += 1
        clock.freeze(self.morning)
        purses, vouchers = [2500, 900, 5000], [1, 0, 2]
        with bank.unit_of_work() as session:
            change_policy(session, "meal_subsidy_rules", [ONLY_RULE])
            self.kitchen = a_kitchen(session, capacity=3, limits={"红烧肉": 1}, days=1)
            self.diners = [a_diner(session, fen=fen, name=f"老人{n}") for n, fen in enumerate(purses)]
            for diner, count in zip(self.diners, vouchers, strict=True):
                if count:
                    vouchers_for(session, diner, count)
            voucher_fen = in_force(session, at=clock.now()).whole("voucher_meal_max_fen")
        self.paper = PaperKitchen(3, 1, voucher_fen, purses, vouchers)
        self.ids: list[UUID] = []

    def _said(self, call: Callable[[Session], Any]) -> tuple[str, Any]:
        try:
            with self.bank.unit_of_work() as session:
                answer = call(session)
        except BankError as refusal:
            self.seen[refusal.code] += 1
            return refusal.code, None
        self.seen["ok"] += 1
        return "ok", answer

    def _some_order(self, place: int) -> int:
        """An order that waits, mostly."""
        waiting = self.paper.waiting() if place % 6 else []
        return waiting[place % len(waiting)] if waiting else place % len(self.ids)

    @rule(diner=diners, meal=meals, dish=dishes, quantity=quantities, voucher=st.booleans())
    def order(self, diner: int, meal: str, dish: str, quantity: int, voucher: bool) -> None:
        expected = self.paper.order(diner, meal, dish, quantity, voucher)
        who = self.diners[diner]
        items = ((self.kitchen.dish(dish, meal=meal), quantity),)
        wanted = self.kitchen.lunch(who, meal=meal, items=items, use_voucher=voucher)
        said, order = self._said(lambda s: place_order(s, actor=who, wanted=wanted))
        assert said == expected
        if said == "ok":
            self.ids.append(order.id)
            self._compare(order, len(self.ids) - 1)

    @precondition(lambda self: self.ids)
    @rule(place=which, dish=dishes, quantity=quantities, voucher=st.booleans())
    def change(self, place: int, dish: str, quantity: int, voucher: bool) -> None:
        number = self._some_order(place)
        meal = self.paper.orders[number].meal
        who = self.diners[self.paper.orders[number].diner]
        expected = self.paper.change(number, dish, quantity, voucher)
        wish = OrderChange(Way.TAKE_AWAY, ((self.kitchen.dish(dish, meal=meal), quantity),), use_voucher=voucher)
        said, order = self._said(lambda s: change_order(s, actor=who, order_id=self.ids[number], change=wish))
        assert said == expected
        if said == "ok":
            self.seen["changed"] += 1
            self._compare(order, number)

    @precondition(lambda self: self.ids)
    @rule(place=which.filter(lambda n: n % 2 == 0), by_clerk=st.sampled_from([False, False, True]))
    def cancel(self, place: int, by_clerk: bool) -> None:
        number = self._some_order(place)
        actor = self.kitchen.clerk if by_clerk else self.diners[self.paper.orders[number].diner]
        expected = self.paper.cancel(number, by_clerk=by_clerk)
        said, _ = self._said(lambda s: cancel_order(s, actor=actor, order_id=self.ids[number], reason="试"))
        assert said == expected
        self.seen["cancelled"] += said == "ok"

    @precondition(lambda self: len(self.ids) > 6)
    @rule(hours=st.sampled_from([1, 1, 2]))
    def let_time_pass(self, hours: int) -> None:
        self.paper.hour = min(20, self.paper.hour + hours)
        clock.freeze(self.morning.replace(hour=self.paper.hour))

    def _compare(self, order: MealOrder, number: int) -> None:
        paper = self.paper.orders[number]
        assert (order.elder_fen, order.government_fen >= paper.government) == (paper.elder, True)
        assert (order.voucher_id is not None, order.portions, order.revision) == (
            paper.voucher,
            paper.quantity,
            paper.revision,
        )

    @invariant()
    def the_bank_says_what_stands_on_paper(self) -> None:
        with self.bank.session() as session:
            for number, diner in enumerate(self.diners):
                assert purse_of(session, diner) == (self.paper.purses[number], self.paper.held(number))
                aside = select(func.count()).select_from(Voucher).where(Voucher.holder_id == diner.person())
                assert session.scalar(aside.where(Voucher.set_aside_for.is_not(None))) == self.paper.aside(number)
                used = select(func.coalesce(func.sum(SubsidyUse.used_fen), 0))
                assert session.scalar(used.where(SubsidyUse.scope_id == diner.person())) == self.paper.used(number)
            for meal in map(str, MEALS):
                assert ordered_at(session, self.kitchen, meal) == self.paper.ordered(meal)
                for dish in PRICES:
                    counted = portions_of(session, self.kitchen.dish(dish, meal=meal))
                    assert counted == self.paper.ordered(meal, dish)
