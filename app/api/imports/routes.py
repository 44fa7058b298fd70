"""Workbooks at a desk: handed in and looked at, row by row, then booked as they were shown."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.fields import numbers_in_cursor
from app.api.imports.schemas import (
    BookImportBody,
    DiscardedImport,
    FormQuery,
    ImportAnswer,
    ImportPage,
    ImportRowPage,
    ImportRowsQuery,
    ImportsQuery,
    PrepareQuery,
)
from app.api.operation import Sent, operation, page
from app.api.parser import Doors
from app.api.sorting import listed, part_of
from app.api.uploads import FileBody
from app.api.workbooks import XLSX, workbook_sent
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import BankError
from timebank.importing import queries
from timebank.importing.actions import office_imports as actions
from timebank.importing.actions.office_imports import Upload
from timebank.importing.forms import write_form
from timebank.importing.import_rules import KIND_NAMES, ImportKind
from timebank.importing.package import MAX_FILE_BYTES
from timebank.importing.queries import IMPORT_ORDERS, ImportView

doors = Doors("imports", __name__, url_prefix="/api/v1/imports", description="工作簿导入")

WORKBOOK = FileBody(XLSX, MAX_FILE_BYTES)
IMPORT = "/<uuid:import_id>"

_OF_THE_ROW = (
    *("kind", "state", "township_code", "canteen_id", "week_starts_on", "file_name", "file_sha256", "uploaded_at"),
    *("uploaded_by_name", "judged_at", "booked_at", "booked_by_name", "shown"),
)
_OF_THE_SUMMARY = ("sheets", "figures", "minutes", "rejected", "notes", "reasons")
_OF_THE_VIEW = (
    *("kind_name", "state_name", "canteen_name", "hours", "needs_second_person", "may_book", "forgotten_at"),
    "file_kept",
)


@operation(
    doors, "", "imports.prepare", "上传工作簿并核对",
    method="POST", query=PrepareQuery, file=WORKBOOK, answers=ImportAnswer, status=201,
)  # fmt: skip
def prepare(session: Session, actor: Actor, query: dict[str, Any], content: bytes) -> dict[str, Any]:
    upload = Upload(ImportKind(query.pop("kind")), content=content, **query)
    return _answer(session, actor, actions.prepare_import(session, actor=actor, upload=upload))


@operation(doors, "", "imports.list", "已上传的工作簿", query=ImportsQuery, answers=ImportPage)
def list_imports(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    wanted = {name: query.get(name) for name in ("kind", "state", "township_code")}
    found = queries.imports(session, actor=actor, **wanted, part=part_of(query, IMPORT_ORDERS))
    return listed(found.holding([import_answer(view) for view in found.items]), IMPORT_ORDERS)


@operation(
    doors, "/form.xlsx", "imports.form", "空白工作簿", query=FormQuery, answers=None, media_type=XLSX,
)  # fmt: skip
def form(session: Session, actor: Actor, query: dict[str, Any]) -> Sent:
    kind = ImportKind(query["kind"])
    write = partial(write_form, session, actor=actor, kind=kind)
    return workbook_sent(write, plain=f"{kind}-form", named=f"{KIND_NAMES[kind]}空白表")


@operation(doors, IMPORT, "imports.show", "一份工作簿的核对结果", answers=ImportAnswer)
def show(session: Session, actor: Actor, import_id: UUID) -> dict[str, Any]:
    return _answer(session, actor, queries.import_for(session, actor=actor, import_id=import_id))


@operation(doors, f"{IMPORT}/rows", "imports.rows", "退回和须留意的行", query=ImportRowsQuery, answers=ImportRowPage)
def rows(session: Session, actor: Actor, query: dict[str, Any], import_id: UUID) -> dict[str, Any]:
    place, limit = numbers_in_cursor(query.pop("cursor", None), 1), query.pop("limit")
    kept = queries.import_for(session, actor=actor, import_id=import_id)
    found = queries.rows_of(session, kept, limit=limit + 1, after=place[0] if place else None, **query)
    return page(found, limit, lambda row: [row.place])


@operation(
    doors, f"{IMPORT}/rejects.xlsx", "imports.rejects", "退回表工作簿", answers=None, media_type=XLSX,
)  # fmt: skip
def rejects(session: Session, actor: Actor, import_id: UUID) -> Sent:
    day = clock.today()
    write = partial(actions.write_import_rejects, session, actor=actor, import_id=import_id)
    return workbook_sent(write, plain=f"rejects-{day}", named=f"退回表-{day}")


@operation(
    doors, f"{IMPORT}/book", "imports.book", "按核对结果导入",
    method="POST", body=BookImportBody, answers=ImportAnswer, key="required",
)  # fmt: skip
def book(session: Session, actor: Actor, body: dict[str, Any], import_id: UUID) -> dict[str, Any] | BankError:
    done = actions.book_import(session, actor=actor, import_id=import_id, shown=body["shown"])
    return done if isinstance(done, BankError) else _answer(session, actor, done)


@operation(
    doors, f"{IMPORT}/discard", "imports.discard", "撤回未导入的工作簿",
    method="POST", answers=DiscardedImport, key="optional",
)  # fmt: skip
def discard(session: Session, actor: Actor, import_id: UUID) -> dict[str, Any]:
    actions.discard_import(session, actor=actor, import_id=import_id)
    return {"import_id": import_id}


def _answer(session: Session, actor: Actor, kept: Any) -> dict[str, Any]:
    return import_answer(queries.import_view(session, actor, kept))


def import_answer(view: ImportView) -> dict[str, Any]:
    """A workbook as it is answered."""
    earlier = view.earlier
    return {
        "import_id": view.kept.id,
        **{name: getattr(view.kept, name) for name in _OF_THE_ROW},
        **{name: view.kept.summary[name] for name in _OF_THE_SUMMARY},
        **{name: getattr(view, name) for name in _OF_THE_VIEW},
        "earlier": None
        if earlier is None
        else {"import_id": earlier.id, "booked_at": earlier.booked_at, "booked_by_name": earlier.booked_by_name},
    }
