"""Writing down that a list was taken out of the bank."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.exports.schemas import ExportAnswer, ExportBody
from app.api.operation import operation
from app.api.parser import Doors
from timebank.audit import actions
from timebank.audit.models import AuditEntry
from timebank.core.actors import Actor

doors = Doors("exports", __name__, url_prefix="/api/v1/exports", description="名单导出")


@operation(
    doors, "", "exports.note", "记下一次名单导出",
    method="POST", body=ExportBody, answers=ExportAnswer, status=201, key="optional",
)  # fmt: skip
def note(session: Session, actor: Actor, body: dict[str, Any]) -> AuditEntry:
    return actions.note_export(session, actor=actor, **body)
