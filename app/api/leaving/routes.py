"""Leaving and deaths: look ahead, leave; report, approve or decline."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.leaving.schemas import (
    DeathItem,
    DeathPage,
    DeathsQuery,
    DeclineDeathBody,
    LeaveBody,
    LeavingPreviewAnswer,
    LeavingPreviewQuery,
    LeftAnswer,
    ReportDeathBody,
)
from app.api.operation import operation
from app.api.parser import Doors
from app.api.sorting import listed, part_of
from timebank.core.actors import Actor
from timebank.leaving import actions, queries
from timebank.leaving.actions.deaths import Death
from timebank.leaving.actions.leave import Wish
from timebank.leaving.models import DeathReport, Leaving
from timebank.leaving.queries import Preview

doors = Doors("leaving", __name__, url_prefix="/api/v1", description="退出与身故")


@operation(
    doors, "/leaving", "leaving.leave", "退出时间银行",
    method="POST", body=LeaveBody, answers=LeftAnswer, status=201, key="required",
)  # fmt: skip
def leave(session: Session, actor: Actor, body: dict[str, Any]) -> Leaving:
    return actions.leave(session, actor=actor, wish=Wish(**body))


@operation(
    doors, "/leaving/preview", "leaving.preview", "退出前查看", query=LeavingPreviewQuery, answers=LeavingPreviewAnswer
)
def preview(session: Session, actor: Actor, query: dict[str, Any]) -> Preview:
    return queries.preview(session, actor=actor, person_id=query.get("person_id"))


@operation(
    doors, "/deaths", "deaths.report", "上报身故",
    method="POST", body=ReportDeathBody, answers=DeathItem, status=201, key="optional",
)  # fmt: skip
def report(session: Session, actor: Actor, body: dict[str, Any]) -> DeathReport:
    return actions.report_death(session, actor=actor, death=Death(**body))


@operation(doors, "/deaths", "deaths.list", "身故上报", query=DeathsQuery, answers=DeathPage)
def list_deaths(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    part, where = part_of(query, queries.DEATH_ORDERS), query.get("township_code")
    found = queries.death_reports(session, actor=actor, open_only=query["open"], part=part, township_code=where)
    return listed(found.holding([_named(*row) for row in found.items]), queries.DEATH_ORDERS)


@operation(
    doors, "/deaths/<uuid:report_id>/approve", "deaths.approve", "批准身故上报",
    method="POST", answers=DeathItem, key="required",
)  # fmt: skip
def approve(session: Session, actor: Actor, report_id: UUID) -> DeathReport:
    return actions.approve_death(session, actor=actor, report_id=report_id)


@operation(
    doors, "/deaths/<uuid:report_id>/decline", "deaths.decline", "驳回身故上报",
    method="POST", body=DeclineDeathBody, answers=DeathItem, key="optional",
)  # fmt: skip
def decline(session: Session, actor: Actor, body: dict[str, Any], report_id: UUID) -> DeathReport:
    return actions.decline_death(session, actor=actor, report_id=report_id, reason=body["reason"])


def _named(report: DeathReport, name: str) -> dict[str, Any]:
    said = {field: getattr(report, field) for field in DeathItem().fields if hasattr(report, field)}
    return {**said, "id": report.id, "name": name}
