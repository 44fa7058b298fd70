"""A policy as it is said to people: its value in words, and the change that brought it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from timebank.core.amounts import hours_text, yuan_text
from timebank.policies.meal_rule_words import are_rules, sentences

PAYER_NAMES = {
    "granted": "政府购买服务时长",
    "savings": "老人的储蓄时长",
    "pool": "公益时间池",
    "issuance": "镇街发行",
}

WEEKDAY_NAMES = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
MEAL_NAMES = {"breakfast": "早餐", "lunch": "午餐", "supper": "晚餐"}

WORDS: Mapping[str, str] = {
    **PAYER_NAMES,
    **MEAL_NAMES,
    **{"refund": "退回本人", "pay": "付款", "carry": "结转", "default": "其他"},
    **{"meal": "助餐", "care": "照护", "aid": "辅具"},
    **{"eat_in": "堂食", "take_away": "自取", "deliver": "送餐上门"},
}


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """One policy as it is, or was, in force, with the change that brought it."""

    key: str
    value: Any
    policy_version: int
    in_force_since: datetime
    source: str


def value_text(value: Any, unit: str, words: Mapping[str, str] = WORDS) -> str:
    """A policy's value as it is read out: ``180天``, ``1小时``, ``低保、特困``; ``words`` says what its codes mean."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int):
        return _number(value, unit)
    if isinstance(value, list):
        if are_rules(value):
            return "。".join(sentences(value, words)) + "。"
        if _is_cut_off(value):
            days, at = value
            return f"{'当天' if days == 0 else f'提前{-days}天'}{at}前"
        return "、".join(_number(one, unit) if unit else _word(one, words) for one in value) or "无"
    if isinstance(value, dict):
        told = (f"{_entry(name, words)} {value_text(one, unit, words)}" for name, one in value.items())
        return "；".join(told) or "无"
    return "未定" if value is None else _word(value, words)


def _number(value: int, unit: str) -> str:
    """A number with its unit, a price by the hour or day too: ``2小时``, ``30.00元/小时``, ``180天``."""
    of, _, each = unit.partition("/")
    in_full = {"分钟": hours_text, "分": yuan_text}.get(of)
    if in_full is None or value < 0:
        return f"{value}{unit}"
    return in_full(value) + (f"/{each}" if each else "")


def _entry(name: str, words: Mapping[str, str]) -> str:
    """What an entry stands under: a code, or the number of a level or grade."""
    return f"{name}级" if name.isdigit() else _word(name, words)


def _is_cut_off(value: list[Any]) -> bool:
    """So many days before, until which time: ``[-1, "20:00"]``."""
    return len(value) == 2 and isinstance(value[0], int) and isinstance(value[1], str)


def _word(value: Any, words: Mapping[str, str]) -> str:
    """One word of a policy as people say it: who pays, a meal, a day of the week, a relation."""
    if isinstance(value, int):
        return WEEKDAY_NAMES[value - 1] if 1 <= value <= len(WEEKDAY_NAMES) else str(value)
    return words.get(str(value), str(value))
