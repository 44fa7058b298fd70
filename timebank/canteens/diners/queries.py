"""Seeing diners as other parts of the meal programme do: files by id, and what pricing asks about a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, any_, cast, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from timebank.canteens.diners.models import Diner, DinerCategory
from timebank.canteens.pricing.rules import DinerFacts
from timebank.core.db import UuidColumn
from timebank.core.errors import BankError, NotFound
from timebank.people.id_numbers import age_on
from timebank.people.models import ElderFile, Person


def one_of(column: InstrumentedAttribute[UUID], ids: Collection[UUID]) -> ColumnElement[bool]:
    """Whether ``column`` is one of ``ids``, as one parameter however many they are."""
    return column == any_(cast(list(ids), ARRAY(UuidColumn)))


def diners_by_ids(session: Session, ids: Collection[UUID], *, lock: bool = False) -> dict[UUID, Diner]:
    """Files by person, approved or not; who has none is left out. With ``lock`` locked in order, and read anew."""
    query = select(Diner).where(one_of(Diner.person_id, ids)).order_by(Diner.person_id)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return {diner.person_id: diner for diner in session.scalars(query)}


def facts_on(session: Session, person_ids: Collection[UUID], day: date) -> dict[UUID, DinerFacts]:
    """What pricing asks about these diners on ``day``, approved or not, in two statements; others are left out."""
    categories: dict[UUID, set[str]] = defaultdict(set)
    valid = select(DinerCategory.person_id, DinerCategory.category).where(
        one_of(DinerCategory.person_id, person_ids),
        DinerCategory.withdrawn_at.is_(None),
        DinerCategory.valid_during.contains(day),
    )
    for person_id, category in session.execute(valid):
        categories[person_id].add(category)
    files = (
        select(Diner, Person.born_on, ElderFile.assessment_level)
        .join(Person, Person.id == Diner.person_id)
        .outerjoin(ElderFile, ElderFile.person_id == Diner.person_id)
        .where(one_of(Diner.person_id, person_ids))
    )
    return {
        diner.person_id: DinerFacts(
            person_id=diner.person_id,
            household_id=diner.household_id,
            age=age_on(born_on, day),
            categories=frozenset(categories[diner.person_id]),
            assessment_level=level,
            diet_form=diner.diet_form,
            allergies=frozenset(diner.allergies),
            religious_diet=diner.religious_diet,
        )
        for diner, born_on, level in session.execute(files)
    }


def diner_unknown(person_id: UUID) -> BankError:
    """The refusal for somebody without a file, or whose file is nobody's business of the asker."""
    return NotFound("diner_unknown", "没有这位用餐对象", person_id=person_id)
