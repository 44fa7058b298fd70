"""Who eats in the meal programme 用餐对象: states, who may apply, how categories hold, refusals. Pure.

**Who may apply.** Anybody enrolled may, and a steward decides. Only an application that nobody needs to look at is
turned away at once: somebody under the age from which everybody is served, who is no child either and claims no
special category (policies ``diner_min_age``, ``diner_child_below_age``). A steward who enters somebody has looked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from enum import StrEnum
from typing import Protocol

from timebank.core.errors import BankError, Conflict, Refused


class DinerState(StrEnum):
    """Where a diner's file stands; only the approved eat at a diner's price."""

    APPLIED = "applied"
    APPROVED = "approved"
    REFUSED = "refused"
    ENDED = "ended"


STATE_NAMES = {
    DinerState.APPLIED: "待审核",
    DinerState.APPROVED: "已通过",
    DinerState.REFUSED: "未通过",
    DinerState.ENDED: "已退出",
}

_STEPS = {
    ("apply", None): DinerState.APPLIED,
    ("apply", DinerState.REFUSED): DinerState.APPLIED,
    ("apply", DinerState.ENDED): DinerState.APPLIED,
    ("enter", None): DinerState.APPROVED,
    ("enter", DinerState.APPLIED): DinerState.APPROVED,
    ("enter", DinerState.REFUSED): DinerState.APPROVED,
    ("enter", DinerState.ENDED): DinerState.APPROVED,
    ("approve", DinerState.APPLIED): DinerState.APPROVED,
    ("refuse", DinerState.APPLIED): DinerState.REFUSED,
}

OPEN = (DinerState.APPLIED, DinerState.APPROVED)
"""While a file stands here, it may be changed."""


def after(step: str, state: str | None) -> DinerState:
    """The state after a step; ``state`` None where there is no file yet. Raises Conflict ``wrong_state``."""
    try:
        return _STEPS[step, None if state is None else DinerState(state)]
    except KeyError:
        raise wrong_state(str(state)) from None


def wrong_state(state: str) -> BankError:
    """The refusal of what this state of a file does not allow."""
    name = STATE_NAMES[DinerState(state)]
    return Conflict("wrong_state", f"这份用餐档案{name}，不能这样办理", status=state)


class Filed(Protocol):
    """Somebody's file, of which only the state is asked."""

    @property
    def state(self) -> str:
        """A ``DinerState``."""


def must_be_approved(diner: Filed | None) -> None:
    """A diner's rights are for approved ones; None is somebody without a file.

    Raises Refused ``diner_not_approved``.
    """
    state = None if diner is None else DinerState(diner.state)
    if state != DinerState.APPROVED:
        said = "尚未申请" if state is None else STATE_NAMES[state]
        raise Refused("diner_not_approved", f"用餐对象资格{said}，请到镇街办理", state=state)


def must_be_changeable(state: str) -> None:
    """Raises Conflict ``wrong_state`` for a file that was refused or has ended."""
    if state not in OPEN:
        raise wrong_state(state)


def must_be_worth_a_look(age: int, *, min_age: int, child_below_age: int, categories: Collection[str]) -> None:
    """An application that a steward should look at; ages in years. Raises Refused ``diner_too_young``."""
    if child_below_age <= age < min_age and not categories:
        title = f"未满{min_age}岁，又没有特殊类别，不能申请用餐"
        raise Refused("diner_too_young", title, min_age=min_age, child_below_age=child_below_age, age=age)


def must_be_known(words: Iterable[str], known: Collection[str], *, code: str, title: str, field: str) -> None:
    """Raises Refused ``code`` with the words that policy does not know."""
    unknown = sorted(set(words) - set(known))
    if unknown:
        raise Refused(code, title, field=field, unknown=unknown)


def must_be_in_order(valid_from: date, valid_until: date | None) -> None:
    """A category's days; the last one counts. Raises Refused ``category_ends_too_soon``."""
    if valid_until is not None and valid_until < valid_from:
        raise Refused(
            "category_ends_too_soon",
            "终止日期早于起始日期；登记有误的类别请撤销",
            field="valid_until",
            valid_from=valid_from.isoformat(),
        )


def must_end_sooner(last_day: date, valid_until: date | None) -> None:
    """Ending shortens. Raises Refused ``category_ends_before``, with the last day it has."""
    if valid_until is not None and last_day > valid_until:
        title = f"这项类别到{valid_until:%Y年%m月%d日}就终止，要延长请另行登记"
        raise Refused("category_ends_before", title, field="last_day", valid_until=valid_until.isoformat())


def evidence_given(text: str) -> str:
    """What shows it, without blanks around it. Raises Refused ``evidence_missing``."""
    said = text.strip()
    if not said:
        raise Refused("evidence_missing", "请填写依据", field="evidence")
    return said
