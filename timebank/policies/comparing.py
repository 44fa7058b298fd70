"""Ready-made policy sets 办法范本: what other places do, value by value with its source, to compare and to propose."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from timebank.core.errors import NotFound
from timebank.policies.actions import NewValue
from timebank.policies.definitions import DEFINITIONS
from timebank.policies.rules import PolicyBook, check_value

FOLDER = Path(__file__).parent / "sets"
USUAL_SET = "fenghua"
"""The set that every other one falls back to."""


@dataclass(frozen=True, slots=True)
class SetValue:
    """One policy in a set; ``fallback`` where the reports of that place say nothing and 奉化's assumption stands in."""

    key: str
    value: Any
    source: str
    fallback: bool


@dataclass(frozen=True, slots=True)
class PolicySet:
    """A whole set of policies under one name."""

    name: str
    title: str
    values: Mapping[str, SetValue]

    @property
    def own_values(self) -> int:
        """How many policies the set itself speaks of."""
        return sum(1 for one in self.values.values() if not one.fallback)

    def book(self) -> PolicyBook:
        """The set as if it were in force in the whole district."""
        return PolicyBook(0, {(key, None): one.value for key, one in self.values.items()})


@dataclass(frozen=True, slots=True)
class Difference:
    """One policy in which two sets differ."""

    key: str
    label: str
    unit: str
    one: SetValue
    other: SetValue


def set_names() -> list[str]:
    """The names of all sets, by name."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def policy_set(name: str) -> PolicySet:
    """One set. Raises NotFound ``policy_set_unknown``, with the names there are."""
    names = set_names()
    if name not in names:
        raise NotFound("policy_set_unknown", "没有这套办法范本", name=name[:80], names=names)
    usual, own = _read(USUAL_SET), _read(name)
    values = {}
    for key in DEFINITIONS:
        fallback = key not in own["values"]
        value = (usual if fallback else own)["values"][key]
        check_value(key, value)
        source = f"沿用奉化：{usual['source']}" if fallback else own.get("sources", {}).get(key) or own["source"]
        values[key] = SetValue(key, value, source, fallback)
    return PolicySet(name, own["title"], values)


def compare(one: PolicySet, other: PolicySet) -> list[Difference]:
    """Where two sets differ, in the order of the policies."""
    return [
        Difference(key, definition.label, definition.unit, one.values[key], other.values[key])
        for key, definition in DEFINITIONS.items()
        if one.values[key].value != other.values[key].value
    ]


def changes_to(wanted: PolicySet, now: PolicyBook) -> list[NewValue]:
    """What would have to change for a set to be in force: of what it says itself, only what differs."""
    return [
        NewValue(key, one.value)
        for key, one in wanted.values.items()
        if not one.fallback and one.value != now.value(key)
    ]


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
