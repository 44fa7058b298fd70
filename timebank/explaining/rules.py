"""How a reason is put together 为什么: what happened, by which rules, with which facts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from timebank.core.amounts import Unit, hours_text, yuan_text
from timebank.core.clock import LOCAL
from timebank.people.family_rules import RELATION_NAMES
from timebank.policies.definitions import DEFINITIONS
from timebank.policies.in_words import WORDS, RuleInForce, value_text
from timebank.policies.meal_rule_words import sentence
from timebank.policies.meal_rules import read_rules

WEEKDAYS = "一二三四五六日"

_WORDS = {**WORDS, **{str(relation): name for relation, name in RELATION_NAMES.items()}}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that the reason rests on: a name for programs, a label and a text for people."""

    name: str
    label: str
    value: Any
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy behind it: as it was in force then, with the change that brought it."""

    key: str
    label: str
    value: Any
    text: str
    policy_version: int
    in_force_since: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """为什么: the reason in plain words; ``advice`` says what can be done, where something can."""

    title: str
    reason: str
    happened_at: datetime
    policy_version: int | None
    rules: Sequence[Rule] = ()
    facts: Sequence[Fact] = ()
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A policy that belongs to a reason; ``part`` names the one entry that counts of a policy with several."""

    key: str
    part: str | None = None


_SUBSIDIES, _CATEGORIES = "meal_subsidy_rules", "diner_categories"


def keys_of(wanted: Sequence[Wanted]) -> list[str]:
    """The policies to look up for these: rules of subsidies name categories, which another policy has the words for."""
    keys = [one.key for one in wanted]
    return [*keys, _CATEGORIES] if _SUBSIDIES in keys and _CATEGORIES not in keys else keys


def words_with(found: Mapping[str, RuleInForce]) -> dict[str, str]:
    """What codes mean, those of diners' categories as they were called then."""
    categories = found.get(_CATEGORIES)
    return {**_WORDS, **(categories.value if categories is not None else {})}


def subsidy_sentences(found: Mapping[str, RuleInForce]) -> dict[str, str]:
    """What each rule of subsidies says, by its key; none where the policy was not in force yet."""
    rules, words = found.get(_SUBSIDIES), words_with(found)
    return {} if rules is None else {rule.key: sentence(rule, words) for rule in read_rules(rules.value)}


def rules_said(wanted: Sequence[Wanted], found: Mapping[str, RuleInForce]) -> list[Rule]:
    """The policies behind a reason in words, in the order in which they matter."""
    said, words = [], words_with(found)
    for one in wanted:
        rule = found.get(one.key)
        if rule is None:
            continue
        value = rule.value.get(one.part) if one.part is not None and isinstance(rule.value, dict) else rule.value
        definition = DEFINITIONS[one.key]
        said.append(
            Rule(
                key=one.key,
                label=definition.label,
                value=value,
                text=value_text(value, definition.unit, words),
                policy_version=rule.policy_version,
                in_force_since=rule.in_force_since,
                source=rule.source,
            )
        )
    return said


def minutes_fact(name: str, label: str, minutes: int) -> Fact:
    """A fact that is a number of minutes."""
    return Fact(name, label, minutes, hours_text(minutes))


def amount_fact(amount: int, unit: str) -> Fact:
    """A fact that is a number of minutes, or of fen."""
    if unit == Unit.MINUTE:
        return minutes_fact("minutes", "时长", amount)
    return Fact("fen", "金额", amount, yuan_text(amount))


def moment_fact(name: str, label: str, moment: datetime | None) -> list[Fact]:
    """A fact that is a moment; nothing where there was none."""
    return [] if moment is None else [Fact(name, label, moment.astimezone(LOCAL).isoformat(), moment_text(moment))]


def words_fact(name: str, label: str, words: str | None) -> list[Fact]:
    """A fact in words; nothing where there are none."""
    return [Fact(name, label, words, words)] if words else []


def moment_text(moment: datetime) -> str:
    """``11月22日（周日）09:05``; with the year where it is another one than it need not be guessed."""
    local = moment.astimezone(LOCAL)
    return f"{local.year}年{local.month}月{local.day}日（周{WEEKDAYS[local.weekday()]}）{local:%H:%M}"
