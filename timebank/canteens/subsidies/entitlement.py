"""Checks of what the government gave: whether the rule was for this diner, and whether it was not more than it allows.

Pure. A line passes where the rules of the day of the meal let it pass, or those that its price was promised under.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from timebank.canteens.pricing.rules import DinerFacts, Per
from timebank.canteens.subsidies.allowed import (
    RuleText,
    Served,
    dated_limit,
    group_of,
    most_for_meal,
    rule_named,
    who_fits,
)
from timebank.canteens.subsidies.rules import FindingKind
from timebank.canteens.subsidies.screening import Found, Given, ServedMeal, called, over

Facts = Mapping[UUID, DinerFacts]
"""What is known of each order's diner on its day."""

RulesOf = Callable[[ServedMeal], Sequence[Sequence[RuleText]]]
"""The sets of rules that a meal may be judged by."""

_LimitKey = tuple[Per, UUID, date, str, str]
_SAID = {Per.PERSON_DAY: "每人每天", Per.HOUSEHOLD_MEAL: "每户每餐"}


@dataclass(slots=True)
class _Over:
    """What of one order is over its limits."""

    fen: int = 0
    reasons: list[str] | None = None

    def add(self, fen: int, reason: str) -> None:
        self.fen += fen
        self.reasons = [*(self.reasons or []), reason]


def not_entitled(served: Iterable[ServedMeal], facts: Facts, rules_of: RulesOf) -> Iterator[Found]:
    """Lines of rules that were not for this diner on this day."""
    for one in served:
        diner = facts.get(one.order_id)
        for given in one.given:
            rules = [rule for rule in (rule_named(r, given.rule_key) for r in rules_of(one)) if rule is not None]
            if rules and not (diner is not None and any(who_fits(rule, diner) for rule in rules)):
                reason = f"{called(one)}：当天不符合“{given.label}”的条件"
                fen = min(given.fen, one.government_fen)
                yield Found(FindingKind.CATEGORY_NOT_VALID, one.order_id, one.person_id, fen, reason)


def over_limit(
    claimed: Iterable[ServedMeal], everything: Iterable[ServedMeal], facts: Facts, rules_of: RulesOf
) -> Iterator[Found]:
    """Meals for which the government gave more than a rule allows: a meal, a person a day, a household a meal.

    ``everything`` are all meals of the same people and households, wherever they were had; of several that pass a
    limit together it is the one served last that is over it.
    """
    found: dict[UUID, _Over] = defaultdict(_Over)
    used: dict[_LimitKey, int] = defaultdict(int)
    for one in sorted(everything, key=lambda meal: meal.in_order):
        sets = rules_of(one)
        for given in one.given:
            if not _each_day(one, given, sets, facts, used, found[one.order_id]):
                _each_meal(one, given, sets, found[one.order_id])
    for one in claimed:
        beyond = found[one.order_id]
        if beyond.fen:
            fen, reasons = min(beyond.fen, one.government_fen), "；".join(beyond.reasons or [])
            yield Found(FindingKind.OVER_DAILY_LIMIT, one.order_id, one.person_id, fen, f"{called(one)}：{reasons}")


def _each_meal(one: ServedMeal, given: Given, sets: Sequence[Sequence[RuleText]], beyond: _Over) -> None:
    if not _named(sets, given):
        beyond.add(given.fen, f"当天的办法没有“{given.label}”这一条")
        return
    most = _most(one, given, sets)
    if given.fen > most:
        beyond.add(given.fen - most, over(most, given, "每餐"))


def _named(sets: Sequence[Sequence[RuleText]], given: Given) -> list[RuleText]:
    return [rule for rule in (rule_named(rules, given.rule_key) for rules in sets) if rule is not None]


def _most(one: ServedMeal, given: Given, sets: Sequence[Sequence[RuleText]]) -> int:
    served = Served(one.meal, one.way, one.food_fen, one.love_fen, one.delivery_fen)
    return max((most_for_meal(rule, served) for rule in _named(sets, given)), default=0)


def _each_day(
    one: ServedMeal,
    given: Given,
    sets: Sequence[Sequence[RuleText]],
    facts: Facts,
    used: dict[_LimitKey, int],
    beyond: _Over,
) -> bool:
    """Judge a line by its limit a day or a household; answers whether it has one, and is for such a meal at all."""
    diner = facts.get(one.order_id)
    limits = [limit for limit in (_limit(rules, given.rule_key, diner) for rules in sets) if limit is not None]
    if diner is None or not limits or not _most(one, given, sets):
        return False
    per, most, name = max(limits, key=lambda limit: limit[1])
    whose, meal = (diner.person_id, "") if per == Per.PERSON_DAY else (diner.household_id, one.meal)
    key = (per, whose, one.served_on, meal, name)
    before = max(used[key], most)
    used[key] += given.fen
    if used[key] > before:
        beyond.add(used[key] - before, over(most, given, _SAID[per]))
    return True


def _limit(rules: Sequence[RuleText], key: str, diner: DinerFacts | None) -> tuple[Per, int, str] | None:
    """The dated limit that a rule shares with the others of its group: the highest of those that are for this diner."""
    rule = rule_named(rules, key)
    own = dated_limit(rule) if rule is not None else None
    if rule is None or own is None:
        return None
    others = [dated_limit(one) for one in group_of(rules, rule) if diner is not None and who_fits(one, diner)]
    fens = [limit[1] for limit in others if limit is not None and limit[0] == own[0]]
    # Whether the rule itself is for this diner is another check's to say.
    return own[0], max([own[1], *fens]), str(rule.get("group", key))
