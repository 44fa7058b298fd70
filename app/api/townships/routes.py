"""The townships of the district."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.fields import PageQuery
from app.api.operation import operation, page_of_all
from app.api.parser import Doors
from app.api.townships.schemas import TownshipList
from timebank.core.actors import Actor
from timebank.townships import queries

doors = Doors("townships", __name__, url_prefix="/api/v1/townships", description="镇街")


@operation(doors, "", "townships.list", "镇街名单", query=PageQuery, answers=TownshipList, anyone=True)
def list_townships(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    return page_of_all(queries.townships(session), query)
