"""What a meal costs and who bears which share 五个一: dishes, a diner and a day in, lines out. Pure.

Money is whole fen. The lines of a receipt always add up: what is listed equals what the five shares bear.

``price`` takes the rules of the policy in its order (the grammar stands in ``policies.meal_rules``); each bears at most
what is left of its base, and a gift's rule at most what is left of the gifts. Percentages are of whole fen, rounded
half up on the side of the share that bears them, so the elder has the smaller part; what is rounded is never made or
lost, since the elder bears exactly what nobody else did. What rules for all food bear is reckoned to lie on other
dishes first: a rule only for love meals finds as much of them unborne as there can be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from timebank.policies.meal_rules import Rule as Rule
from timebank.policies.meal_rules import read_rules as read_rules


class Meal(StrEnum):
    """餐次."""

    BREAKFAST = "breakfast"
    LUNCH = "lunch"
    SUPPER = "supper"


MEAL_NAMES = {Meal.BREAKFAST: "早餐", Meal.LUNCH: "午餐", Meal.SUPPER: "晚餐"}


class Way(StrEnum):
    """How a meal is had 用餐方式."""

    EAT_IN = "eat_in"
    TAKE_AWAY = "take_away"
    DELIVER = "deliver"


WAY_NAMES = {Way.EAT_IN: "堂食", Way.TAKE_AWAY: "自取", Way.DELIVER: "送餐上门"}


class DietForm(StrEnum):
    """How food is prepared 餐食形态."""

    NORMAL = "normal"
    SOFT = "soft"
    MINCED = "minced"
    LIQUID = "liquid"


DIET_FORM_NAMES = {
    DietForm.NORMAL: "普通",
    DietForm.SOFT: "软食",
    DietForm.MINCED: "碎食",
    DietForm.LIQUID: "流食",
}


class Share(StrEnum):
    """Who bears a part of a meal 五个一: the elder, the government, donors, the garden, volunteers."""

    ELDER = "elder"
    GOVERNMENT = "government"
    DONATION = "donation"
    GARDEN = "garden"
    VOLUNTEERS = "volunteers"


SHARE_NAMES = {
    Share.ELDER: "老人付一点",
    Share.GOVERNMENT: "政府补一点",
    Share.DONATION: "企业捐一点",
    Share.GARDEN: "菜园供一点",
    Share.VOLUNTEERS: "志愿者帮一点",
}


class Per(StrEnum):
    """How often a rule with a fixed amount gives it: each meal, once a person and day, once a household and meal."""

    MEAL = "meal"
    PERSON_DAY = "person_day"
    HOUSEHOLD_MEAL = "household_meal"


@dataclass(frozen=True, slots=True)
class DinerFacts:
    """What rules ask about a diner on one day; ``age`` in years, ``categories`` those valid that day."""

    person_id: UUID
    household_id: UUID
    age: int
    categories: frozenset[str]
    assessment_level: int | None
    diet_form: str
    allergies: frozenset[str]
    religious_diet: str | None


@dataclass(frozen=True, slots=True)
class Dish:
    """One dish of an order at the price of this moment."""

    name: str
    quantity: int
    price_fen: int
    is_love_meal: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A meal as it is to be priced; ``voucher`` covers what would be left to the elder, up to a policy's amount."""

    served_on: date
    meal: str
    way: str
    dishes: tuple[Dish, ...]
    delivery_fee_fen: int = 0
    carried_by_volunteers: bool = False
    voucher: bool = False


