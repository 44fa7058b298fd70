"""Pricing an order 定价: the pure engine on one core, by Taiyuan's rules, against the time that an order may take.

The orders are a seeded day of a canteen: elders, children, soldiers and guests, one to four dishes, some delivered,
some with a voucher. Each run prices all of them again, and copies as many receipts in a bare loop, which says what part
of the time is the engine's and what the machine's.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import UUID

from scripts.bench.outcome import Outcome
from timebank.canteens.pricing.rules import Asked, DinerFacts, Dish, Left, Meal, Receipt, Rule, Way, price, read_rules
from timebank.policies.comparing import policy_set

WANTED_A_SECOND = 2000
RUNS, ORDERS, FEW_ORDERS = 5, 20_000, 400
CATEGORIES = ("low_income", "three_withouts", "soldier_retired", "soldier_serving", "disabled", "veteran_pre_1949")
DAY = date(2026, 3, 10)

Order = tuple[Asked, DinerFacts | None, Left]


def run(_folder: Path, small: bool, tell: Callable[[str], None]) -> list[Outcome]:
    """One ratio: the time that an order takes to the time that it may take."""
    orders = a_day(FEW_ORDERS if small else ORDERS)
    rules = read_rules(policy_set("taiyuan").values["meal_subsidy_rules"].value)
    rates, copying = [], []
    for number in range(1, RUNS + 1):
        receipts, priced_s = _price_all(orders, rules)
        copied_s = _copy_all(receipts)
        rates.append(len(orders) / priced_s)
        copying.append(priced_s / copied_s)
        tell(f"pricing {number}/{RUNS}: {rates[-1]:,.0f} orders a second, {copying[-1]:.1f} times a bare copy")
    return [
        Outcome(
            name="pricing_an_order",
            title="订单定价",
            runs=[WANTED_A_SECOND / rate for rate in rates],
            target=1.0,
            measured=f"一份订单定价用时 / 每秒 {WANTED_A_SECOND:,} 份的用时 · one order priced / "
            f"a {WANTED_A_SECOND:,}th of a second, one core: {_spread(rates)} orders a second, "
            f"{statistics.median(copying):.1f} times a loop that only copies a receipt",
            postgres="",
            details={
                "orders_a_second": [round(rate) for rate in rates],
                "times_a_bare_copy": [round(one, 2) for one in copying],
            },
        )
    ]


def _spread(rates: list[float]) -> str:
    return f"{min(rates):,.0f} / {statistics.median(rates):,.0f} / {max(rates):,.0f}"


def a_day(count: int) -> list[Order]:
    """So many orders, the same ones every time."""
    chance = random.Random(330213)
    return [_order(chance) for _ in range(count)]


def _order(chance: random.Random) -> Order:
    dishes = tuple(
        Dish(f"菜{number}", chance.randint(1, 2), chance.randrange(150, 1600, 50), chance.random() < 0.3)
        for number in range(chance.randint(1, 4))
    )
    way = chance.choices(list(Way), [6, 2, 2])[0]
    meal = chance.choice([Meal.LUNCH, Meal.SUPPER])
    asked = Asked(
        DAY, meal, way, dishes, 300 if way == Way.DELIVER else 0, chance.random() < 0.5, chance.random() < 0.1
    )
    if chance.random() < 0.05:
        return replace(asked, carried_by_volunteers=False, voucher=False), None, Left()
    return asked, _diner(chance), Left(chance.randrange(0, 500), chance.randrange(0, 500))


def _diner(chance: random.Random) -> DinerFacts:
    ids = UUID(int=chance.getrandbits(128)), UUID(int=chance.getrandbits(128))
    categories = frozenset(category for category in CATEGORIES if chance.random() < 0.15)
    age = chance.randint(60, 95) if chance.random() < 0.9 else chance.randint(6, 59)
    return DinerFacts(*ids, age, categories, chance.choice([None, 0, 1, 2, 3, 4]), "normal", frozenset(), None)


def _price_all(orders: list[Order], rules: tuple[Rule, ...]) -> tuple[list[Receipt], float]:
    begin = time.perf_counter()
    receipts = [price(asked, diner, rules, left, voucher_max_fen=1500) for asked, diner, left in orders]
    return receipts, time.perf_counter() - begin


def _copy_all(receipts: list[Receipt]) -> float:
    begin = time.perf_counter()
    for receipt in receipts:
        replace(receipt)
    return time.perf_counter() - begin
