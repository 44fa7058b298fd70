"""Importing an office's whole workbook: one unit of work, so that it goes in as a whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Refused
from timebank.core.ids import new_id
from timebank.importing.actions.credit_hours import Origin, credit_hours, expect_hours
from timebank.importing.actions.enter_people import enter_people, expect_people
from timebank.importing.actions.judge_workbook import judge_hours, judge_rosters, report_of
from timebank.importing.actions.known_people import expect_known_people, find_known_people
from timebank.importing.headings import RECORDS
from timebank.importing.report import ImportReport
from timebank.importing.service_words import ServiceWords
from timebank.importing.workbook import OfficeWorkbook
from timebank.people.actions.enter_from_roster import enter_alone
from timebank.people.queries import nobody_moves
from timebank.policies.queries import in_force
from timebank.tasks.queries import service_types

STEPS = ("登记志愿者和老人", "核对服务记录", "记入时间账户")
"""What an import does, in order, as ``on_step`` is told at the beginning of each."""


def import_workbook(
    session: Session,
    *,
    workbook: OfficeWorkbook,
    approved_by: str | Actor,
    within: str | None = None,
    import_id: UUID | None = None,
    on_step: Callable[[str], None] = lambda _step: None,
) -> ImportReport:
    """Enter a workbook's people and credit its records; what is there already stays as it is.

    ``approved_by`` is who answers for it, by name or signed in; ``within`` the code of the township whose business
    only goes in, None for the whole district's. Waits for another import that is under way. Raises Refused
    ``approver_missing``.
    """
    approver = approved_by if isinstance(approved_by, Actor) else _approver(approved_by)
    on_step(STEPS[0])
    enter_alone(session)
    nobody_moves(session)
    volunteers, elders = judge_rosters(session, workbook, within)
    entered = enter_people(session, volunteers=volunteers.accepted, elders=elders.accepted)
    on_step(STEPS[1])
    policies = in_force(session, at=clock.now())
    known = find_known_people(session, workbook.records)
    records = judge_hours(workbook, known, policies, within)
    fresh = [record for record in records.accepted if not known.has(record)]
    on_step(STEPS[2])
    origin = Origin(import_id or new_id(), _storable(workbook.name), RECORDS, approver)
    words = ServiceWords({row.code: row.name for row in service_types(session)})
    hours = credit_hours(session, records=fresh, people=known.people, words=words, origin=origin, policies=policies)
    report = report_of(entered, volunteers, elders, records, hours)
    if entered.changed or fresh:
        _note_down(session, workbook, origin, report)
    return report


def expect_import(session: Session, *, workbook: OfficeWorkbook, within: str | None = None) -> ImportReport:
    """What ``import_workbook`` would come to now; nothing is written, nothing is locked and nobody waits."""
    volunteers, elders = judge_rosters(session, workbook, within)
    expected = expect_people(session, volunteers=volunteers.accepted, elders=elders.accepted)
    policies = in_force(session, at=clock.now())
    known = expect_known_people(session, workbook.records, expected)
    records = judge_hours(workbook, known, policies, within)
    fresh = [record for record in records.accepted if not known.has(record)]
    words = ServiceWords({row.code: row.name for row in service_types(session)})
    hours = expect_hours(fresh, known.people, words, policies)
    return report_of(expected.entered, volunteers, elders, records, hours)


def _approver(approved_by: str) -> Actor:
    name = " ".join(_storable(approved_by).split())
    if not name:
        raise Refused("approver_missing", "请写明由谁审批负责", field="approved_by")
    return Actor(login_id=None, name=name)


def _storable(text: str) -> str:
    """File names and arguments may hold bytes that are no text; the database takes text only."""
    return text.encode("utf-8", errors="replace").decode()


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
