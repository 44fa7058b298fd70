"""Importing an office's list of diners."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.diners.routes import doors
from app.api.diners.schemas import DinerImportAnswer, ImportDinersQuery
from app.api.operation import operation
from app.api.uploads import FileBody
from timebank.core.actors import Actor
from timebank.importing.actions.import_diners import DinerImport, import_diners
from timebank.importing.diner_rules import DINER_REASONS
from timebank.importing.diner_workbook import read_diner_workbook
from timebank.importing.package import MAX_FILE_BYTES

WORKBOOK = FileBody("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", MAX_FILE_BYTES)


@operation(
    doors, "/import", "diners.import", "导入用餐对象工作簿",
    method="POST", query=ImportDinersQuery, file=WORKBOOK, answers=DinerImportAnswer,
)  # fmt: skip
def import_workbook(session: Session, actor: Actor, query: dict[str, Any], content: bytes) -> dict[str, Any]:
    actor.must_be_steward()
    name, dry_run = query["file_name"], query["dry_run"]
    return told(
        import_diners(session, actor=actor, read=lambda: read_diner_workbook(content, name=name), dry_run=dry_run)
    )


def told(done: DinerImport) -> dict[str, Any]:
    """What came of an import, with the reasons in words."""
    counts = ("people", "diners", "categories", "already_present", "notes", "dry_run")
    rejected = [
        {"row": one.row, "reason": one.reason, "reason_name": DINER_REASONS[one.reason]} for one in done.rejected
    ]
    return {**{name: getattr(done, name) for name in counts}, "rejected": rejected}
