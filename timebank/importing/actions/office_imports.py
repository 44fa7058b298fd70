"""A workbook at the desk: handed in and looked at, then booked as it was shown, once; or taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.menus.queries import canteen_run_by
from timebank.canteens.network.queries import organisation_of
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import BankError, Conflict, NotAllowed, Refused
from timebank.core.ids import new_id
from timebank.importing.actions.outcomes import HandedIn, booked, read_handed_in, tried
from timebank.importing.import_rules import (
    REASONS_OF,
    ImportKind,
    ImportState,
    Outcome,
    credits_hours,
    second_person_needed,
    shown_otherwise,
)
from timebank.importing.models import OfficeImport, OfficeImportRow
from timebank.importing.queries import import_for, kept_for, may_book
from timebank.importing.rejects import write_rejects_to
from timebank.importing.rules import Rejected
from timebank.townships.queries import township

_FORGOTTEN_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Upload:
    """A workbook as it is handed in: of a kind, by the district for one township if it likes, for a canteen's week."""

    kind: ImportKind
    file_name: str
    content: bytes
    township_code: str | None = None
    canteen_id: UUID | None = None
    week_starts_on: date | None = None


def prepare_import(session: Session, *, actor: Actor, upload: Upload) -> OfficeImport:
    """Look at a workbook and keep it with what it comes to; nothing else is written.

    The same file from the same person is looked at anew, not kept twice. Raises NotAllowed ``steward_only``,
    ``other_township``, ``menus_not_yours``; NotFound ``canteen_unknown``; Refused ``township_unknown``,
    ``import_place_missing``, ``week_not_monday``, ``menu_week_over``; WorkbookUnreadable.
    """
    within = _must_hand_in(session, actor, upload)
    handed_in = HandedIn(
        upload.kind, upload.content, upload.file_name, within, upload.canteen_id, upload.week_starts_on
    )
    outcome = tried(session, actor, handed_in)
    digest = hashlib.sha256(upload.content).hexdigest()
    kept = _kept_already(session, actor, handed_in, digest)
    if kept is None:
        assert actor.login_id is not None
        kept = OfficeImport(
            id=new_id(),
            kind=upload.kind,
            state=ImportState.WAITING,
            township_code=within,
            canteen_id=upload.canteen_id,
            week_starts_on=upload.week_starts_on,
            file_sha256=digest,
            uploaded_by=actor.login_id,
            uploaded_by_name=actor.name,
        )
    kept.file_name, kept.content, kept.uploaded_at = upload.file_name, upload.content, clock.now()
    _keep_outcome(session, kept, outcome)
    note_down(session, actor=actor, action="import_prepared", subject=("workbook_import", kept.id), sha256=digest)
    session.flush()
    return kept


def book_import(session: Session, *, actor: Actor, import_id: UUID, shown: str) -> OfficeImport | Conflict:
    """Book what was shown, and nothing else: ``shown`` is the digest of what whoever asks has looked at.

    Where booking would come to something else by now it is undone, the new outcome is kept to be looked at, and
    Conflict ``import_changed`` is answered. Raises NotAllowed ``imports_not_yours``, ``steward_only``,
    ``second_person_needed``; NotFound ``import_unknown``; Conflict ``import_booked``, ``import_changed``.
    """
    kept = import_for(session, actor=actor, import_id=import_id, lock=True)
    _must_book(session, actor, kept)
    if shown != kept.shown:
        raise shown_otherwise()
    assert kept.content is not None
    with session.begin_nested() as booking:
        outcome = booked(session, actor, _handed_in(kept, kept.content), kept.id)
        as_shown = outcome.digest() == kept.shown
        if not as_shown:
            booking.rollback()
    if not as_shown:
        _keep_outcome(session, kept, outcome)
        return shown_otherwise()
    kept.state, kept.booked_at = ImportState.BOOKED, clock.now()
    kept.booked_by, kept.booked_by_name = actor.login_id, actor.name
    note_down(session, actor=actor, action="import_booked", subject=("workbook_import", kept.id), shown=kept.shown)
    session.flush()
    return kept


def discard_import(session: Session, *, actor: Actor, import_id: UUID) -> None:
    """Take back a workbook that was not booked; the file is forgotten at once.

    Raises NotAllowed ``imports_not_yours``, ``steward_only``; NotFound ``import_unknown``; Conflict ``import_booked``.
    """
    kept = import_for(session, actor=actor, import_id=import_id, lock=True)
    _must_be_waiting(kept)
    if not may_book(session, actor, kept):
        raise _not_to_be_booked()
    session.execute(delete(OfficeImport).where(OfficeImport.id == kept.id))
    session.expunge(kept)
    note_down(session, actor=actor, action="import_discarded", subject=("workbook_import", import_id))
    session.flush()


