"""A week's menu as a workbook, handed in."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.menus.routes import doors
from app.api.menus.schemas import ImportMenuQuery, MenuImportAnswer
from app.api.operation import operation
from app.api.uploads import FileBody
from timebank.core.actors import Actor
from timebank.importing.actions.import_menu import MenuImport, import_menu
from timebank.importing.menu_rows import REASONS
from timebank.importing.menu_workbook import read_menu_workbook
from timebank.importing.package import MAX_FILE_BYTES

WORKBOOK = FileBody("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", MAX_FILE_BYTES)


@operation(
    doors, "/import", "menus.import", "导入菜单工作簿",
    method="POST", query=ImportMenuQuery, file=WORKBOOK, answers=MenuImportAnswer,
)  # fmt: skip
def import_workbook(session: Session, actor: Actor, query: dict[str, Any], content: bytes) -> dict[str, Any]:
    name = query.pop("file_name")
    return told(import_menu(session, actor=actor, **query, read=lambda: read_menu_workbook(content, name=name)))


def told(done: MenuImport) -> dict[str, Any]:
    """What came of an import, with the reasons in words."""
    rejected = [{"row": one.row, "reason": one.reason, "reason_name": REASONS[one.reason]} for one in done.rejected]
    counts = {"added": done.added, "changed": done.changed, "already_present": done.already_present}
    place = {"menu_id": done.menu_id, "canteen_id": done.canteen_id, "week_starts_on": done.week_starts_on}
    return {**place, **counts, "rejected": rejected, "dry_run": done.dry_run}
