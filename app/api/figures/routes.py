"""Figures for dashboards and the map, for stewards and auditors; a township's steward sees its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.figures.schemas import DashboardAnswer, FiguresQuery, ReachAnswer
from app.api.operation import operation
from app.api.parser import Doors
from timebank.core.actors import Actor
from timebank.supervision.figures import queries

doors = Doors("figures", __name__, url_prefix="/api/v1/figures", description="数据")


@operation(
    doors, "/dashboard", "figures.dashboard", "数据看板",
    query=FiguresQuery, answers=DashboardAnswer, one_moment=True,
)  # fmt: skip
def dashboard(session: Session, actor: Actor, query: dict[str, Any]) -> queries.Dashboard:
    whose = queries.whose_figures(session, actor, query.get("township_code"))
    return queries.dashboard(session, township_code=whose)


@operation(
    doors, "/reach", "figures.reach", "步行范围内有没有助餐点",
    query=FiguresQuery, answers=ReachAnswer, one_moment=True,
)  # fmt: skip
def reach(session: Session, actor: Actor, query: dict[str, Any]) -> queries.Reach:
    whose = queries.whose_figures(session, actor, query.get("township_code"))
    return queries.reach(session, township_code=whose)
