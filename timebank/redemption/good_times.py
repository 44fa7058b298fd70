"""On which days and at which meals a voucher is good. Pure; the days and times are those of Fenghua."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from timebank.core.clock import LOCAL
from timebank.policies.definition import MEALS
from timebank.policies.in_words import MEAL_NAMES, WEEKDAY_NAMES
from timebank.policies.rules import PolicyBook

Periods = Mapping[str, Sequence[str]]
"""Meals with when each is served: ``{"lunch": ["10:00", "13:30"]}``, from the first minute up to the second."""


@dataclass(frozen=True, slots=True)
class GoodTimes:
    """The limits printed on a voucher: days of the week (1 is Monday), and meals; None limits nothing."""

    weekdays: tuple[int, ...] | None = None
    meals: Periods | None = None

    @classmethod
    def by_policy(cls, policies: PolicyBook, township_code: str) -> GoodTimes:
        """What a voucher bought now in a township is good for; all days, or all meals, are no limit."""
        weekdays = tuple(policies.value("voucher_weekdays", township_code))
        meals = policies.value("voucher_meals", township_code)
        periods = policies.value("meal_periods", township_code)
        limited = {meal: list(periods[meal]) for meal in MEALS if meal in meals}
        return cls(None if len(weekdays) == 7 else weekdays, None if len(limited) == len(MEALS) else limited)

    def on_day(self, moment: datetime) -> bool:
        """Whether the voucher is good on the day of ``moment``."""
        return self.weekdays is None or moment.astimezone(LOCAL).isoweekday() in self.weekdays

    def at_meal(self, moment: datetime) -> bool:
        """Whether one of its meals is served at ``moment``."""
        if self.meals is None:
            return True
        at = f"{moment.astimezone(LOCAL):%H:%M}"
        return any(begins <= at < ends for begins, ends in self.meals.values())

    def text(self) -> str:
        """When it is good, in words: ``周一至周五，午餐（10:00～13:30）``; ``每天`` where nothing is limited."""
        said = [] if self.weekdays is None else [weekdays_text(self.weekdays)]
        if self.meals is not None:
            served = (f"{MEAL_NAMES[meal]}（{begins}～{ends}）" for meal, (begins, ends) in self.meals.items())
            said.append("、".join(served))
        return "，".join(said) or "每天"


ALWAYS = GoodTimes()
"""Good on every day at any time."""


def weekdays_text(weekdays: Sequence[int]) -> str:
    """``(1, 2, 3, 5)`` → ``周一至周三、周五``: three days or more in a row are told as from and to."""
    runs: list[list[int]] = []
    for day in sorted(weekdays):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return "、".join(_run_text([WEEKDAY_NAMES[day - 1] for day in run]) for run in runs)


def _run_text(names: Sequence[str]) -> str:
    return f"{names[0]}至{names[-1]}" if len(names) > 2 else "、".join(names)
