"""A dashboard 数据看板: what a duty officer asks on one page, for one township or all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from timebank.clearing.queries.positions import standings
from timebank.clearing.rules import Standing
from timebank.core import clock
from timebank.policies.queries import in_force
from timebank.supervision.figures.queries.months import kept_of, moved_in, of_running_month, running_month
from timebank.supervision.figures.queries.waiting import Waiting, waiting
from timebank.supervision.figures.rules import MONTHS_BEFORE, month_name, months_before, next_month, percent_of
from timebank.townships.queries import township_names


@dataclass(frozen=True, slots=True)
class Month:
    """A month's figures by key; ``is_kept`` once its end is kept. What is not there is 0, or not kept yet."""

    month: str
    is_running: bool
    is_kept: bool
    figures: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of its hard limit a township has used; ``is_near`` from the percentage of the policy on."""

    township_code: str
    township_name: str
    owed_minutes: int
    soft_limit_minutes: int
    hard_limit_minutes: int
    percent: int
    is_near: bool
    limit_state: str
    limit_state_name: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Months from the earliest to the running one, what waits, and how near the limits are, the nearest first."""

    township_code: str | None
    township_name: str | None
    as_of: datetime
    months: Sequence[Month]
    waiting: Sequence[Waiting]
    limits: Sequence[Limit]
    warning_percent: int


def dashboard(session: Session, *, township_code: str | None) -> Dashboard:
    """Everything at this moment, in a fixed number of statements. The caller has judged who may see it."""
    running = running_month()
    first = months_before(running, MONTHS_BEFORE)
    moved = moved_in(session, first, next_month(running), township_code)
    kept = kept_of(session, first, running, township_code)
    now = of_running_month(session, township_code)
    months = []
    for before in range(MONTHS_BEFORE, -1, -1):
        month = months_before(running, before)
        stood = now if month == running else kept.get(month, {})
        months.append(_month(month, running, moved.get(month, {}), stood))
    names = township_names(session)
    limits = _limits(session, names, township_code)
    return Dashboard(
        township_code=township_code,
        township_name=names[township_code] if township_code is not None else None,
        as_of=clock.now(),
        months=months,
        waiting=waiting(session, township_code),
        limits=limits,
        warning_percent=in_force(session, at=clock.now()).whole("position_warning_percent"),
    )


def _month(
    month: date, running: date, moved: Mapping[tuple[str, str], int], stood: Mapping[tuple[str, str], int]
) -> Month:
    is_running = month == running
    figures = summed([*moved.items(), *stood.items()])
    return Month(month_name(month), is_running, not is_running and bool(stood), figures)


def summed(amounts: Iterable[tuple[tuple[str, str], int]]) -> dict[str, int]:
    """Amounts by key, over all books and townships."""
    found: dict[str, int] = defaultdict(int)
    for (_, key), amount in amounts:
        found[key] += amount
    return dict(found)


def _limits(session: Session, names: Mapping[str, str], township_code: str | None) -> list[Limit]:
    policies = in_force(session, at=clock.now())
    codes = [township_code] if township_code is not None else sorted(names)
    found = [
        _limit(code, names[code], standing, policies.whole("position_warning_percent", code))
        for code, standing in standings(session, codes).items()
    ]
    return sorted(found, key=lambda one: (-one.percent, -one.owed_minutes))


def _limit(code: str, name: str, standing: Standing, warning_percent: int) -> Limit:
    percent = percent_of(standing.owed_minutes, standing.hard_limit_minutes)
    return Limit(
        code,
        name,
        owed_minutes=standing.owed_minutes,
        soft_limit_minutes=standing.soft_limit_minutes,
        hard_limit_minutes=standing.hard_limit_minutes,
        percent=percent,
        is_near=percent >= warning_percent,
        limit_state=standing.limit_state,
        limit_state_name=standing.limit_state_name,
    )
