"""Back-filled hours: recorded by one steward, approved or turned down by another."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.operation import operation
from app.api.tasks.routes import doors
from app.api.tasks.schemas import ReasonBody, RecordBody, TaskAnswer
from timebank.core.actors import Actor
from timebank.tasks import actions
from timebank.tasks.actions import BackFill
from timebank.tasks.views import TaskView, see_task


@operation(
    doors, "/records", "tasks.record", "补录服务",
    method="POST", body=RecordBody, answers=TaskAnswer, status=201, key="optional",
)  # fmt: skip
def record(session: Session, actor: Actor, body: dict[str, Any]) -> TaskView:
    return see_task(
        session,
        actor=actor,
        task=actions.record(session, actor=actor, form=BackFill(**{**body, "note": body["note"] or ""})),
    )


@operation(
    doors, "/<uuid:task_id>/approve-record", "tasks.approve_record", "审批补录",
    method="POST", answers=TaskAnswer, key="required",
)  # fmt: skip
def approve_record(session: Session, actor: Actor, task_id: UUID) -> TaskView:
    return see_task(session, actor=actor, task=actions.approve_record(session, actor=actor, task_id=task_id))


@operation(
    doors, "/<uuid:task_id>/reject-record", "tasks.reject_record", "退回补录",
    method="POST", body=ReasonBody, answers=TaskAnswer, key="optional",
)  # fmt: skip
def reject_record(session: Session, actor: Actor, body: dict[str, Any], task_id: UUID) -> TaskView:
    task = actions.reject_record(session, actor=actor, task_id=task_id, reason=body["reason"])
    return see_task(session, actor=actor, task=task)
