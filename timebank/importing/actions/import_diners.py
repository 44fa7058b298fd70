"""Importing an office's list of diners 导入用餐对象: good rows go in, bad ones come back; twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.diners.models import Diner
from timebank.canteens.diners.queries import diners_by_ids, one_of
from timebank.canteens.diners.rules import OPEN, DinerState
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.rules import NUMBERED
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.ids import new_id
from timebank.importing.actions.enter_diners import Filed, Origin, file_diners
from timebank.importing.diner_rules import CanteenName, DinerEntry, DinerWords, judge_diners, sift
from timebank.importing.diner_workbook import DinerWorkbook
from timebank.importing.report import Note
from timebank.importing.rules import Judged, Rejected, Townships
from timebank.people.actions.enter_from_roster import Entered, RosterEntry, enter_alone, enter_from_roster
from timebank.people.id_numbers import age_on
from timebank.people.models import Person, PersonRole
from timebank.people.queries import people_by_id_numbers
from timebank.people.rules import DINER, ELDER
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.townships.models import Organisation
from timebank.townships.queries import township_names


@dataclass(frozen=True, slots=True)
class DinerImport:
    """What came of an import: people entered, files opened, categories granted, and what was there already."""

    people: int
    diners: int
    categories: int
    already_present: int
    rejected: Sequence[Rejected]
    notes: Sequence[Note]
    dry_run: bool
    workbook: DinerWorkbook


@dataclass(frozen=True, slots=True)
class _Known:
    """Who of a workbook's people the bank knows, by identity number, with their files."""

    people: Mapping[str, Person]
    diners: Mapping[str, Diner]

    def lean_on(self) -> set[str]:
        """Those whose household others may share."""
        return {number for number, diner in self.diners.items() if diner.state in OPEN}


def import_diners(
    session: Session,
    *,
    actor: Actor,
    read: Callable[[], DinerWorkbook],
    within: str | None = None,
    dry_run: bool = False,
) -> DinerImport:
    """Enter the people who are missing, open their files as approved, and grant the categories that were shown.

    ``actor`` answers for it: a steward, whose township's people only go in, or, at the desk, whoever approved;
    ``within`` is the code of the township whose people only go in besides.
    ``read`` gives the workbook, once it is known that the actor may hand one in. What a file says already is left as
    it is. Waits for another import that is under way. Raises NotAllowed ``steward_only``, and what ``read`` raises.
    """
    if actor.login_id is not None:
        actor.must_be_steward()
    workbook = read()
    trial = session.begin_nested() if dry_run else None
    enter_alone(session)
    policies = in_force(session, at=clock.now())
    judged, known = _judge(session, actor, within, workbook, policies)
    entered = _enter_people(session, judged.accepted, known, policies)
    origin = Origin(new_id(), actor)
    filed = file_diners(session, entries=judged.accepted, people=entered.people, there=known.diners, origin=origin)
    done = _told(judged, known, filed, workbook, dry_run=dry_run)
    if entered.changed or filed.changed:
        _note_down(session, origin, done)
    if trial is not None:
        trial.rollback()
    return done


def _judge(
    session: Session, actor: Actor, within: str | None, workbook: DinerWorkbook, policies: PolicyBook
) -> tuple[Judged[DinerEntry], _Known]:
    judged = judge_diners(workbook.diners, words=_words(session, policies), today=clock.today())
    told = {number for e in judged.accepted for number in (e.id_number.value, e.household_id_number) if number}
    people = people_by_id_numbers(session, told)
    _lock(session, people.values())
    diners = diners_by_ids(session, [person.id for person in people.values()], lock=True)
    known = _Known(people, {number: diners[p.id] for number, p in people.items() if p.id in diners})

    def reason_of(entry: DinerEntry) -> str | None:
        number = entry.id_number.value
        return _against(actor, within, entry, known.people.get(number), known.diners.get(number))

    return sift(judged, reason_of=reason_of, diners=known.lean_on()), known


def _lock(session: Session, people: Collection[Person]) -> None:
    """Nobody applies or leaves meanwhile: both lock the person first."""
    rows = select(Person).where(one_of(Person.id, [person.id for person in people])).order_by(Person.id)
    session.execute(rows.with_for_update(key_share=True).execution_options(populate_existing=True)).all()


def _against(
    actor: Actor, within: str | None, entry: DinerEntry, person: Person | None, diner: Diner | None
) -> str | None:
    """What the bank knows of a row's person that speaks against it, as a reason's code."""
    home = entry.township_code if person is None else person.township_code
    if within is not None and {home, entry.township_code} != {within}:
        return "other_township"
    if actor.is_steward and not (actor.stewards(home) and actor.stewards(entry.township_code)):
        return "other_township"
    if person is not None and person.left_at is not None:
        return "person_left"
    if person is not None and person.death_reported_at is not None:
        return "person_frozen"
    return "diner_refused" if diner is not None and diner.state == DinerState.REFUSED else None


def _words(session: Session, policies: PolicyBook) -> DinerWords:
    query = (
        select(Canteen.id, Organisation.name, Canteen.number, Organisation.township_code)
        .join(Organisation, Organisation.id == Canteen.id)
        .where(Canteen.state.in_(NUMBERED))
    )
    categories = policies.value("diner_categories")
    return DinerWords(
        townships=Townships(township_names(session).items()),
        categories={label: code for code, label in categories.items()} | {code: code for code in categories},
        allergens=lambda code: policies.value("allergens", code),
        religious_diets=lambda code: policies.value("religious_diets", code),
        canteens=[CanteenName(*row) for row in session.execute(query)],
    )


def _enter_people(session: Session, entries: Sequence[DinerEntry], known: _Known, policies: PolicyBook) -> Entered:
    """Who is missing becomes an elder or, where too young, a diner only; who is there keeps the roles they have."""
    there = [known.people[e.id_number.value].id for e in entries if e.id_number.value in known.people]
    had = session.scalars(select(PersonRole).where(one_of(PersonRole.person_id, there)))
    roles = {row.person_id: row.role for row in had}
    roster = []
    for entry in entries:
        person = known.people.get(entry.id_number.value)
        role = roles.get(person.id) if person is not None else None
        if role is None:
            old = age_on(entry.id_number.born_on, clock.today()) >= policies.whole("help_min_age", entry.township_code)
            role = ELDER if old else DINER
        roster.append(RosterEntry(entry.name, entry.id_number, entry.township_code, entry.phone, role))
    return enter_from_roster(session, entries=roster)


def _told(
    judged: Judged[DinerEntry], known: _Known, filed: Filed, workbook: DinerWorkbook, *, dry_run: bool
) -> DinerImport:
    people = sum(entry.id_number.value not in known.people for entry in judged.accepted)
    there = len(judged.accepted) - filed.opened
    notes = sorted(filed.notes, key=lambda note: note.row)
    return DinerImport(people, filed.opened, filed.categories, there, judged.rejected, notes, dry_run, workbook)


def _note_down(session: Session, origin: Origin, done: DinerImport) -> None:
    note_down(
        session,
        actor=origin.actor,
        action="diners_imported",
        subject=("diner_import", origin.import_id),
        workbook_name=done.workbook.name.encode("utf-8", errors="replace").decode(),
        sha256=done.workbook.sha256,
        people=done.people,
        diners=done.diners,
        categories=done.categories,
        rejected=len(done.rejected),
    )
    session.flush()
