"""Positions and the bilateral matrix, for stewards and auditors."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.clearing.schemas import MatrixPage, MatrixQuery, PositionsAnswer, WindowQuery
from app.api.operation import operation, page_of_all
from app.api.parser import Doors
from timebank.clearing import queries
from timebank.core import clock
from timebank.core.actors import Actor

doors = Doors("clearing", __name__, url_prefix="/api/v1/clearing", description="清算")


@operation(doors, "/positions", "clearing.positions", "各镇街头寸", query=WindowQuery, answers=PositionsAnswer)
def positions(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    actor.must_see_books()
    window, items = queries.positions(session, window_name=query.get("window"))
    return {
        "window": window.name,
        "status": window.status(clock.now()),
        "items": items,
        "sum_minutes": sum(item.position_minutes for item in items),
    }


@operation(doors, "/matrix", "clearing.matrix", "双边往来", query=MatrixQuery, answers=MatrixPage)
def matrix(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    actor.must_see_books()
    window, items = queries.matrix(session, window_name=query.get("window"))
    return {"window": window.name, **page_of_all(items, query)}