UseKey = tuple[str, UUID, date, str, str]
"""Scope (``person_day``, ``household_meal``), whose, day, meal ('' for a day), rule or, as ``group:…``, its group."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is still to be had: donated money and produce at this canteen (fen), and what was used of dated limits."""

    donation_fen: int = 0
    garden_fen: int = 0
    used: Mapping[UseKey, int] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a receipt. ``listed`` lines (dishes, delivery) have no share; the others say who bears ``fen``."""

    number: int
    share: str | None
    rule_key: str
    label: str
    fen: int


@dataclass(frozen=True, slots=True)
class Use:
    """What an order takes of a dated limit; ``limit_fen`` is that of the rule that applies to it."""

    key: UseKey
    fen: int
    limit_fen: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """The lines, and their sums by share in fen; ``list_fen`` equals the sum of the five."""

    lines: tuple[Line, ...]
    uses: tuple[Use, ...]
    list_fen: int
    elder_fen: int
    government_fen: int
    donation_fen: int
    garden_fen: int
    volunteers_fen: int


def price(
    asked: Asked, diner: DinerFacts | None, rules: Sequence[Rule], left: Left, *, voucher_max_fen: int
) -> Receipt:
    """What a meal costs and who bears it: listed lines first, then the shares, the elder's last.

    After the rules volunteers bear what is left of a delivery that they carry, then a voucher up to ``voucher_max_fen``
    (fen) of what is left altogether; it has no line where nothing is left for it. A guest (``diner`` None) pays all.
    Raises ValueError for an order without dishes, or with a price or a quantity that is not positive.
    """
    bill = _Bill(asked, left)
    if diner is not None:
        for rule in _applying(asked, diner, rules, bill):
            bill.bear(rule, diner)
        if asked.carried_by_volunteers:
            bill.add(Share.VOLUNTEERS, "volunteer_delivery", "志愿者送餐", bill.delivery_fen)
            bill.delivery_fen = 0
        if asked.voucher:
            bill.use_voucher(voucher_max_fen)
    bill.add(Share.ELDER, "elder_pays", "本人支付", bill.food_fen + bill.delivery_fen)
    return bill.receipt()


def _applying(asked: Asked, diner: DinerFacts, rules: Sequence[Rule], bill: _Bill) -> list[Rule]:
    """The rules that fit, in their order; of each group only the one with the lowest precedence."""
    fitting = [
        rule
        for rule in rules
        if asked.meal in rule.meals
        and asked.way in rule.ways
        and bill.left_of(rule) > 0
        and rule.fits(diner.age, diner.categories, diner.assessment_level)
    ]
    first: dict[str, int] = {}
    for rule in fitting:
        if rule.group is not None:
            first[rule.group] = min(rule.precedence, first.get(rule.group, rule.precedence))
    return [rule for rule in fitting if rule.group is None or rule.precedence == first[rule.group]]


class _Bill:
    """A receipt in the making: what of each base nobody bears yet, in fen."""

    def __init__(self, asked: Asked, left: Left) -> None:
        if not asked.dishes or asked.delivery_fee_fen < 0:
            raise ValueError("an order has dishes, and a fee that is not negative")
        if any(dish.quantity <= 0 or dish.price_fen <= 0 for dish in asked.dishes):
            raise ValueError("quantities and prices are positive")
        self.asked = asked
        self.lines: list[Line] = []
        self.uses: list[Use] = []
        self.shares = dict.fromkeys(Share, 0)
        self.used = left.used or {}
        self.gifts = {Share.DONATION: left.donation_fen, Share.GARDEN: left.garden_fen}
        for dish in asked.dishes:
            times = f"×{dish.quantity}" if dish.quantity > 1 else ""
            self.add(None, "dish", f"{dish.name}{times}", dish.quantity * dish.price_fen)
        self.add(None, "delivery", "送餐费", asked.delivery_fee_fen)
        self.list_fen = sum(line.fen for line in self.lines)
        self.delivery_fen = asked.delivery_fee_fen
        self.food_fen = self.list_fen - self.delivery_fen
        self.love_fen = sum(dish.quantity * dish.price_fen for dish in asked.dishes if dish.is_love_meal)
        self.listed = {"food": self.food_fen, "delivery": self.delivery_fen, "love": self.love_fen}

    def left_of(self, rule: Rule) -> int:
        """What of this rule's base nobody bears yet."""
        if rule.base == "delivery":
            return self.delivery_fen if self.listed["love"] or not rule.only_love_meals else 0
        return min(self.love_fen, self.food_fen) if rule.only_love_meals else self.food_fen

    def bear(self, rule: Rule, diner: DinerFacts) -> None:
        """Let one rule bear what it says, at most what is left."""
        base_fen = self.left_of(rule)
        fen = min(base_fen, self._said(rule, base_fen))
        gift = self.gifts.get(Share(rule.share))
        if gift is not None:
            fen = max(0, min(fen, gift))
            self.gifts[Share(rule.share)] = gift - fen
        if rule.per != Per.MEAL and rule.fen is not None:
            key = self._use_key(rule, diner)
            used = self.used.get(key, 0) + sum(use.fen for use in self.uses if use.key == key)
            fen = max(0, min(fen, rule.fen - used))
            if fen:
                self.uses.append(Use(key, fen, rule.fen))
        self.add(Share(rule.share), rule.key, rule.label, fen)
        if rule.base == "delivery":
            self.delivery_fen -= fen
        else:
            self.food_fen -= fen
            self.love_fen -= fen if rule.only_love_meals else 0

    def _said(self, rule: Rule, base_fen: int) -> int:
        if rule.fen is not None:
            return rule.fen
        if rule.pays_percent is not None:
            return _percent(base_fen, 100 - rule.pays_percent)
        if rule.covers_percent is not None:
            love = rule.only_love_meals and rule.base == "food"
            return _percent(self.listed["love" if love else rule.base], rule.covers_percent)
        return base_fen

    def _use_key(self, rule: Rule, diner: DinerFacts) -> UseKey:
        # Rules of a group exclude one another, so what one of them gave at noon counts for the others at night.
        counted = rule.key if rule.group is None else f"group:{rule.group}"
        if rule.per == Per.PERSON_DAY:
            return rule.per, diner.person_id, self.asked.served_on, "", counted
        return rule.per, diner.household_id, self.asked.served_on, self.asked.meal, counted

    def use_voucher(self, most_fen: int) -> None:
        """Let a voucher bear what is left of the food and then of the delivery, up to ``most_fen``."""
        food = min(self.food_fen, most_fen)
        delivery = min(self.delivery_fen, most_fen - food)
        self.food_fen -= food
        self.delivery_fen -= delivery
        self.add(Share.VOLUNTEERS, "voucher", "用餐券", food + delivery)

    def add(self, share: Share | None, rule_key: str, label: str, fen: int) -> None:
        """One more line; none for nothing."""
        if fen > 0:
            self.lines.append(Line(len(self.lines) + 1, share, rule_key, label, fen))
            if share is not None:
                self.shares[share] += fen

    def receipt(self) -> Receipt:
        """The receipt, whole."""
        by = self.shares
        return Receipt(
            tuple(self.lines),
            tuple(self.uses),
            self.list_fen,
            *(by[share] for share in (Share.ELDER, Share.GOVERNMENT, Share.DONATION, Share.GARDEN, Share.VOLUNTEERS)),
        )


def _percent(fen: int, percent: int) -> int:
    """So many percent of an amount, rounded half up to the fen."""
    return (fen * percent * 2 + 100) // 200
