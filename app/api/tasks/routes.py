"""Tasks: request, accept, check in and out, confirm, dispute."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.fields import PageQuery
from app.api.operation import operation, page_of_all
from app.api.parser import Doors
from app.api.sorting import listed, part_of
from app.api.tasks.schemas import (
    CancelTaskBody,
    CheckInBody,
    ConfirmBody,
    DisputeBody,
    RequestBody,
    RuleBody,
    ServiceTypeList,
    TaskAnswer,
    TaskPage,
    TasksQuery,
    WhereAnswer,
)
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import BankError
from timebank.policies.queries import in_force
from timebank.tasks import actions, queries
from timebank.tasks.actions import Confirmation, Request
from timebank.tasks.queries import TASK_ORDERS, TaskFilter
from timebank.tasks.views import TaskView, see_task, see_tasks
from timebank.tasks.whereabouts import Whereabouts, where_to_go

doors = Doors("tasks", __name__, url_prefix="/api/v1/tasks", description="服务任务")
type_doors = Doors("service_types", __name__, url_prefix="/api/v1/service-types", description="服务类型")


@operation(type_doors, "", "service_types.list", "服务类型", query=PageQuery, answers=ServiceTypeList, anyone=True)
def list_service_types(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    policies = in_force(session, at=clock.now())
    items = [
        {"code": kind.code, "name": kind.name, "rate_percent": policies.rate_percent(kind.code)}
        for kind in queries.service_types(session)
    ]
    return page_of_all(items, query)


@operation(
    doors, "", "tasks.request", "发布求助",
    method="POST", body=RequestBody, answers=TaskAnswer, status=201, key="optional",
)  # fmt: skip
def request(session: Session, actor: Actor, body: dict[str, Any]) -> TaskView:
    task = actions.request(session, actor=actor, wanted=Request(**{**body, "note": body["note"] or ""}))
    return see_task(session, actor=actor, task=task)


@operation(doors, "", "tasks.list", "任务列表", query=TasksQuery, answers=TaskPage)
def list_tasks(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    named = ("status", "township_code", "person_id", "service_type", "since", "until", "latitude", "longitude")
    wanted = TaskFilter(mine=query["mine"], **{name: query.get(name) for name in named})
    found = queries.find_tasks(session, actor=actor, wanted=wanted, part=part_of(query, TASK_ORDERS))
    return listed(found.holding(see_tasks(session, actor=actor, tasks=found.items)), TASK_ORDERS)


@operation(doors, "/<uuid:task_id>", "tasks.show", "任务详情", answers=TaskAnswer)
def show(session: Session, actor: Actor, task_id: UUID) -> TaskView:
    return see_task(session, actor=actor, task=queries.task_for(session, actor=actor, task_id=task_id))


@operation(
    doors, "/<uuid:task_id>/accept", "tasks.accept", "接单",
    method="POST", answers=TaskAnswer, key="optional",
)  # fmt: skip
def accept(session: Session, actor: Actor, task_id: UUID) -> TaskView:
    return see_task(session, actor=actor, task=actions.accept(session, actor=actor, task_id=task_id))


@operation(
    doors, "/<uuid:task_id>/cancel", "tasks.cancel", "取消",
    method="POST", body=CancelTaskBody, answers=TaskAnswer, key="optional",
)  # fmt: skip
def cancel(session: Session, actor: Actor, body: dict[str, Any], task_id: UUID) -> TaskView:
    return see_task(session, actor=actor, task=actions.cancel(session, actor=actor, task_id=task_id, **body))


@operation(doors, "/<uuid:task_id>/where", "tasks.where", "上门地址和电话", answers=WhereAnswer)
def where(session: Session, actor: Actor, task_id: UUID) -> Whereabouts:
    return where_to_go(session, actor=actor, task_id=task_id)


@operation(
    doors, "/<uuid:task_id>/check-in", "tasks.check_in", "签到",
    method="POST", body=CheckInBody, answers=TaskAnswer, key="optional",
)  # fmt: skip
def check_in(session: Session, actor: Actor, body: dict[str, Any], task_id: UUID) -> TaskView | BankError:
    answer = actions.check_in(session, actor=actor, task_id=task_id, **body)
    return answer if isinstance(answer, BankError) else see_task(session, actor=actor, task=answer)


@operation(
    doors, "/<uuid:task_id>/check-out", "tasks.check_out", "签退",
    method="POST", answers=TaskAnswer, key="optional",
)  # fmt: skip
def check_out(session: Session, actor: Actor, task_id: UUID) -> TaskView:
    return see_task(session, actor=actor, task=actions.check_out(session, actor=actor, task_id=task_id))


@operation(
    doors, "/<uuid:task_id>/confirm", "tasks.confirm", "确认",
    method="POST", body=ConfirmBody, answers=TaskAnswer, key="required",
)  # fmt: skip
def confirm(session: Session, actor: Actor, body: dict[str, Any], task_id: UUID) -> TaskView:
    task = actions.confirm(session, confirmation=Confirmation(task_id, actor, **body))
    return see_task(session, actor=actor, task=task)


@operation(
    doors, "/<uuid:task_id>/dispute", "tasks.dispute", "申诉",
    method="POST", body=DisputeBody, answers=TaskAnswer, key="optional",
)  # fmt: skip
def dispute(session: Session, actor: Actor, body: dict[str, Any], task_id: UUID) -> TaskView:
    return see_task(session, actor=actor, task=actions.dispute(session, actor=actor, task_id=task_id, **body))


@operation(
    doors, "/<uuid:task_id>/rule", "tasks.rule", "裁定申诉",
    method="POST", body=RuleBody, answers=TaskAnswer, key="required",
)  # fmt: skip
def rule(session: Session, actor: Actor, body: dict[str, Any], task_id: UUID) -> TaskView:
    return see_task(session, actor=actor, task=actions.rule(session, actor=actor, task_id=task_id, **body))
