"""Assessments and allotments: enter a level, see what was granted, look ahead."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.allotments.schemas import (
    AllotmentPage,
    AllotmentsQuery,
    AssessBody,
    AssessedAnswer,
    NextMonthPage,
    NextMonthQuery,
)
from app.api.fields import id_in_cursor
from app.api.operation import operation, page, page_of_all
from app.api.parser import Doors
from timebank.allotments import actions, queries
from timebank.allotments.actions import NewAssessment
from timebank.allotments.models import Allotment, Assessment
from timebank.allotments.queries import AllotmentFilter
from timebank.allotments.rules import LEVEL_NAMES
from timebank.core.actors import Actor

doors = Doors("allotments", __name__, url_prefix="/api/v1", description="政府购买服务时长")


@operation(
    doors, "/people/<uuid:person_id>/assess", "people.assess", "登记能力评估",
    method="POST", body=AssessBody, answers=AssessedAnswer, status=201, key="optional",
)  # fmt: skip
def assess(session: Session, actor: Actor, body: dict[str, Any], person_id: UUID) -> Assessment:
    return actions.assess(session, actor=actor, person_id=person_id, found=NewAssessment(**body))


@operation(doors, "/allotments", "allotments.list", "政府购买服务时长", query=AllotmentsQuery, answers=AllotmentPage)
def list_allotments(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    before, limit = id_in_cursor(query.pop("cursor", None)), query.pop("limit")
    wanted = AllotmentFilter(**query)
    found = queries.allotments_seen(session, actor=actor, wanted=wanted, limit=limit + 1, before=before)
    answer = page(found, limit, lambda row: row[0].id)
    return {**answer, "items": [_item(*row) for row in answer["items"]]}


@operation(
    doors, "/allotments/preview", "allotments.preview", "下月预计发放", query=NextMonthQuery, answers=NextMonthPage
)  # fmt: skip
def preview(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    month, lines = queries.next_month(session, actor=actor, township_code=query.get("township_code"))
    return {
        "month": f"{month:%Y-%m}",
        "people": sum(line.people for line in lines),
        "minutes": sum(line.minutes for line in lines),
        **page_of_all(lines, query),
    }


def _item(allotment: Allotment, name: str) -> dict[str, Any]:
    return {
        "allotment_id": allotment.id,
        "person_id": allotment.person_id,
        "name": name,
        "month": f"{allotment.month:%Y-%m}",
        "level": allotment.level,
        "level_name": LEVEL_NAMES[allotment.level],
        "minutes": allotment.minutes,
        "township_code": allotment.township_code,
        "expires_on": allotment.expires_on,
        "granted_at": allotment.granted_at,
    }
