"""Subsidy rules name categories that diners can have 规则与用餐对象类别须一致: checked when either changes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from timebank.core.errors import Refused
from timebank.policies.meal_rules import KEY, read_rules
from timebank.policies.rules import PolicyBook

CATEGORIES = "diner_categories"


def check_categories(wanted: Mapping[tuple[str, str | None], Any], now: PolicyBook) -> None:
    """What is wanted fits what stays as it is. Raises Refused ``policy_value_invalid`` with the categories unknown."""
    if not any(key in (KEY, CATEGORIES) for key, _ in wanted):
        return
    known = set(wanted[CATEGORIES, None] if (CATEGORIES, None) in wanted else now.value(CATEGORIES))
    rules: dict[str | None, Any] = {None: now.value(KEY)}
    rules.update(now.township_values(KEY))
    rules.update({code: value for (key, code), value in wanted.items() if key == KEY})
    for code, value in rules.items():
        odd = {rule.key: unknown for rule in read_rules(value) if (unknown := rule.categories() - known)}
        if odd:
            raise Refused(
                "policy_value_invalid",
                "助餐补贴规则提到了没有的用餐对象类别",
                key=KEY,
                township_code=code,
                rules=sorted(odd),
                categories=sorted(set().union(*odd.values())),
            )
