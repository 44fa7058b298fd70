"""What the government may have given for a meal, worked out from the policy's own words. Pure.

This reads the rules of a day by itself and knows nothing of how orders are priced: a check that repeated the
pricing would repeat its faults (docs/decisions/0021-claims.md). It says what is the most that a rule allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from timebank.canteens.pricing.rules import DinerFacts, Per

RuleText = Mapping[str, Any]
"""One rule as the policy has it."""

_REFUSED_WITHOUT = (("any_category", any), ("all_categories", all))


@dataclass(frozen=True, slots=True)
class Served:
    """What a rule may look at of a meal that was served: its price by base, and how it was had."""

    meal: str
    way: str
    food_fen: int
    love_fen: int
    delivery_fen: int


def group_of(rules: Sequence[RuleText], rule: RuleText) -> list[RuleText]:
    """The rules of which one diner has one at most: those of the rule's group, or the rule alone."""
    return [one for one in rules if one.get("group") == rule["group"]] if "group" in rule else [rule]


def rule_named(rules: Sequence[RuleText], key: str) -> RuleText | None:
    """The rule with this key; None where the day's policy has none."""
    return next((rule for rule in rules if rule["key"] == key), None)


def who_fits(rule: RuleText, diner: DinerFacts) -> bool:
    """Whether a rule concerns this diner on the day of ``diner``'s facts."""
    return _fits(rule.get("who", {}), diner)


def _fits(who: Mapping[str, Any], diner: DinerFacts) -> bool:
    if diner.age < who.get("min_age", 0) or diner.age >= who.get("below_age", diner.age + 1):
        return False
    if any(category in diner.categories for category in who.get("no_category", [])):
        return False
    for word, enough in _REFUSED_WITHOUT:
        if word in who and not enough(category in diner.categories for category in who[word]):
            return False
    if "levels" in who and diner.assessment_level not in who["levels"]:
        return False
    return not who.get("any_of") or any(_fits(one, diner) for one in who["any_of"])


def most_for_meal(rule: RuleText, served: Served) -> int:
    """The most that a rule may give for this meal, in fen; 0 for a meal or way that it is not for."""
    when = rule.get("when", {})
    if served.meal not in when.get("meals", [served.meal]) or served.way not in when.get("ways", [served.way]):
        return 0
    base = served.delivery_fen if rule.get("base") == "delivery" else served.food_fen
    if when.get("only_love_meals") and rule.get("base") != "delivery":
        base = served.love_fen
    if "fen" in rule:
        return min(base, int(rule["fen"]))
    if "pays_percent" in rule:
        return _part(base, 100 - int(rule["pays_percent"]))
    if "covers_percent" in rule:
        return _part(base, int(rule["covers_percent"]))
    return base


def dated_limit(rule: RuleText) -> tuple[Per, int] | None:
    """Once a person and day, or once a household and meal, and how much in all; None for a rule of every meal."""
    per = Per(rule.get("per", Per.MEAL))
    return None if per == Per.MEAL or "fen" not in rule else (per, int(rule["fen"]))


def _part(base: int, percent: int) -> int:
    """A percentage of ``base``, rounded up: rounding is never a finding."""
    return -(-base * percent // 100)