def write_import_rejects(session: Session, file: BinaryIO, *, actor: Actor, import_id: UUID) -> None:
    """Write the rows that come back to ``file``, as they stood in the workbook, with the reason beside them.

    They hold identity numbers, so who took them is written down. Raises NotAllowed ``imports_not_yours``; NotFound
    ``import_unknown``; Conflict ``import_file_forgotten``.
    """
    kept = import_for(session, actor=actor, import_id=import_id)
    if kept.content is None:
        raise Conflict("import_file_forgotten", "上传的文件已过保留期限，退回表不能再下载")
    rows = select(OfficeImportRow).where(OfficeImportRow.import_id == kept.id, OfficeImportRow.reason.is_not(None))
    rejected: dict[str, list[Rejected]] = {}
    for row in session.scalars(rows.order_by(OfficeImportRow.place)):
        assert row.reason is not None
        rejected.setdefault(row.sheet, []).append(Rejected(row.row, row.reason))
    workbook = read_handed_in(_handed_in(kept, kept.content))
    write_rejects_to(file, workbook, rejected, REASONS_OF[ImportKind(kept.kind)])
    number = sum(len(rows) for rows in rejected.values())
    note_down(session, actor=actor, action="import_rejects_taken", subject=("workbook_import", kept.id), rows=number)
    session.flush()


def forgotten_files(session: Session) -> list[UUID]:
    """Imports whose file has been kept long enough."""
    due = clock.now() - kept_for(session)
    query = select(OfficeImport.id).where(OfficeImport.content.is_not(None), OfficeImport.uploaded_at <= due)
    return list(session.scalars(query.order_by(OfficeImport.uploaded_at).limit(_FORGOTTEN_AT_ONCE)))


def forget_file(session: Session, *, import_id: UUID) -> None:
    """Forget an import's file; where it was not booked, all of it."""
    query = select(OfficeImport).where(OfficeImport.id == import_id, OfficeImport.content.is_not(None))
    kept = session.scalar(query.with_for_update())
    if kept is None:
        return
    if kept.state == ImportState.BOOKED:
        session.execute(update(OfficeImport).where(OfficeImport.id == import_id).values(content=None))
    else:
        session.execute(delete(OfficeImport).where(OfficeImport.id == import_id))


def _must_hand_in(session: Session, actor: Actor, upload: Upload) -> str | None:
    """Whose business only goes in: a township's code, or None for the whole district's."""
    if upload.kind is ImportKind.MENU:
        if upload.canteen_id is None or upload.week_starts_on is None:
            missing = "canteen_id" if upload.canteen_id is None else "week_starts_on"
            raise Refused("import_place_missing", "导入菜单须写明助餐点和星期一的日期", field=missing)
        canteen_run_by(session, actor, upload.canteen_id)
        return organisation_of(session, upload.canteen_id).township_code
    actor.must_be_steward()
    if upload.township_code is None:
        return None if actor.is_district else actor.township_code
    actor.must_steward(upload.township_code)
    return township(session, upload.township_code).code


def _must_book(session: Session, actor: Actor, kept: OfficeImport) -> None:
    _must_be_waiting(kept)
    if not may_book(session, actor, kept):
        raise _not_to_be_booked()
    if credits_hours(kept.summary) and kept.uploaded_by == actor.login_id:
        raise second_person_needed()


def _must_be_waiting(kept: OfficeImport) -> None:
    if kept.state == ImportState.BOOKED:
        raise Conflict(
            "import_booked",
            "这份工作簿已经导入",
            booked_at=kept.booked_at,
            booked_by_name=kept.booked_by_name,
        )


def _not_to_be_booked() -> BankError:
    return NotAllowed("steward_only", "只有镇街或区级管理员可以办理")


def _kept_already(session: Session, actor: Actor, handed_in: HandedIn, digest: str) -> OfficeImport | None:
    """The same file of the same person that waits; a form that is sent twice at once waits here for itself."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{actor.login_id} {digest}", 0))))
    kept = OfficeImport
    query = select(kept).where(
        kept.state == ImportState.WAITING,
        kept.uploaded_by == actor.login_id,
        kept.file_sha256 == digest,
        kept.kind == handed_in.kind,
        kept.township_code.is_not_distinct_from(handed_in.within),
        kept.canteen_id.is_not_distinct_from(handed_in.canteen_id),
        kept.week_starts_on.is_not_distinct_from(handed_in.week_starts_on),
    )
    return session.scalar(query.with_for_update())


def _handed_in(kept: OfficeImport, content: bytes) -> HandedIn:
    within = kept.township_code if kept.kind != ImportKind.MENU else None
    return HandedIn(ImportKind(kept.kind), content, kept.file_name, within, kept.canteen_id, kept.week_starts_on)


def _keep_outcome(session: Session, kept: OfficeImport, outcome: Outcome) -> None:
    kept.judged_at, kept.summary, kept.shown = clock.now(), outcome.summary(), outcome.digest()
    session.add(kept)
    session.flush()
    session.execute(delete(OfficeImportRow).where(OfficeImportRow.import_id == kept.id))
    rows: Sequence[dict[str, object]] = [
        {
            "import_id": kept.id,
            "place": place,
            "sheet": row.sheet,
            "row": row.row,
            "name": row.name,
            "reason": row.reason,
            "text": row.text,
        }
        for place, row in enumerate(outcome.rows)
    ]
    if rows:
        session.execute(insert(OfficeImportRow), rows)
