"""Which rules of subsidies a meal may be judged by: those of its day, and those that its price was promised under."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.canteens.subsidies.allowed import RuleText
from timebank.canteens.subsidies.screening import ServedMeal
from timebank.core import clock
from timebank.policies.models import PolicyValue
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.townships.models import Organisation

_POLICY = "meal_subsidy_rules"


class Rulebooks:
    """The policies of every day and every version that these meals name, read once."""

    def __init__(self, session: Session, served: Iterable[ServedMeal]) -> None:
        meals = list(served)
        days = sorted({one.served_on for one in meals})
        # What came into force in the middle of a day counts for it; what was promised before is looked up by version.
        self._by_day: dict[date, PolicyBook] = {day: in_force(session, at=_end_of(day)) for day in days}
        versions = {one.policy_version for one in meals} - {book.version for book in self._by_day.values()}
        self._by_version = {book.version: book for book in self._by_day.values()} | _by_version(session, versions)
        canteens = {one.canteen_id for one in meals}
        codes = select(Organisation.id, Organisation.township_code).where(Organisation.id.in_(canteens))
        self._township: dict[UUID, str] = {row.id: row.township_code for row in session.execute(codes)}

    def of(self, served: ServedMeal) -> Sequence[Sequence[RuleText]]:
        """One or two lists of rules as policy has them."""
        books = [self._by_day[served.served_on]]
        promised = self._by_version.get(served.policy_version)
        if promised is not None and promised.version != books[0].version:
            books.append(promised)
        code = self._township[served.canteen_id]
        return [book.value(_POLICY, code) for book in books]


def _end_of(day: date) -> datetime:
    return clock.day_start(day + timedelta(days=1)) - timedelta(microseconds=1)


def _by_version(session: Session, versions: Iterable[int]) -> dict[int, PolicyBook]:
    query = (
        select(PolicyValue.change_id, func.min(PolicyValue.valid_from))
        .where(PolicyValue.change_id.in_(list(versions)), PolicyValue.valid_from.is_not(None))
        .group_by(PolicyValue.change_id)
    )
    began = {change_id: since for change_id, since in session.execute(query) if since is not None}
    return {change_id: in_force(session, at=since) for change_id, since in began.items()}
