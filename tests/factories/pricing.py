"""Diners, orders and receipts for tests of pricing, in few words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID, uuid4

from timebank.canteens.pricing.rules import Asked, DinerFacts, Dish, Line, Rule, Use, UseKey, read_rules
from timebank.policies.comparing import policy_set

DAY = date(2026, 3, 10)
SET_MENU = Dish("家常套餐", 1, 1200, False)
LOVE_MEAL = Dish("爱心餐", 1, 800, True)


def rules_of(name: str) -> tuple[Rule, ...]:
    """The subsidy rules of a ready-made set."""
    return read_rules(policy_set(name).values["meal_subsidy_rules"].value)


def diner(
    age: int,
    *categories: str,
    level: int | None = None,
    household_id: UUID | None = None,
    person_id: UUID | None = None,
) -> DinerFacts:
    """A diner of this age, in years, with these categories."""
    ids = person_id or uuid4(), household_id or uuid4()
    return DinerFacts(*ids, age, frozenset(categories), level, "normal", frozenset(), None)


def lunch(*dishes: Dish, delivery_fee_fen: int = 0, carried: bool = False, voucher: bool = False) -> Asked:
    """A lunch of these dishes; delivered where a fee is given."""
    way = "deliver" if delivery_fee_fen or carried else "eat_in"
    return Asked(DAY, "lunch", way, dishes or (SET_MENU,), delivery_fee_fen, carried, voucher)


def shown(lines: Sequence[Line]) -> list[tuple[str | None, str, int]]:
    """Every line of a receipt as share, rule and fen."""
    return [(line.share, line.rule_key, line.fen) for line in lines]


def used(uses: Sequence[Use]) -> dict[UseKey, int]:
    """What later orders find used of the limits."""
    return {use.key: use.fen for use in uses}
