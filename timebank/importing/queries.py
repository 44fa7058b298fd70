"""Seeing workbooks that were handed in at a desk: what they come to, row by row, and what was booked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session

from timebank.canteens.menus.rules import may_run_menus
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.queries import organisation_of
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.chinese_order import by_pinyin
from timebank.core.errors import NotFound
from timebank.core.sorting import Orders, Part, Slice, by_course, slice_of
from timebank.importing.import_rules import (
    KIND_NAMES,
    STATE_NAMES,
    ImportKind,
    ImportState,
    credits_hours,
    imports_not_yours,
)
from timebank.importing.models import OfficeImport, OfficeImportRow
from timebank.policies.queries import in_force
from timebank.townships.models import Organisation
from timebank.townships.queries import township_names


@dataclass(frozen=True, slots=True)
class ImportView:
    """One workbook: the row itself, names for what it is about, and what this actor may do with it.

    ``earlier`` is the same file booked before; ``forgotten_at`` when the file is forgotten, and, where it was not
    booked, the whole of it.
    """

    kept: OfficeImport
    kind_name: str
    state_name: str
    canteen_name: str | None
    hours: Sequence[Mapping[str, Any]]
    needs_second_person: bool
    may_book: bool
    forgotten_at: datetime
    file_kept: bool
    earlier: OfficeImport | None


IMPORT_ORDERS = Orders(
    of="imports",
    by={
        "uploaded_at": OfficeImport.id,
        "file_name": by_pinyin(OfficeImport.file_name),
        "kind": by_course(OfficeImport.kind, list(ImportKind)),
        "minutes": OfficeImport.summary["minutes"].as_integer(),
        "rejected": OfficeImport.summary["rejected"].as_integer(),
        "state": by_course(OfficeImport.state, list(ImportState)),
        "booked_at": OfficeImport.booked_at,
    },
    tie=OfficeImport.id,
    usual="-uploaded_at",
)


def import_unknown(import_id: UUID) -> NotFound:
    """The refusal for an import that is not there, or is nobody's business of the asker."""
    return NotFound("import_unknown", "没有这次导入，或未导入的已过保留期限", import_id=import_id)


def import_for(session: Session, *, actor: Actor, import_id: UUID, lock: bool = False) -> OfficeImport:
    """One import for whoever may see it. Raises NotAllowed ``imports_not_yours``; NotFound ``import_unknown``."""
    query = select(OfficeImport).where(OfficeImport.id == import_id, _seen_by(actor))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise import_unknown(import_id)
    return found


def imports(
    session: Session,
    *,
    actor: Actor,
    kind: str | None = None,
    state: str | None = None,
    township_code: str | None = None,
    part: Part,
) -> Slice[ImportView]:
    """What was handed in, newest first where ``part`` asks for no other order.

    Raises NotAllowed ``imports_not_yours``.
    """
    query = select(OfficeImport).where(_seen_by(actor))
    for column, wanted in (
        (OfficeImport.kind, kind),
        (OfficeImport.state, state),
        (OfficeImport.township_code, township_code),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    found = slice_of(session, query, IMPORT_ORDERS, part)
    return found.holding(_views(session, actor, found.items))


def import_view(session: Session, actor: Actor, kept: OfficeImport) -> ImportView:
    """One import as it is shown."""
    return _views(session, actor, [kept])[0]


def rows_of(
    session: Session,
    kept: OfficeImport,
    *,
    reason: str | None = None,
    notes: bool = False,
    limit: int,
    after: int | None = None,
) -> Sequence[OfficeImportRow]:
    """Rows that come back, of one reason or of all; with ``notes`` those that go in and should be looked at."""
    row = OfficeImportRow
    query = select(row).where(row.import_id == kept.id, row.reason.is_(None) if notes else row.reason.is_not(None))
    if reason is not None:
        query = query.where(row.reason == reason)
    if after is not None:
        query = query.where(row.place > after)
    return session.scalars(query.order_by(row.place).limit(limit)).all()


def kept_for(session: Session) -> timedelta:
    """How long a file is kept after it was handed in."""
    return timedelta(hours=in_force(session, at=clock.now()).whole("import_file_hours"))


def may_book(session: Session, actor: Actor, kept: OfficeImport) -> bool:
    """Whether an import is this actor's to book, whoever else has to do it with them."""
    if kept.kind != ImportKind.MENU:
        return actor.stewards(kept.township_code)
    assert kept.canteen_id is not None
    canteen, here = session.get_one(Canteen, kept.canteen_id), organisation_of(session, kept.canteen_id)
    return may_run_menus(actor, canteen_id=canteen.id, kitchen_id=canteen.kitchen_id, township_code=here.township_code)


def _seen_by(actor: Actor) -> ColumnElement[bool]:
    if actor.is_district or actor.staff_role is StaffRole.AUDITOR:
        return true()
    if actor.is_steward:
        return OfficeImport.township_code == actor.township_code
    if actor.staff_role is StaffRole.CANTEEN_CLERK:
        here = actor.organisation_id
        own = select(Canteen.id).where(or_(Canteen.id == here, Canteen.kitchen_id == here))
        return OfficeImport.canteen_id.in_(own)
    raise imports_not_yours()


def _views(session: Session, actor: Actor, found: Sequence[OfficeImport]) -> list[ImportView]:
    townships, lasting = township_names(session), kept_for(session)
    canteens = {one.canteen_id for one in found if one.canteen_id is not None}
    organisations = select(Organisation.id, Organisation.name).where(Organisation.id.in_(canteens))
    names = {row.id: row.name for row in session.execute(organisations)}
    earlier, with_file = _booked_before(session, found), _with_file(session, found)
    return [
        ImportView(
            kept=one,
            kind_name=KIND_NAMES[ImportKind(one.kind)],
            state_name=STATE_NAMES[ImportState(one.state)],
            canteen_name=names.get(one.canteen_id) if one.canteen_id is not None else None,
            hours=[{**line, "township_name": townships[line["township_code"]]} for line in one.summary["hours"]],
            needs_second_person=credits_hours(one.summary),
            may_book=one.state == ImportState.WAITING
            and may_book(session, actor, one)
            and not (credits_hours(one.summary) and one.uploaded_by == actor.login_id),
            forgotten_at=one.uploaded_at + lasting,
            file_kept=one.id in with_file,
            earlier=earlier.get(one.file_sha256) if one.state == ImportState.WAITING else None,
        )
        for one in found
    ]


def _booked_before(session: Session, found: Sequence[OfficeImport]) -> dict[str, OfficeImport]:
    digests = {one.file_sha256 for one in found if one.state == ImportState.WAITING}
    query = select(OfficeImport).where(OfficeImport.file_sha256.in_(digests), OfficeImport.state == ImportState.BOOKED)
    return {one.file_sha256: one for one in session.scalars(query.order_by(OfficeImport.id))} if digests else {}


def _with_file(session: Session, found: Sequence[OfficeImport]) -> set[UUID]:
    ids = [one.id for one in found]
    query = select(OfficeImport.id).where(OfficeImport.id.in_(ids), OfficeImport.content.is_not(None))
    return set(session.scalars(query))
