"""Diners' files for screens: each sees the own ones, a canteen what its kitchen needs, stewards their township's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, and_, literal, select, true, type_coerce
from sqlalchemy.orm import Session

from timebank.canteens.diners.actions.categories import days_of
from timebank.canteens.diners.models import Diner, DinerCategory
from timebank.canteens.diners.queries import diner_unknown, one_of
from timebank.canteens.diners.rules import DinerState
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.chinese_order import by_pinyin
from timebank.core.sorting import Orders, Part, Slice, by_course, slice_of, within_days
from timebank.people.id_numbers import age_on
from timebank.people.models import ElderFile, Person
from timebank.people.queries import elders_of
from timebank.people.rules import ProxyScope, masked_name
from timebank.policies.queries import in_force
from timebank.townships.models import Organisation


@dataclass(frozen=True, slots=True)
class DinerFilter:
    """Which files are wanted; ``category`` is one that is valid today."""

    township_code: str | None = None
    state: str | None = None
    category: str | None = None
    canteen_id: UUID | None = None
    since: date | None = None
    until: date | None = None


DINER_ORDERS = Orders(
    of="diners",
    by={
        "applied_at": Diner.applied_at,
        "name": by_pinyin(Person.name),
        # Whoever was born later is younger.
        "age": type_coerce(literal(date(2200, 1, 1)) - Person.born_on, Integer),
        "township": Person.township_code,
        "canteen": by_pinyin(Organisation.name),
        "state": by_course(Diner.state, list(DinerState)),
    },
    tie=Diner.person_id,
    usual="applied_at",
)


@dataclass(frozen=True, slots=True)
class CategoryView:
    """A category with its name and its days; ``valid_until`` is the last one, None for no end."""

    row: DinerCategory
    name: str
    valid_from: date
    valid_until: date | None
    valid_today: bool


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the same household; the name is masked for whoever is no member of staff."""

    person_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class DinerView:
    """A file for a screen. A canteen's clerk is shown what the kitchen needs, ``whole`` False."""

    diner: Diner
    name: str
    township_code: str
    age: int
    assessment_level: int | None
    usual_canteen_name: str | None
    categories: Sequence[CategoryView]
    household: Sequence[Member]
    whole: bool


Row = tuple[Diner, Person, int | None, str | None]


def find_diners(session: Session, *, actor: Actor, wanted: DinerFilter, part: Part) -> Slice[DinerView]:
    """Files as they applied where ``part`` asks for no other order; days are those of the applications.

    A person sees the own one and those of elders they act for; a clerk the approved ones whose usual canteen it is;
    stewards their township's; the district and the auditor all. Raises NotAllowed ``registration_needed``,
    ``books_not_yours``.
    """
    query = _files().where(_visible(session, actor), *within_days(Diner.applied_at, wanted.since, wanted.until))
    if wanted.township_code is not None:
        query = query.where(Person.township_code == wanted.township_code)
    if wanted.state is not None:
        query = query.where(Diner.state == wanted.state)
    if wanted.canteen_id is not None:
        query = query.where(Diner.usual_canteen_id == wanted.canteen_id)
    if wanted.category is not None:
        query = query.where(_in_category(wanted.category))
    found = slice_of(session, query, DINER_ORDERS, part)
    return found.holding(_seen(session, actor, found.items))


def diner_for(session: Session, *, actor: Actor, person_id: UUID) -> DinerView:
    """One file that the actor may see. Raises NotFound ``diner_unknown``; NotAllowed as ``find_diners`` does."""
    rows = session.execute(_files().where(Diner.person_id == person_id, _visible(session, actor))).all()
    if not rows:
        raise diner_unknown(person_id)
    return _seen(session, actor, rows)[0]


def see_diner(session: Session, *, actor: Actor, diner: Diner) -> DinerView:
    """A file that the actor has just done something about."""
    return _seen(session, actor, session.execute(_files().where(Diner.person_id == diner.person_id)).all())[0]


def _files() -> Select[Diner, Person, int | None, str | None]:
    return (
        select(Diner, Person, ElderFile.assessment_level, Organisation.name)
        .join(Person, Person.id == Diner.person_id)
        .outerjoin(ElderFile, ElderFile.person_id == Diner.person_id)
        .outerjoin(Organisation, Organisation.id == Diner.usual_canteen_id)
    )


def _visible(session: Session, actor: Actor) -> ColumnElement[bool]:
    if actor.staff_role is None:
        return Diner.person_id.in_([actor.person(), *elders_of(session, actor.person(), ProxyScope.MEALS)])
    if actor.staff_role is StaffRole.CANTEEN_CLERK:
        return and_(Diner.usual_canteen_id == actor.organisation_id, Diner.state == DinerState.APPROVED)
    actor.must_see_books()
    if actor.is_district or actor.staff_role is StaffRole.AUDITOR:
        return true()
    return Person.township_code == actor.township_code


def _in_category(category: str) -> ColumnElement[bool]:
    valid = select(DinerCategory.id).where(
        DinerCategory.person_id == Diner.person_id,
        DinerCategory.category == category,
        DinerCategory.withdrawn_at.is_(None),
        DinerCategory.valid_during.contains(clock.today()),
    )
    return valid.exists()


def _seen(session: Session, actor: Actor, rows: Sequence[Row]) -> list[DinerView]:
    whole = actor.staff_role is not StaffRole.CANTEEN_CLERK
    categories = _categories(session, [row[0].person_id for row in rows]) if whole else {}
    members = _members(session, actor, {row[0].household_id for row in rows}) if whole else {}
    today = clock.today()
    return [
        DinerView(
            diner=diner,
            name=holder.name,
            township_code=holder.township_code,
            age=age_on(holder.born_on, today),
            assessment_level=level,
            usual_canteen_name=canteen_name,
            categories=categories.get(diner.person_id, ()),
            household=[one for one in members.get(diner.household_id, ()) if one.person_id != diner.person_id],
            whole=whole,
        )
        for diner, holder, level, canteen_name in rows
    ]


def _categories(session: Session, person_ids: Collection[UUID]) -> dict[UUID, list[CategoryView]]:
    """Everybody's categories as they came, also those that ended or were withdrawn."""
    names = in_force(session, at=clock.now()).value("diner_categories")
    query = select(DinerCategory).where(one_of(DinerCategory.person_id, person_ids)).order_by(DinerCategory.id)
    found: dict[UUID, list[CategoryView]] = defaultdict(list)
    for row in session.scalars(query):
        found[row.person_id].append(category_view(row, names.get(row.category, row.category)))
    return found


def category_view(row: DinerCategory, name: str) -> CategoryView:
    """A category for a screen."""
    begins, ends = days_of(row)
    today = clock.today()
    valid = row.withdrawn_at is None and begins <= today and (ends is None or today <= ends)
    return CategoryView(row, name, begins, ends, valid)


def _members(session: Session, actor: Actor, household_ids: Collection[UUID]) -> dict[UUID, list[Member]]:
    query = (
        select(Diner.household_id, Diner.person_id, Person.name)
        .join(Person, Person.id == Diner.person_id)
        .where(one_of(Diner.household_id, household_ids), Diner.state != DinerState.ENDED)
        .order_by(Diner.person_id)
    )
    found: dict[UUID, list[Member]] = defaultdict(list)
    for household_id, person_id, name in session.execute(query):
        shown = masked_name(name) if actor.staff_role is None else name
        found[household_id].append(Member(person_id, shown))
    return found
