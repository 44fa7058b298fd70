"""How a reason is put together 为什么: what happened, by which rules, with which facts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from timebank.core.amounts import hours_text
from timebank.core.clock import LOCAL
from timebank.people.family_rules import RELATION_NAMES
from timebank.policies.in_words import WORDS, RuleInForce, value_text
from timebank.policies.rules import DEFINITIONS

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


def rules_said(wanted: Sequence[Wanted], found: Mapping[str, RuleInForce]) -> list[Rule]:
    """The policies behind a reason in words, in the order in which they matter."""
    said = []
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
                text=value_text(value, definition.unit, _WORDS),
                policy_version=rule.policy_version,
                in_force_since=rule.in_force_since,
                source=rule.source,
            )
        )
    return said


def minutes_fact(name: str, label: str, minutes: int) -> Fact:
    """A fact that is a number of minutes."""
    return Fact(name, label, minutes, hours_text(minutes))


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
