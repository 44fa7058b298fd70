"""The grammar of subsidy rules for meals 助餐补贴规则: what one rule may say, and how it is read. Pure.

A rule names the share that bears something, the base that it bears it of (food or delivery), and exactly one amount:
``fen``, so much; ``pays_percent``, the diner pays so many percent of what is left of the base; ``covers_percent``, so
many percent of what the base is listed at; ``free``, all that is left. ``who`` and ``when`` say whom and which meals it
fits, their conditions all at once; ``who.any_of`` lists alternatives, of which one is enough. Of the rules of one
``group`` that fit, only the one with the lowest ``precedence`` applies. Rules are taken in the order of the list.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from timebank.core.errors import Refused

KEY = "meal_subsidy_rules"
SHARES = ("government", "donation", "garden")
BASES = ("food", "delivery")
PERS = ("meal", "person_day", "household_meal")
MEALS = ("breakfast", "lunch", "supper")
WAYS = ("eat_in", "take_away", "deliver")
LEVELS = (0, 1, 2, 3, 4)
AMOUNTS = ("fen", "pays_percent", "covers_percent", "free")
OWN_LINES = ("dish", "delivery", "volunteer_delivery", "courier_delivery", "voucher", "elder_pays")
"""Keys of a receipt's lines that come from no rule of the policy."""

MOST_RULES, OLDEST, DEAREST_FEN = 100, 150, 100_000
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_NEEDED = {"key", "label", "share", "base", "source"}
_KNOWN = {*_NEEDED, *AMOUNTS, "per", "group", "precedence", "who", "when"}


