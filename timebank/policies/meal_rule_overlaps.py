"""Subsidy rules that contradict one another 规则冲突: found before anybody is priced by them. Pure.

Two rules meet where one diner could fit both on one order; what is borne of the way to the door meets others only on
orders that are brought. Of rules that meet, refused are:

- two of one group with the same precedence, since nobody could say which of them applies;
- a gift's rule (donors, garden) in one group with a rule of another share: whether it applies is known before what is
  in the pot, so an empty pot with the lower precedence would keep the diner from the other share too;
- two of the government's of one base that are not in one group: the same subsidy given twice. One pair is let stand
  side by side: a discount (a percentage, or free) and a dated allowance (so much a person and day, or a household and
  meal). So nobody has more than one of each from outside a group; a fixed amount of every meal is neither.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

from timebank.policies.meal_rules import Rule, invalid, read_rules


def check_rules(value: Any) -> None:
    """Whether this may be the policy. Raises Refused ``policy_value_invalid``, naming the rules and why."""
    for one, other in combinations(read_rules(value), 2):
        if not meet(one, other):
            continue
        why = _within_group(one, other) if _one_group(one, other) else _side_by_side(one, other)
        if why:
            raise invalid(f"“{one.label}”与“{other.label}”{why}", one.key, other.key)


def meet(one: Rule, other: Rule) -> bool:
    """Whether one diner could fit both rules on one order."""
    if not (one.meals & other.meals and _ways(one) & _ways(other)):
        return False
    return any(here.with_(there).fits_somebody() for here, there in product(one.who, other.who))


def _ways(rule: Rule) -> frozenset[str]:
    """The ways of having a meal on which there is something of the rule's base."""
    return rule.ways & {"deliver"} if rule.base == "delivery" else rule.ways


def _one_group(one: Rule, other: Rule) -> bool:
    return one.group is not None and one.group == other.group


def _within_group(one: Rule, other: Rule) -> str:
    if one.precedence == other.precedence:
        return "在同一组、先后相同，有人会同时符合，不知按哪条办"
    if one.share != other.share:
        return "在同一组，捐款或菜园用完时会使另一条也落空，捐款、菜园的规则不能与别的同组"
    return ""


def _side_by_side(one: Rule, other: Rule) -> str:
    government = one.share == other.share == "government"
    if not government or one.base != other.base or {_form(one), _form(other)} == {"discount", "allowance"}:
        return ""
    return "会对同一人重复补贴，须放进同一组；只有一条折扣与一条按天、按户的定额可以并用"


def _form(rule: Rule) -> str:
    if rule.fen is None:
        return "discount"
    return "amount" if rule.per == "meal" else "allowance"
