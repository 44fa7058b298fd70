"""Subsidy rules as they are read out 规则的说法: one sentence a rule. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from timebank.core.amounts import yuan_text
from timebank.policies.meal_rules import MEALS, OLDEST, WAYS, Condition, Rule, read_rules

_BASES = {"food": "餐费", "delivery": "送餐费"}
_PAYERS = {"government": "政府补", "donation": "捐款付", "garden": "菜园供"}
_PERS = {"meal": "每餐", "person_day": "每人每天", "household_meal": "每户每餐"}


def are_rules(value: Any) -> bool:
    """Whether a policy's value is a list of rules, and not of words or numbers."""
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def sentences(value: Any, words: Mapping[str, str]) -> list[str]:
    """One sentence for each rule of a valid policy; ``words`` says what meals, ways and categories are called."""
    return [sentence(rule, words) for rule in read_rules(value)]


def sentence(rule: Rule, words: Mapping[str, str]) -> str:
    """``60岁以上老人就餐补助：60岁及以上，餐费每人每天由政府补2.00元``."""
    who = "，或".join(_who(condition, words) for condition in rule.who)
    if any(condition == Condition() for condition in rule.who):
        who = "所有用餐对象"
    when = _when(rule, words)
    return f"{rule.label}：{who}{f'，{when}' if when else ''}，{_amount(rule)}"


def _who(condition: Condition, words: Mapping[str, str]) -> str:
    said = [_ages(condition)]
    for wanted in condition.needs_one_of:
        said.append(_named(wanted, words) + ("之一" if len(wanted) > 1 else ""))
    if condition.needs_all:
        said.append("同时为" + _named(condition.needs_all, words))
    if condition.excludes:
        said.append("不属于" + _named(condition.excludes, words))
    if condition.levels is not None:
        said.append(f"评估{'、'.join(map(str, sorted(condition.levels)))}级")
    return "，".join(filter(None, said))


def _named(categories: Collection[str], words: Mapping[str, str]) -> str:
    return "、".join(words.get(category, category) for category in sorted(categories))


def _ages(condition: Condition) -> str:
    young, old = condition.min_age > 0, condition.below_age <= OLDEST
    if young and old:
        return f"{condition.min_age}岁及以上、未满{condition.below_age}岁"
    return f"{condition.min_age}岁及以上" if young else f"未满{condition.below_age}岁" if old else ""


def _when(rule: Rule, words: Mapping[str, str]) -> str:
    said = [
        _some(rule.meals, MEALS, words),
        _some(rule.ways, WAYS, words),
        "只限爱心餐" if rule.only_love_meals else "",
    ]
    return "，".join(filter(None, said))


def _some(chosen: Collection[str], known: Collection[str], words: Mapping[str, str]) -> str:
    if len(chosen) == len(known):
        return ""
    return "只限" + "、".join(words.get(one, one) for one in known if one in chosen)


def _amount(rule: Rule) -> str:
    base, payer = _BASES[rule.base], _PAYERS[rule.share]
    if rule.fen is not None:
        return f"{base}{_PERS[rule.per]}由{payer}{yuan_text(rule.fen)}"
    if rule.pays_percent is not None:
        return f"本人付{base}的{rule.pays_percent}%，其余由{payer}"
    if rule.covers_percent is not None:
        return f"{base}的{rule.covers_percent}%由{payer}"
    return f"{base}全免，由{payer}"
