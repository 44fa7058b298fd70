"""One kind of answer for all kinds of workbook: read, tried or booked, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.core.actors import Actor
from timebank.importing.actions.import_diners import DinerImport, import_diners
from timebank.importing.actions.import_menu import MenuImport, import_menu
from timebank.importing.actions.import_workbook import expect_import, import_workbook
from timebank.importing.diner_workbook import DinerWorkbook, read_diner_workbook
from timebank.importing.headings import DINERS, ELDERS, MENU, RECORDS, VOLUNTEERS
from timebank.importing.import_rules import REASONS_OF, ImportKind, Outcome, RowTold, SheetCounts
from timebank.importing.menu_workbook import MenuWorkbook, read_menu_workbook
from timebank.importing.report import ImportReport, Note
from timebank.importing.rows import RecordRow
from timebank.importing.rules import Rejected
from timebank.importing.workbook import OfficeWorkbook, read_workbook
from timebank.people.rules import masked_name

_LONGEST_NAME, _LONGEST_NOTE = 40, 300
"""A cell can hold 32,767 characters; whoever looks for a row needs no more than these."""


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A workbook's bytes, what they are, and whose: ``within`` one township, or for a canteen's week."""

    kind: ImportKind
    content: bytes
    file_name: str
    within: str | None = None
    canteen_id: UUID | None = None
    week_starts_on: date | None = None


def read_handed_in(handed_in: HandedIn) -> OfficeWorkbook | DinerWorkbook | MenuWorkbook:
    """The workbook. Raises WorkbookUnreadable."""
    content, name = handed_in.content, handed_in.file_name
    match handed_in.kind:
        case ImportKind.PEOPLE:
            return read_workbook(content, name=name)
        case ImportKind.DINERS:
            return read_diner_workbook(content, name=name)
        case ImportKind.MENU:
            return read_menu_workbook(content, name=name)


def tried(session: Session, actor: Actor, handed_in: HandedIn) -> Outcome:
    """What booking it would come to now; afterwards nothing has been written.

    People and hours are reckoned without a lock; the two others are done and undone, which takes a moment.
    """
    if handed_in.kind is ImportKind.PEOPLE:
        workbook = read_workbook(handed_in.content, name=handed_in.file_name)
        return _of_people(expect_import(session, workbook=workbook, within=handed_in.within), workbook)
    return _other(session, actor, handed_in, dry_run=True)


def booked(session: Session, actor: Actor, handed_in: HandedIn, import_id: UUID) -> Outcome:
    """Book it; what came of it."""
    if handed_in.kind is ImportKind.PEOPLE:
        workbook = read_workbook(handed_in.content, name=handed_in.file_name)
        report = import_workbook(
            session, workbook=workbook, approved_by=actor, within=handed_in.within, import_id=import_id
        )
        return _of_people(report, workbook)
    return _other(session, actor, handed_in, dry_run=False)


def _other(session: Session, actor: Actor, handed_in: HandedIn, *, dry_run: bool) -> Outcome:
    name, content = handed_in.file_name, handed_in.content
    if handed_in.kind is ImportKind.DINERS:
        return _of_diners(
            import_diners(
                session,
                actor=actor,
                read=lambda: read_diner_workbook(content, name=name),
                within=handed_in.within,
                dry_run=dry_run,
            )
        )
    assert handed_in.canteen_id is not None
    assert handed_in.week_starts_on is not None
    return _of_menu(
        import_menu(
            session,
            actor=actor,
            canteen_id=handed_in.canteen_id,
            week_starts_on=handed_in.week_starts_on,
            read=lambda: read_menu_workbook(content, name=name),
            dry_run=dry_run,
        )
    )


def _of_people(report: ImportReport, workbook: OfficeWorkbook) -> Outcome:
    new, present = report.new, report.already_present
    counts = {
        VOLUNTEERS: (new.volunteers, present.volunteers),
        ELDERS: (new.elders, present.elders),
        RECORDS: (new.records, present.records),
    }
    names = {
        sheet: {row.row: row.volunteer_name if isinstance(row, RecordRow) else row.name for row in rows}
        for sheet, rows in workbook.sheets.items()
    }
    rows: list[RowTold] = []
    for sheet, rejected in report.rejected.items():
        rows += _told(ImportKind.PEOPLE, sheet, rejected, report.notes[sheet], _masked(names[sheet]))
    return Outcome(
        sheets=tuple(
            SheetCounts(sheet, fresh, 0, there, len(report.rejected[sheet])) for sheet, (fresh, there) in counts.items()
        ),
        figures=(("新登记的人", report.people),),
        hours=report.hours,
        rows=tuple(rows),
    )


def _of_diners(done: DinerImport) -> Outcome:
    names = _masked({row.row: row.name for row in done.workbook.diners})
    counts = SheetCounts(DINERS, done.diners, 0, done.already_present, len(done.rejected))
    figures = (("新登记的人", done.people), ("新登记的特殊类别", done.categories))
    return Outcome((counts,), figures, (), tuple(_told(ImportKind.DINERS, DINERS, done.rejected, done.notes, names)))


def _of_menu(done: MenuImport) -> Outcome:
    names = {row.row: row.name for row in done.workbook.rows}
    counts = SheetCounts(MENU, done.added, done.changed, done.already_present, len(done.rejected))
    return Outcome((counts,), (), (), tuple(_told(ImportKind.MENU, MENU, done.rejected, (), names)))


def _masked(names: Mapping[int, str]) -> dict[int, str]:
    return {row: masked_name(name) if name else "" for row, name in names.items()}


def _told(
    kind: ImportKind, sheet: str, rejected: Sequence[Rejected], notes: Sequence[Note], names: Mapping[int, str]
) -> Iterator[RowTold]:
    """Rows that come back first, then those to look at, each in the sheet's order."""
    words = REASONS_OF[kind]
    for one in rejected:
        yield RowTold(sheet, one.row, names[one.row][:_LONGEST_NAME], one.reason, words[one.reason])
    for note in notes:
        yield RowTold(sheet, note.row, names[note.row][:_LONGEST_NAME], None, note.text[:_LONGEST_NOTE])
