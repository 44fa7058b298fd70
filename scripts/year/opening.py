"""New Year's night: everybody is enrolled from the townships' rosters, the canteens open, the diners are entered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from scripts.bench.rush_scene import open_canteen
from scripts.year.living import OFFICE, Eater, OutOfStep, Share
from scripts.year.plan import CLOSED_FROM, CLOSED_TO, Plan
from timebank.canteens.network.actions import add_closed_days
from timebank.canteens.pricing.rules import Meal
from timebank.core.db import Database
from timebank.importing.actions import import_workbook
from timebank.importing.actions.import_diners import import_diners
from timebank.importing.diner_workbook import DinerRow, DinerWorkbook
from timebank.importing.workbook import ElderRow, OfficeWorkbook, RecordRow, VolunteerRow
from timebank.people.models import Person
from timebank.townships.queries import township_names

_HOURS = ((Meal.LUNCH, time(10, 30), time(13)),)


def open_year(bank: Database, plan: Plan, hands: int) -> list[Share]:
    """Enrol everybody and open everything; what each of so many hands is to see to."""
    with bank.session() as session:
        names = township_names(session)
    for code, _ in plan.townships:
        with bank.unit_of_work() as session:
            _enrol(session, plan, code, names[code])
    canteens: list[tuple[UUID, str]] = []
    for number in range(plan.size.canteens):
        with bank.unit_of_work() as session:
            canteens.append(_open(session, plan, number))
    with bank.unit_of_work() as session:
        _enter_diners(session, plan, names)
    with bank.session() as session:
        ids = {row.id_number: row.id for row in session.execute(select(Person.id_number, Person.id))}
    eaters = [
        Eater(number, ids[one.person.id_number], one.person.name, *canteens[one.canteen], one.earns)
        for number, one in sorted(enumerate(plan.diners), key=lambda numbered: numbered[1].canteen)
    ]
    shares = []
    for hand in range(hands):
        mine = canteens[hand::hands]
        there = {canteen_id for canteen_id, _ in mine}
        shares.append(Share(mine, [one for one in eaters if one.canteen_id in there]))
    return shares


def workbook(
    name: str,
    *,
    volunteers: Sequence[VolunteerRow] = (),
    elders: Sequence[ElderRow] = (),
    records: Sequence[RecordRow] = (),
) -> OfficeWorkbook:
    """What an office would have sent, read already."""
    return OfficeWorkbook(name, "", tuple(volunteers), tuple(elders), tuple(records), {})


def _enrol(session: Session, plan: Plan, code: str, township: str) -> None:
    volunteers = [
        VolunteerRow(row, (), one.name, one.id_number, None, township, "")
        for row, one in enumerate((one for one in plan.volunteers if one.township_code == code), start=2)
    ]
    elders = [
        ElderRow(row, (), one.name, one.id_number, None, township, "", "", "")
        for row, one in enumerate((one for one in plan.elders if one.township_code == code), start=2)
    ]
    book = workbook(f"{township}名册.xlsx", volunteers=volunteers, elders=elders)
    done = import_workbook(session, workbook=book, approved_by=OFFICE, within=code)
    if (done.new.volunteers, done.new.elders) != (len(volunteers), len(elders)):
        raise OutOfStep(f"{township}: {done.new} of {len(volunteers)} and {len(elders)} were entered")


def _open(session: Session, plan: Plan, number: int) -> tuple[UUID, str]:
    code, township = plan.townships[number % len(plan.townships)]
    eaters = sum(one.canteen == number for one in plan.diners)
    canteen_id = open_canteen(session, f"{township}第{number + 1}助餐点", code, _HOURS, max(1, eaters))
    add_closed_days(
        session, actor=OFFICE, canteen_id=canteen_id, first_on=CLOSED_FROM, last_on=CLOSED_TO, reason="春节停餐"
    )
    return canteen_id, code


def _enter_diners(session: Session, plan: Plan, names: dict[str, str]) -> None:
    rows = tuple(
        DinerRow(
            row=row,
            cells=(),
            name=one.person.name,
            id_number=one.person.id_number,
            phone=None,
            township=names[one.person.township_code],
            **dict.fromkeys(_UNSAID, ""),
        )
        for row, one in enumerate(plan.diners, start=2)
    )
    done = import_diners(session, actor=OFFICE, read=lambda: DinerWorkbook("用餐对象.xlsx", "", rows, {}))
    if done.diners != len(rows):
        raise OutOfStep(f"{done.diners} of {len(rows)} diners were entered: {done.rejected[:1]}")


_UNSAID = (
    *("village", "diet_form", "allergies", "religious_diet", "categories", "valid_from", "valid_until", "evidence"),
    *("canteen", "delivery_address", "delivery_note", "household_id_number"),
)
