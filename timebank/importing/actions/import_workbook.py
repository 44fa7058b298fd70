"""Importing an office's whole workbook: one unit of work, so that it goes in as a whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import BankError, Refused
from timebank.core.ids import new_id
from timebank.importing.actions.credit_hours import Origin, credit_hours
from timebank.importing.actions.enter_people import EnteredRosters, enter_people
from timebank.importing.actions.known_people import KnownPeople, find_known_people
from timebank.importing.headings import ELDERS, RECORDS, VOLUNTEERS
from timebank.importing.report import Counts, ImportReport
from timebank.importing.rules import (
    Elder,
    Judged,
    Record,
    Townships,
    Volunteer,
    judge_elders,
    judge_records,
    judge_volunteers,
)
from timebank.importing.service_words import ServiceWords
from timebank.importing.workbook import OfficeWorkbook
from timebank.people.actions.enter_from_roster import enter_alone
from timebank.people.id_numbers import age_on
from timebank.people.queries import nobody_moves
from timebank.people.rules import must_have_been_here
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.tasks.queries import service_types
from timebank.townships.queries import township_names

STEPS = ("登记志愿者和老人", "核对服务记录", "记入时间账户")
"""What an import does, in order, as ``on_step`` is told at the beginning of each."""


def import_workbook(
    session: Session,
    *,
    workbook: OfficeWorkbook,
    approved_by: str,
    on_step: Callable[[str], None] = lambda _step: None,
) -> ImportReport:
    """Enter a workbook's people and credit its records; what is there already stays as it is.

    ``approved_by`` is the name of who answers for it. Waits for another import that is under way. Raises Refused
    ``approver_missing``.
    """
    approver = _approver(approved_by)
    on_step(STEPS[0])
    enter_alone(session)
    nobody_moves(session)
    volunteers, elders = _judge_rosters(session, workbook)
    entered = enter_people(session, volunteers=volunteers.accepted, elders=elders.accepted)
    on_step(STEPS[1])
    policies = in_force(session, at=clock.now())
    known = find_known_people(session, workbook.records)
    records = _judge_records(workbook, known, policies)
    fresh = [record for record in records.accepted if not known.has(record)]
    on_step(STEPS[2])
    origin = Origin(new_id(), _storable(workbook.name), RECORDS, approver)
    words = ServiceWords({row.code: row.name for row in service_types(session)})
    minutes = credit_hours(session, records=fresh, people=known.people, words=words, origin=origin, policies=policies)
    report = _report(entered, volunteers, elders, records, len(fresh), minutes)
    if entered.changed or fresh:
        _note_down(session, workbook, origin, report)
    return report


def _approver(approved_by: str) -> Actor:
    name = " ".join(_storable(approved_by).split())
    if not name:
        raise Refused("approver_missing", "请写明由谁审批负责", field="approved_by")
    return Actor(login_id=None, name=name)


def _storable(text: str) -> str:
    """File names and arguments may hold bytes that are no text; the database takes text only."""
    return text.encode("utf-8", errors="replace").decode()


def _judge_rosters(session: Session, workbook: OfficeWorkbook) -> tuple[Judged[Volunteer], Judged[Elder]]:
    townships, today = Townships(township_names(session).items()), clock.today()
    return (
        judge_volunteers(workbook.volunteers, townships=townships, today=today),
        judge_elders(workbook.elders, townships=townships, today=today),
    )


def _judge_records(workbook: OfficeWorkbook, known: KnownPeople, policies: PolicyBook) -> Judged[Record]:
    def old_enough(volunteer: str, day: date) -> bool:
        person = known.people[volunteer]
        return age_on(person.born_on, day) >= policies.whole("volunteer_min_age", person.township_code)

    def gone(record: Record) -> str | None:
        # What was credited while nobody knew better is judged as it was then.
        both = () if known.has(record) else (record.volunteer_id_number, record.elder_id_number)
        for someone in (known.people[number] for number in both):
            try:
                must_have_been_here(someone.name, record.started_at, left_at=someone.left_at, died_on=someone.died_on)
            except BankError as refusal:
                return refusal.code
        return None

    return judge_records(
        workbook.records,
        volunteers=known.volunteers,
        elders=known.elders,
        now=clock.now(),
        old_enough=old_enough,
        gone=gone,
        served=known.served,
    )


def _report(
    entered: EnteredRosters,
    volunteers: Judged[Volunteer],
    elders: Judged[Elder],
    records: Judged[Record],
    fresh: int,
    minutes: int,
) -> ImportReport:
    return ImportReport(
        new=Counts(entered.volunteers, entered.elders, fresh),
        minutes=minutes,
        already_present=Counts(
            volunteers=len(volunteers.accepted) - entered.volunteers,
            elders=len(elders.accepted) - entered.elders,
            records=len(records.accepted) - fresh,
        ),
        rejected={VOLUNTEERS: volunteers.rejected, ELDERS: elders.rejected, RECORDS: records.rejected},
        notes={VOLUNTEERS: entered.volunteer_notes, ELDERS: entered.elder_notes, RECORDS: ()},
    )


def _note_down(session: Session, workbook: OfficeWorkbook, origin: Origin, report: ImportReport) -> None:
    note_down(
        session,
        actor=origin.approver,
        action="workbook_imported",
        subject=("workbook_import", origin.import_id),
        workbook_name=origin.workbook_name,
        sha256=workbook.sha256,
        new=asdict(report.new),
        minutes=report.minutes,
        already_present=asdict(report.already_present),
        rejected={sheet: len(rows) for sheet, rows in report.rejected.items()},
    )
    session.flush()