@dataclass(frozen=True, slots=True)
class Condition:
    """Whom a rule fits: ages from ``min_age`` to below ``below_age`` in years, categories, assessment levels.

    Of each set of ``needs_one_of`` the diner has one category at least; an unassessed diner has no level at all.
    """

    min_age: int = 0
    below_age: int = OLDEST + 1
    needs_one_of: tuple[frozenset[str], ...] = ()
    needs_all: frozenset[str] = frozenset()
    excludes: frozenset[str] = frozenset()
    levels: frozenset[int] | None = None

    def fits(self, age: int, categories: frozenset[str], level: int | None) -> bool:
        """Whether somebody of this age, with these categories and this level, is meant."""
        return (
            self.min_age <= age < self.below_age
            and self.needs_all <= categories
            and not self.excludes & categories
            and (self.levels is None or level in self.levels)
            and all(wanted & categories for wanted in self.needs_one_of)
        )

    def with_(self, other: Condition) -> Condition:
        """Both conditions at once."""
        levels = self.levels if other.levels is None else other.levels
        if self.levels is not None and other.levels is not None:
            levels = self.levels & other.levels
        return Condition(
            max(self.min_age, other.min_age),
            min(self.below_age, other.below_age),
            self.needs_one_of + other.needs_one_of,
            self.needs_all | other.needs_all,
            self.excludes | other.excludes,
            levels,
        )

    def fits_somebody(self) -> bool:
        """Whether there could be such a person; any categories may come together in one."""
        return (
            self.min_age < self.below_age
            and self.levels != frozenset()
            and not self.needs_all & self.excludes
            and all(wanted - self.excludes for wanted in self.needs_one_of)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, read: exactly one of the four amounts is set; ``who`` are alternatives, each complete by itself."""

    key: str
    label: str
    share: str
    base: str
    source: str
    fen: int | None = None
    pays_percent: int | None = None
    covers_percent: int | None = None
    free: bool = False
    per: str = "meal"
    group: str | None = None
    precedence: int = 0
    who: tuple[Condition, ...] = (Condition(),)
    meals: frozenset[str] = frozenset(MEALS)
    ways: frozenset[str] = frozenset(WAYS)
    only_love_meals: bool = False

    def fits(self, age: int, categories: frozenset[str], level: int | None) -> bool:
        """Whether this diner is meant."""
        return any(condition.fits(age, categories, level) for condition in self.who)

    def categories(self) -> set[str]:
        """Every category that the rule names."""
        named: set[str] = set()
        for condition in self.who:
            named |= condition.needs_all | condition.excludes
            named.update(*condition.needs_one_of)
        return named


def read_rules(value: Any) -> tuple[Rule, ...]:
    """The rules that a policy says, in its order. Raises Refused ``policy_value_invalid`` with the rule and why."""
    if not isinstance(value, list) or len(value) > MOST_RULES:
        raise invalid(f"须为规则的列表，最多{MOST_RULES}条")
    rules = tuple(_read(number, one) for number, one in enumerate(value, 1))
    keys = [rule.key for rule in rules]
    for key in keys:
        if keys.count(key) > 1:
            raise invalid(f"规则“{key}”出现了两次", key)
    return rules


def invalid(reason: str, *rules: str) -> Refused:
    """The refusal of these rules, named by key, or by number where a rule has no key."""
    return Refused("policy_value_invalid", f"助餐补贴规则不合理：{reason}", key=KEY, rules=list(rules), reason=reason)


def _read(number: int, said: Any) -> Rule:
    name = said["key"] if isinstance(said, dict) and isinstance(said.get("key"), str) else f"第{number}条"
    if not isinstance(said, dict):
        raise invalid(f"{name}不是一条规则", name)
    if said.keys() - _KNOWN or _NEEDED - said.keys():
        odd = sorted((said.keys() - _KNOWN) | (_NEEDED - said.keys()))
        raise invalid(f"规则“{name}”有不认识的项，或缺少：{'、'.join(map(str, odd))}", name)
    if not _NAME.fullmatch(name) or name in OWN_LINES:
        raise invalid(f"规则的代号“{name}”不能用，须为小写字母、数字和下划线", name)
    for word in ("label", "source"):
        if not isinstance(said[word], str) or not 0 < len(said[word]) <= 200:
            raise invalid(f"规则“{name}”须写明{'名称' if word == 'label' else '依据'}", name)
    _one_of(name, "share", said["share"], SHARES)
    _one_of(name, "base", said["base"], BASES)
    group, precedence = _group(name, said)
    return Rule(
        name,
        said["label"],
        said["share"],
        said["base"],
        said["source"],
        **_amount(name, said),
        group=group,
        precedence=precedence,
        who=_who(name, said.get("who", {})),
        **_when(name, said.get("when", {})),
    )


def _amount(name: str, said: dict[str, Any]) -> dict[str, Any]:
    named = [amount for amount in AMOUNTS if amount in said]
    if len(named) != 1:
        raise invalid(f"规则“{name}”须恰好写明一种金额：{'、'.join(AMOUNTS)}", name)
    amount, value, per = named[0], said[named[0]], said.get("per", "meal")
    highest = {"fen": DEAREST_FEN, "pays_percent": 99, "covers_percent": 100}.get(amount)
    if value is not True if highest is None else not _whole(value, 1, highest):
        raise invalid(f"规则“{name}”的 {amount} 不合理", name)
    _one_of(name, "per", per, PERS)
    if per != "meal" and (amount != "fen" or said["share"] != "government"):
        raise invalid(f"规则“{name}”：只有政府补的固定金额可以按人按天、按户按餐限定", name)
    return {amount: value, "per": per}


def _group(name: str, said: dict[str, Any]) -> tuple[str | None, int]:
    if ("group" in said) != ("precedence" in said):
        raise invalid(f"规则“{name}”的 group 与 precedence 须同时写明", name)
    if "group" not in said:
        return None, 0
    if not isinstance(said["group"], str) or not _NAME.fullmatch(said["group"]):
        raise invalid(f"规则“{name}”的组名不能用", name)
    if not _whole(said["precedence"], 0, 1000):
        raise invalid(f"规则“{name}”的先后须为0至1000的整数", name)
    return said["group"], said["precedence"]


def _who(name: str, said: Any) -> tuple[Condition, ...]:
    always = _condition(name, said, {"any_of"})
    others = said.get("any_of")
    conditions: tuple[Condition, ...] = (always,)
    if others is not None:
        if not isinstance(others, list) or not 0 < len(others) <= 20:
            raise invalid(f"规则“{name}”的 any_of 须为一至二十种对象", name)
        conditions = tuple(always.with_(_condition(name, one, set())) for one in others)
    if not all(condition.fits_somebody() for condition in conditions):
        raise invalid(f"规则“{name}”的对象互相矛盾，不会有人符合", name)
    return conditions


def _condition(name: str, said: Any, besides: Collection[str]) -> Condition:
    known = {"min_age", "below_age", "any_category", "all_categories", "no_category", "levels", *besides}
    if not isinstance(said, dict) or said.keys() - known:
        raise invalid(f"规则“{name}”的对象写得不对", name)
    ages = said.get("min_age", 0), said.get("below_age", OLDEST + 1)
    if not all(_whole(age, 0, OLDEST + 1) for age in ages):
        raise invalid(f"规则“{name}”的年龄不合理", name)
    one_of, all_of, none_of = (_words(name, said, field) for field in ("any_category", "all_categories", "no_category"))
    levels = said.get("levels")
    if levels is not None and (not isinstance(levels, list) or not levels or any(not _whole(n, 0, 4) for n in levels)):
        raise invalid(f"规则“{name}”的评估等级须为0至4", name)
    needs_one_of = (one_of,) if one_of else ()
    return Condition(*ages, needs_one_of, all_of, none_of, None if levels is None else frozenset(levels))


def _words(name: str, said: dict[str, Any], field: str) -> frozenset[str]:
    words = said.get(field)
    if words is None:
        return frozenset()
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        raise invalid(f"规则“{name}”的 {field} 须为类别的列表", name)
    return frozenset(words)


def _when(name: str, said: Any) -> dict[str, Any]:
    if not isinstance(said, dict) or said.keys() - {"meals", "ways", "only_love_meals"}:
        raise invalid(f"规则“{name}”的场合写得不对", name)
    read: dict[str, Any] = {}
    for field, known in (("meals", MEALS), ("ways", WAYS)):
        chosen = said.get(field, list(known))
        if not isinstance(chosen, list) or not chosen or any(one not in known for one in chosen):
            raise invalid(f"规则“{name}”的 {field} 须取自：{'、'.join(known)}", name)
        read[field] = frozenset(chosen)
    only_love_meals = said.get("only_love_meals", False)
    if not isinstance(only_love_meals, bool):
        raise invalid(f"规则“{name}”的 only_love_meals 须为 true 或 false", name)
    return {**read, "only_love_meals": only_love_meals}


def _one_of(name: str, field: str, value: Any, known: Collection[str]) -> None:
    if not isinstance(value, str) or value not in known:
        raise invalid(f"规则“{name}”的 {field} 须取自：{'、'.join(known)}", name)


def _whole(value: Any, lowest: int, highest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest
